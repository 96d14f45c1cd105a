-- New claims; those that are not returned were there before.
-- $1 client text, $2 key_hash bytea, $3 body_hash bytea, $4 id uuid, $5 at bigint: arrays.
insert into request (client, key_hash, body_hash, id, at)
select * from unnest($1::text[], $2::bytea[], $3::bytea[], $4::uuid[], $5::bigint[])
on conflict do nothing
returning key_hash
