-- The document of a holder.
-- $1 smallint part, $2 bytea key
-- Columns: key, version, as_of, intake, photo, production, complaint, past (null).
-- No row: nothing is known of this holder.
select key, version, as_of, intake, photo, production, complaint,
       null::bytea as past
from document
where part = $1::smallint and key = $2::bytea
