-- A page of documents of one shard, for Redis.
-- $1 smallint part, $2 bytea key to begin after (empty: at the first), $3 integer limit
-- Columns: key, version, as_of, intake, photo, production, complaint.
-- No row: the shard is done.
select key, version, as_of, intake, photo, production, complaint
from document
where part = $1::smallint and key > $2::bytea
order by key
limit $3::integer
