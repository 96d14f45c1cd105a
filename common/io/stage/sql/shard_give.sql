-- Gives shards up. $1 replica uuid, $2 parts smallint[].
update shard set owner = null where owner = $1 and part = any ($2::smallint[])
