-- Second guard, and the statement that stores the position in the log: every cursor must stand
-- where this batch began; else divides by zero, which ends the transaction.
-- $1 part, $2 topic, $3 old offset, $4 new offset, $5 hash of the last record, $6 numbers: arrays.
with done as (
    update cursor c
    set last_offset = v.new_offset, last_hash = v.hash, last_no = v.last_no
    from unnest($1::smallint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[])
         v(part, topic, old_offset, new_offset, hash, last_no)
    where c.part = v.part and c.topic = v.topic and c.last_offset = v.old_offset
    returning 1
)
select 1 / (count(*) = cardinality($1::smallint[]))::int from done
