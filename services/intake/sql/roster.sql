-- A roster and its counts.
-- $1 smallint part, $2 bytea key
-- Columns as below, as text. No row: not known, or not yet.
select client, encoding, records, complete, problem, accepted, refused, unchanged,
    in_received, in_noticed, in_rejected, in_accepted, in_ready, in_ended, unit_code, size, next_row, channel
from roster
where part = $1::smallint and key = $2::bytea
