-- A page of aliases of one shard, for Redis.
-- $1 smallint part, $2 uuid to begin after (all zero: at the first), $3 integer limit
-- Columns: id uuid, holder bytea.
-- No row: the shard is done.
select id, holder
from alias
where part = $1::smallint and id > $2::uuid
order by id
limit $3::integer
