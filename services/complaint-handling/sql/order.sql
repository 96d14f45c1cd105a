-- A work order with its demand.
-- $1 smallint part, $2 bytea key
-- Columns: source_system, order_no, topic, owner, end_reason, kind, state, mark, extended_days,
-- anonymous, reopened, holder_ref, dispatched_at, routed_at, replied_at, counts_from, due_on,
-- extend_reason, reply, context, event_no, reporter, text.
-- No row: not known, or not yet.
select o.source_system, o.order_no, o.topic, o.owner, o.end_reason, o.kind, o.state, o.mark,
       o.extended_days, o.anonymous, o.reopened, o.holder_ref, o.dispatched_at, o.routed_at,
       o.replied_at, o.counts_from, o.due_on, o.extend_reason, o.reply, o.context, o.event_no,
       d.reporter, d.text
from work_order o
left join demand d on d.part = o.part and d.id = encode(o.key, 'hex')::uuid
where o.part = $1::smallint and o.key = $2::bytea
