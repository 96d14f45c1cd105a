-- One row a holder: whom to write to. Written when the person changes, not with each message.
create table holder (
    part smallint not null,
    key bytea not null,
    person bytea,
    died boolean not null default false,
    early bytea, -- messages that came before the person they are for
    primary key (part, key)
) with (fillfactor = 50);

-- Notifications that have ended, or are held back. Those under way stand in `work`.
create table notice (
    part smallint not null,
    id uuid not null,
    event_id uuid,
    application_id uuid,
    template text,
    channel text,
    state smallint not null default 0,
    reason text,
    at bigint not null default 0,
    primary key (part, id)
);
