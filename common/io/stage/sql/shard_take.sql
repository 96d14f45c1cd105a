-- Takes up to $3 shards that are free, orphaned, or this replica's own from before.
-- $1 replica uuid, $2 timeout in ms int, $3 how many int, $4 parts already held smallint[].
-- The new epochs; no rows: nothing to take now.
with free as (
    select part from shard
    where part <> all ($4::smallint[])
      and (owner is null or owner = $1
           or not exists (select from member m where m.replica = shard.owner
                          and m.seen_at > now() - $2::int * interval '1 ms'))
    order by part
    limit $3::int
    for update skip locked
)
update shard s set owner = $1, epoch = s.epoch + 1
from free where s.part = free.part
returning s.part, s.epoch, s.last_now, s.journal_seq, s.acked_seq
