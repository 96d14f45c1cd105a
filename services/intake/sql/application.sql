-- An application by its id, wherever its holder's shard is.
-- $1 uuid application id, $2 integer partitions
-- Columns: part, id and those of `application`.
-- No row: not known, or not decided yet. Two rows: it moved to the right holder; the first is it.
select a.*
from application a
where a.part = any (array(select generate_series(0, $2::integer - 1))::smallint[])
  and a.id = $1::uuid
order by a.moved_to is not null
limit 1
