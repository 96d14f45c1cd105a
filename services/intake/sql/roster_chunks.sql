-- The pieces of a roster's file, in order.
-- $1 smallint part, $2 uuid roster
-- Columns: bytes bytea (sealed). No rows: never stored.
select bytes
from roster_file
where part = $1::smallint and roster_id = $2::uuid
order by chunk
