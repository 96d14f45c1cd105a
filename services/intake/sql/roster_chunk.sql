-- One piece of a roster's file.
-- $1 smallint part, $2 uuid roster, $3 integer chunk
-- Columns: bytes bytea (sealed). No row: not stored.
select bytes
from roster_file
where part = $1::smallint and roster_id = $2::uuid and chunk = $3::integer
