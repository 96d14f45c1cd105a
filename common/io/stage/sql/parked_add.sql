-- One that parks again stays where it is, since when it was, with the newest reason.
-- $1 part, $2 topic, $3 log_offset, $4 index, $5 key, $6 reason, $7 ce_type, $8 record: arrays.
insert into parked (part, topic, log_offset, index, key, reason, ce_type, record)
select * from unnest($1::smallint[], $2::text[], $3::bigint[], $4::int[], $5::bytea[],
                     $6::text[], $7::text[], $8::bytea[])
on conflict (part, topic, log_offset, index)
do update set reason = excluded.reason, record = excluded.record
