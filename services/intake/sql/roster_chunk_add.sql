-- Stores pieces of a roster's file.
-- $1 smallint part, $2 uuid roster, $3 integer[] chunk, $4 bytea[] sealed bytes
-- No result. Pieces that are there stay: the roster's id stands for the file's content.
insert into roster_file (part, roster_id, chunk, bytes)
select $1::smallint, $2::uuid, u.chunk, u.bytes
from unnest($3::integer[], $4::bytea[]) as u (chunk, bytes)
on conflict (part, roster_id, chunk) do nothing
