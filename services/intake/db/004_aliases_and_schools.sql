-- A document can change: the new reference leads to the first, which stays canonical.
alter table holder add column alias_of bytea;
alter table holder add column aliases bytea; -- 16 bytes each

-- The banks of a school, a copy in each shard: applications of its pupils are judged by it.
create table school (
    part smallint not null,
    id uuid not null,
    banks text,
    revision bigint not null default 0,
    primary key (part, id)
);
