-- $1 part, $2 topic, $3 last_no, $4 acked_no, $5 acked_offset: arrays.
update output o set last_no = v.last_no, acked_no = v.acked_no, acked_offset = v.acked_offset
from unnest($1::smallint[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[])
     v(part, topic, last_no, acked_no, acked_offset)
where o.part = v.part and o.topic = v.topic
