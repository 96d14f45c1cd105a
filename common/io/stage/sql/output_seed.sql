-- $1 part smallint, $2 topics text[], $3 zeros bytea, $4 offsets of -1 bytea.
insert into output (part, topic, last_no, acked_no, acked_offset)
select $1::smallint, t, $3::bytea, $3::bytea, $4::bytea from unnest($2::text[]) t on conflict do nothing
