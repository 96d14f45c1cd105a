-- What happened to a work order, in order; refusals stand where they were made.
-- $1 smallint part, $2 uuid order
-- Columns: event_no, action, result, reasons, state_before, state, owner, operator, note, due_on,
-- at. At most 200 rows.
select event_no, action, result, reasons, state_before, state, owner, operator, note, due_on, at
from step
where part = $1::smallint and order_id = $2::uuid
order by at, event_no
limit 200
