-- The outcomes of operations that somebody waits for.
-- $1 part smallint[], $2 id uuid[], in pairs
-- Columns: id, result, reasons, card_state, voucher_no, notice_no; no row: not decided yet
-- `offset 0` keeps each lookup one by primary key, whatever the planner thinks of the tables.
select o.id, o.result, o.reasons, o.card_state, o.voucher_no, o.notice_no
from unnest($1::smallint[], $2::uuid[]) as w (part, id)
cross join lateral (select * from operation o where o.part = w.part and o.id = w.id offset 0) o
