-- $1 part, $2 seq, $3 messages: arrays.
insert into journal (part, seq, messages)
select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])
