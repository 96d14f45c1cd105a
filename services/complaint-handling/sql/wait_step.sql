-- Outcomes of commands that somebody waits for.
-- $1 smallint[] part, $2 uuid[] command id, in pairs
-- Columns: id uuid, result, reasons, state.
-- No row: not decided yet.
-- `offset 0` keeps each lookup one by primary key, whatever the planner thinks of the tables.
select s.id, s.result, s.reasons, s.state
from unnest($1::smallint[], $2::uuid[]) as w (part, id)
cross join lateral (select * from step s where s.part = w.part and s.id = w.id offset 0) s
