-- Newer references of a holder, under the first one: a document that gives one of them is the holder's
-- own. id = UUIDv8 of both.
create table newer_reference (
    part smallint not null,
    id uuid not null,
    holder bytea,
    reference bytea,
    primary key (part, id)
);
