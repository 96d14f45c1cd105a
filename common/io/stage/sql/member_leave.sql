-- A replica that stops in order says so. $1 replica uuid.
delete from member where replica = $1
