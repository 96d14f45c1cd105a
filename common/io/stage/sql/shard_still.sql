-- Which of these shards are still this replica's, by epoch.
-- $1 replica uuid, $2 parts smallint[], $3 epochs bigint[].
select s.part from shard s
join unnest($2::smallint[], $3::bigint[]) v(part, epoch) using (part)
where s.owner = $1 and s.epoch = v.epoch
