-- First guard of a batch: every shard must still have this owner and epoch; else divides by zero,
-- which ends the transaction.
-- $1 replica uuid; $2 part, $3 epoch, $4 last_now, $5 journal_seq, $6 acked_seq: arrays.
with done as (
    update shard s
    set last_now = v.last_now, journal_seq = v.journal_seq, acked_seq = v.acked_seq
    from unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
         v(part, epoch, last_now, journal_seq, acked_seq)
    where s.part = v.part and s.epoch = v.epoch and s.owner = $1
    returning 1
)
select 1 / (count(*) = cardinality($2::smallint[]))::int from done
