-- Units whose month is over and somebody is missing, by their key.
-- $1 after which key bytea, $2 limit integer
-- Columns, as text: as in unit.sql
select convert_from(key, 'UTF8'), kind, registered_on, due_on, marks, met_on, enrolled, missing,
    counted_at
from unit
where marks & 4 <> 0 and met_on = 0 and key > $1::bytea
order by key
limit $2::integer
