-- First guard of a batch: every shard must still have this owner and epoch; else divides by zero,
-- which ends the transaction. A shard of which acknowledgements alone are saved must stand where the
-- stage believes: in a database that has lost commits they would hide the loss.
-- $1 replica uuid; $2 part, $3 epoch, $4 last_now, $5 journal_seq, $6 acked_seq, $7 1 for a shard of
-- which acknowledgements alone are saved, else 0: arrays.
with done as (
    update shard s
    set last_now = v.last_now, journal_seq = v.journal_seq, acked_seq = v.acked_seq
    from unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                $7::smallint[])
         v(part, epoch, last_now, journal_seq, acked_seq, saves)
    where s.part = v.part and s.epoch = v.epoch and s.owner = $1
      and (v.saves = 0 or (s.last_now = v.last_now and s.journal_seq = v.journal_seq))
    returning 1
)
select 1 / (count(*) = cardinality($2::smallint[]))::int from done
