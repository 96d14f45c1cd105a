-- $1 part, $2 id, $3 kind, $4 key, $5 due, $6 attempt, $7 args, $8 pieces: arrays.
insert into work (part, id, kind, key, due, attempt, args, pieces)
select * from unnest($1::smallint[], $2::uuid[], $3::smallint[], $4::bytea[], $5::bigint[],
                     $6::int[], $7::bytea[], $8::int[])
on conflict (part, id) do update set
    kind = excluded.kind, key = excluded.key, due = excluded.due,
    attempt = excluded.attempt, args = excluded.args, pieces = excluded.pieces
