-- The papers that came with a unit's list.
-- $1 smallint part, $2 bytea key
-- Columns as below, binary; agent is sealed. No row: not known, or not yet.
select client, unit_code, introduction_letter_no, id_copies_held, agent
from roster
where part = $1::smallint and key = $2::bytea
