-- Applications of a roster that are in a state, in order of rows, with their holders.
-- $1 smallint part, $2 uuid roster, $3 integer row_no from which on, $4 integer[] row numbers, null:
-- all, $5 smallint app_state, $6 smallint outcome of rows that are another list's, $7 integer limit,
-- $8 integer partitions
-- Columns, binary: row_no, application_id, holder (null: not there any more).
select r.row_no, r.application_id, a.holder
from (
    select row_no, application_id from roster_row
    where part = $1::smallint and roster_id = $2::uuid and row_no >= $3::integer
      and ($4::integer[] is null or row_no = any ($4::integer[]))
      and app_state = $5::smallint and outcome <> $6::smallint
    order by row_no
    limit $7::integer
) r
left join lateral (
    select a.holder from application a
    where a.part = any (array(select generate_series(0, $8::integer - 1))::smallint[])
      and a.id = r.application_id and a.moved_to is null
    offset 0 limit 1
) a on true
order by r.row_no
