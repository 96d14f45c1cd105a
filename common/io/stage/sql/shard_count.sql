-- How many shards there are: must be the number of partitions.
select count(*)::int from shard
