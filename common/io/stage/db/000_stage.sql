-- The tables of every service's stage. The column part comes first in every primary key: it is
-- the distribution column, should the tables be spread over several databases.

-- Living replicas; the front of each sets seen_at once a second.
create table member (
    replica uuid primary key,
    seen_at timestamptz not null,
    -- since when it has beaten without a late beat
    steady_since timestamptz not null default '-infinity'
);

-- A shard is partition `part` of every topic the service reads. Ownership and fence in one row.
create table shard (
    part smallint primary key,
    owner uuid,
    epoch bigint not null default 0,
    last_now bigint not null default 0,    -- ms: the newest record time decided, never back
    journal_seq bigint not null default 0, -- newest row of journal
    acked_seq bigint not null default 0    -- rows up to it are acknowledged by the log
) with (fillfactor = 50);

-- The position in the log: what was applied last, and the last number of each stream
-- (last_no: 8 bytes big-endian a source partition).
create table cursor (
    part smallint not null,
    topic text not null,
    last_offset bigint not null default -1,
    last_hash bigint not null default 0,
    last_no bytea not null,
    primary key (part, topic)
) with (fillfactor = 50);

-- Numbers given out to each topic and target partition, and how far the log has taken them
-- (8 bytes big-endian a target partition).
create table output (
    part smallint not null,
    topic text not null,
    last_no bytea not null,
    acked_no bytea not null,
    acked_offset bytea not null,
    primary key (part, topic)
) with (fillfactor = 50);

-- One row a batch and shard: all messages in order. Outbox and audit trail in one.
create table journal (
    part smallint not null,
    seq bigint not null,
    at timestamptz not null default now(),
    messages bytea not null
) partition by range (at);
-- Mostly ciphertext: compressing it costs more than the whole step and saves nothing.
alter table journal alter column messages set storage external;
create table journal_default partition of journal default;
alter table journal_default alter column messages set storage external;
create index journal_seq on journal (part, seq);

-- Outside work and timers.
create table work (
    part smallint not null,
    id uuid not null,
    kind smallint not null,
    key bytea not null,
    due bigint not null, -- ms since the epoch
    attempt integer not null default 0,
    args bytea,
    pieces integer not null default 0, -- above 0: args hold so many, see bundle.h
    primary key (part, id)
) with (fillfactor = 70);
-- Short-lived: compressing it would cost more than the row itself.
alter table work alter column args set storage external;
-- On an expression, so that a lookup by part and id cannot go this way: a planner that thinks the
-- table is empty, as it often is, takes either index, and this one reads all that the shard has.
create index work_due on work ((part::int), due);

-- What a person must look at, with all that is needed to try it again.
create table parked (
    part smallint not null,
    topic text not null,
    log_offset bigint not null,
    index integer not null,
    key bytea not null,
    reason text not null,
    ce_type text not null,
    record bytea not null, -- the whole record: headers, key, value
    at timestamptz not null default now(),
    primary key (part, topic, log_offset, index)
);

create table number_block (
    kind text not null,
    scope text not null,
    next bigint not null,
    primary key (kind, scope)
);
