-- Redriven: they wait no more. $1 part, $2 topic, $3 log_offset, $4 index: arrays.
delete from parked p
using unnest($1::smallint[], $2::text[], $3::bigint[], $4::int[]) v(part, topic, log_offset, index)
where p.part = v.part and p.topic = v.topic and p.log_offset = v.log_offset and p.index = v.index
