-- The outcomes of operations that somebody waits for.
-- $1 part smallint[], $2 id uuid[], in pairs
-- Columns: id, result, reasons, card_state, voucher_no, notice_no; no row: not decided yet
-- An operation under a newer reference of a holder is answered in the partition of the first.
-- `offset 0` keeps each lookup one by primary key, whatever the planner thinks of the tables.
select o.id, coalesce(m.result, o.result), coalesce(m.reasons, o.reasons),
    coalesce(m.card_state, o.card_state), coalesce(m.voucher_no, o.voucher_no),
    coalesce(m.notice_no, o.notice_no)
from unnest($1::smallint[], $2::uuid[]) as w (part, id)
cross join lateral (select * from operation o where o.part = w.part and o.id = w.id offset 0) o
left join lateral (select * from operation m
    where o.moved_to > 0 and m.part = o.moved_to - 1 and m.id = o.id and m.moved_to = 0
    offset 0) m on true
where o.moved_to = 0 or m.id is not null
