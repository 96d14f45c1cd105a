-- How many records wait under a key, and how many of them at these places.
-- $1 part smallint, $2 topic text, $3 key bytea; $4 log_offset, $5 index: arrays.
select count(*), count(*) filter (where (log_offset, index) in
                                  (select * from unnest($4::bigint[], $5::int[])))
from parked
where part = $1::smallint and topic = $2::text and key = $3::bytea
