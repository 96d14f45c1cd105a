-- Rows for every shard. $1 number of partitions int.
insert into shard (part) select generate_series(0, $1::int - 1) on conflict do nothing
