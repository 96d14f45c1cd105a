-- Whom to write to, as it stands now.
-- $1 smallint part, $2 bytea[] keys of holders
-- Columns: key bytea, person bytea (sealed; may be null), died boolean.
-- A holder without a row has never been heard of.
-- `offset 0` keeps each lookup one by primary key, whatever the planner thinks of the tables.
select h.key, h.person, h.died
from unnest($2::bytea[]) as w (key)
cross join lateral (select * from holder h where h.part = $1::smallint and h.key = w.key offset 0) h
