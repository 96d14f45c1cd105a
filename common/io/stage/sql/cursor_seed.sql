-- Positions for a shard just taken, before the first record.
-- $1 part smallint, $2 topics text[], $3 zeros bytea.
insert into cursor (part, topic, last_no)
select $1, t, $3 from unnest($2::text[]) t on conflict do nothing
