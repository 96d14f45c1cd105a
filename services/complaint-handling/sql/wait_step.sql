-- Outcomes of commands that somebody waits for.
-- $1 smallint[] part, $2 uuid[] command id, in pairs
-- Columns: id uuid, result, reasons, state.
-- No row: not decided yet.
select s.id, s.result, s.reasons, s.state
from unnest($1::smallint[], $2::uuid[]) as w (part, id)
join step s on s.part = w.part and s.id = w.id
