-- Positions for a shard just taken, before the first record.
-- $1 part smallint, $2 topics text[], $3 zeros bytea.
insert into cursor (part, topic, last_no)
select $1::smallint, t, $3::bytea from unnest($2::text[]) t on conflict do nothing
