-- Outcomes that somebody waits for: of applications, and of commands about them.
-- $1 smallint[] part, $2 uuid[] application id or command id, in pairs
-- Columns: id uuid (the one waited for), command_result, command_reason, command_voucher_no,
-- command_notice_no, and those of `application`.
-- No row: not decided yet.
-- `offset 0` keeps each lookup one by primary key, whatever the planner thinks of the tables.
select w.id, 0::smallint as command_result, null::text as command_reason,
    null::text as command_voucher_no, null::text as command_notice_no,
    a.part, a.holder, a.moved_to, a.channel, a.kind, a.bank_code, a.outlet_code, a.submitted_at,
    a.state, a.outcome, a.reasons, a.warnings, a.receipt_no, a.notice_no, a.accepted_on, a.due_on,
    a.respond_by, a.policy, a.provisional, a.working_days, a.judged_at,
    coalesce(e.state,
        case a.id when h.permanent_app then h.permanent_state
                  when h.temporary_app then h.temporary_state end, a.state) as state_now,
    coalesce(case a.id when h.permanent_app then h.permanent_promised_on
                  when h.temporary_app then h.temporary_promised_on end, 0) as promised_on,
    coalesce(e.at, 0) as ended_at, coalesce(e.activated_at, 0) as activated_at
from unnest($1::smallint[], $2::uuid[]) as w (part, id)
cross join lateral (select * from application a where a.part = w.part and a.id = w.id offset 0) a
left join lateral (
    select * from application_end e where e.part = a.part and e.id = a.id offset 0) e on true
left join lateral (
    select * from holder h where h.part = a.part and h.key = a.holder offset 0) h on true
where a.outcome <> 0 or a.moved_to is not null
union all
select w.id, c.result, c.reason, c.voucher_no, c.notice_no,
    a.part, a.holder, a.moved_to, a.channel, a.kind, a.bank_code, a.outlet_code, a.submitted_at,
    a.state, a.outcome, a.reasons, a.warnings, a.receipt_no, a.notice_no, a.accepted_on, a.due_on,
    a.respond_by, a.policy, a.provisional, a.working_days, a.judged_at,
    coalesce(e.state,
        case a.id when h.permanent_app then h.permanent_state
                  when h.temporary_app then h.temporary_state end, a.state) as state_now,
    coalesce(case a.id when h.permanent_app then h.permanent_promised_on
                  when h.temporary_app then h.temporary_promised_on end, 0) as promised_on,
    coalesce(e.at, 0) as ended_at, coalesce(e.activated_at, 0) as activated_at
from unnest($1::smallint[], $2::uuid[]) as w (part, id)
cross join lateral (select * from command c where c.part = w.part and c.id = w.id offset 0) c
cross join lateral (
    select * from application a where a.part = c.part and a.id = c.application_id offset 0) a
left join lateral (
    select * from application_end e where e.part = a.part and e.id = a.id offset 0) e on true
left join lateral (
    select * from holder h where h.part = a.part and h.key = a.holder offset 0) h on true
