-- Answers to uploads that somebody waits for.
-- $1 smallint[] part, $2 uuid[] command id, in pairs
-- Columns: id uuid, result smallint (enum photo_fetch_upload_result).
-- No row: not decided yet.
-- `offset 0` keeps each lookup one by primary key, whatever the planner thinks of the tables.
select u.id, u.result
from unnest($1::smallint[], $2::uuid[]) as w (part, id)
cross join lateral (select * from upload u where u.part = w.part and u.id = w.id offset 0) u
