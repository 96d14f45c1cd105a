-- Rows of a roster that have an outcome or an application, in order.
-- $1 smallint part, $2 uuid roster, $3 integer row_no after which, $4 integer limit
-- Columns: row_no, outcome (enum intake_row_outcome), reasons, warnings (bits), application_id,
-- app_state, notices, as text.
select row_no, outcome, reasons, warnings, application_id, app_state, notices
from roster_row
where part = $1::smallint and roster_id = $2::uuid and row_no > $3::integer
order by row_no
limit $4::integer
