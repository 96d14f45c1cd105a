-- Notices to banks that wait to be acknowledged, of all shards.
-- $1 bigint, now in ms since the epoch
-- Columns, as text: how many, how many of them overdue, age of the oldest in ms (0: none)
select count(*), count(*) filter (where overdue_at > 0), coalesce($1::bigint - min(told_at), 0)
from card_notice
where acknowledged_at = 0
