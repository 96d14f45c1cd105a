-- `offset 0` keeps each lookup one by primary key, whatever the planner thinks of the tables.
-- Claims that were there before. $1 client text, $2 key_hash bytea: arrays.
select r.key_hash, r.body_hash, r.id, r.at
from unnest($1::text[], $2::bytea[]) v(client, key_hash)
cross join lateral (
    select * from request r where r.client = v.client and r.key_hash = v.key_hash offset 0) r
