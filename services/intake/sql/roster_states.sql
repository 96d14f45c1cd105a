-- How the rows of a roster stand.
-- $1 smallint part, $2 uuid roster, $3 integer[] row numbers, null: all
-- Columns, as text: known, outcome (enum intake_row_outcome), app_state, count, and the numbers with
-- '|' between when rows were named.
select r.row_no is not null as known, coalesce(r.outcome, 0) as outcome,
    coalesce(r.app_state, 0) as app_state, count(*) as count,
    case when $3::integer[] is not null
        then string_agg(n.row_no::text, '|' order by n.row_no) end as rows
from (
    select row_no from roster_row
    where $3::integer[] is null and part = $1::smallint and roster_id = $2::uuid
    union all
    select distinct u.row_no from unnest($3::integer[]) as u (row_no)
) n
left join roster_row r
    on r.part = $1::smallint and r.roster_id = $2::uuid and r.row_no = n.row_no
group by 1, 2, 3
order by 1, 2, 3
