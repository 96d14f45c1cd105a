-- A unit with its clock.
-- $1 part smallint, $2 key bytea
-- Columns, as text: key (as text), kind, registered_on, due_on, marks, met_on, enrolled, missing, counted_at
-- No row: not known
select convert_from(key, 'UTF8'), kind, registered_on, due_on, marks, met_on, enrolled, missing,
    counted_at
from unit
where part = $1::smallint and key = $2::bytea
