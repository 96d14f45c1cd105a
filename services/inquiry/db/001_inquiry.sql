-- One row a holder: the status document, a section a source.
create table document (
    part smallint not null,
    key bytea not null,
    version bigint not null default 0, -- events folded in
    as_of bigint not null default 0,   -- ms: highest event time
    shown bigint not null default 0,   -- hash of what was last told on topic status
    intake bytea,
    photo bytea,
    production bytea,
    complaint bytea,
    notification bytea,
    primary key (part, key)
) with (fillfactor = 50);

-- What else leads to a holder: ids of applications, hashes of receipt and card numbers.
create table alias (
    part smallint not null,
    id uuid not null,
    holder bytea not null,
    at bigint not null default 0, -- ms
    past bytea,                   -- of an application that had to make room in the document
    primary key (part, id)
);

-- The end of each client's chain of audit records.
create table audit_chain (
    part smallint not null,
    key bytea not null, -- the client's name
    entries bigint not null default 0,
    hash bytea,
    primary key (part, key)
) with (fillfactor = 50);

-- Who looked at what and why; only ever inserted. Each record holds the hash of the one before.
create table audit (
    part smallint not null,
    id uuid not null, -- ce_id
    client text not null,
    scope text,
    operator text,
    purpose text,
    action text,
    outcome text,
    trace_id text,
    holder_ref bytea,
    at bigint not null default 0, -- ms
    entry bigint not null default 0,
    before bytea,
    hash bytea,
    primary key (part, id)
);
create index audit_holder on audit (holder_ref) where holder_ref is not null;
create index audit_at on audit using brin (at) with (autosummarize = on);
