-- Whom to write to, as it stands now.
-- $1 smallint part, $2 bytea[] keys of holders
-- Columns: key bytea, person bytea (sealed; may be null), died boolean.
-- A holder without a row has never been heard of.
select key, person, died
from holder
where part = $1::smallint and key = any ($2::bytea[])
