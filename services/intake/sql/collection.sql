-- A request for the cards of a roster.
-- $1 smallint part, $2 uuid roster, $3 uuid collection
-- Columns as below, as text; busy: production is not yet asked for all of it. No row: not known, or
-- not yet.
select c.at, c.outlet_code, c.rows,
    exists (select 1 from work w where w.part = $1::smallint and w.id = $3::uuid) as busy
from collection c
where c.part = $1::smallint and c.id = $3::uuid and c.roster_id = $2::uuid
