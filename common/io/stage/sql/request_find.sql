-- Claims that were there before. $1 client text, $2 key_hash bytea: arrays.
select r.key_hash, r.body_hash, r.id, r.at
from unnest($1::text[], $2::bytea[]) v(client, key_hash) join request r using (client, key_hash)
