-- What waits for a person, for metrics: reason, count, age of the oldest in seconds.
select reason, count(*), extract(epoch from now() - min(at))::bigint
from parked group by reason order by count(*) desc, reason limit 100
