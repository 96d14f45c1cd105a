-- Dropped by an operator: kept aside. $1 part, $2 topic, $3 log_offset, $4 index, $5 key: arrays.
with gone as (
    delete from parked p
    using unnest($1::smallint[], $2::text[], $3::bigint[], $4::int[], $5::bytea[])
          v(part, topic, log_offset, index, key)
    where p.part = v.part and p.topic = v.topic and p.log_offset = v.log_offset
          and p.index = v.index and p.key = v.key
    returning p.*
)
insert into dropped (part, topic, log_offset, index, key, reason, ce_type, record, parked_at)
select part, topic, log_offset, index, key, reason, ce_type, record, at from gone
on conflict do nothing
