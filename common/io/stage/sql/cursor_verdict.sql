-- After a commit whose outcome is unknown: where does the cursor stand? Waits for the old
-- backend, which may still be committing. $1 part smallint, $2 topic text.
select last_offset from cursor where part = $1::smallint and topic = $2::text for update
