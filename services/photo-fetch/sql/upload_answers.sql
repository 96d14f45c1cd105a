-- Answers to uploads that somebody waits for.
-- $1 smallint[] part, $2 uuid[] command id, in pairs
-- Columns: id uuid, result smallint (enum photo_fetch_upload_result).
-- No row: not decided yet.
select u.id, u.result
from unnest($1::smallint[], $2::uuid[]) as w (part, id)
join upload u on u.part = w.part and u.id = w.id
