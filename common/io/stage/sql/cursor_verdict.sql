-- After a commit whose outcome is unknown: where does the cursor stand? Waits for the old
-- backend, which may still be committing.
-- $1 part smallint, $2 topic text, $3 replica uuid, $4 epoch bigint.
-- No row: the shard is another's now, who may have moved the cursor; what this commit made, if it
-- went through, the other one publishes.
select c.last_offset from cursor c
join shard s on s.part = c.part
where c.part = $1::smallint and c.topic = $2::text and s.owner = $3 and s.epoch = $4
for update of c, s
