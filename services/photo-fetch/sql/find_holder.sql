-- Finds the holder of an application.
-- $1 uuid application_id
-- Columns: part smallint, key bytea, state smallint (enum photo_state).
-- No row: not known here, or not yet.
select part, key, state
from holder
where application_id = $1::uuid
limit 1
