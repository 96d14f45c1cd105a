-- Stores sealed photos, addressed by the keyed hash of what they show.
-- $1 smallint[] part of the holder, $2 uuid[] content_ref, $3 bytea[] sealed bytes
-- No result. A photo that is there stays: the same reference means the same picture.
insert into photo (part, content_ref, bytes)
select u.part, u.content_ref, u.bytes
from unnest($1::smallint[], $2::uuid[], $3::bytea[]) as u (part, content_ref, bytes)
on conflict (part, content_ref) do nothing
