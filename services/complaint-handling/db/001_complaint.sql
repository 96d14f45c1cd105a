-- One row a work order; key: 16 bytes, the UUIDv8 of (source_system, order_no).
create table work_order (
    part smallint not null,
    key bytea not null,
    source_system text not null,
    order_no text not null,
    topic text,
    owner text,
    end_reason text,
    kind smallint not null default 0,
    state smallint not null default 0,
    mark smallint not null default 0,          -- 1 yellow, 2 red
    extended_days smallint not null default 0,
    anonymous boolean not null default false,
    reopened boolean not null default false,
    holder_ref uuid,
    dispatched_at bigint not null default 0,   -- ms
    routed_at bigint not null default 0,
    replied_at bigint not null default 0,
    counts_from integer not null default 0,    -- days
    due_on integer not null default 0,
    extend_reason text,
    reply bytea,                               -- sealed
    context bytea,                             -- sealed
    event_no integer not null default 0,
    timer_due bigint not null default 0,
    timer_attempt integer not null default 0,
    ask_id uuid,
    command_ids bytea,
    primary key (part, key)
) with (fillfactor = 50);

-- What the reporter said, sealed; written once. id is the order's.
create table demand (
    part smallint not null,
    id uuid not null,
    reporter bytea,
    text bytea,
    primary key (part, id)
);

-- What happened to an order, and what was refused; only inserted.
create table step (
    part smallint not null,
    id uuid not null, -- of the command, or derived from what caused it
    order_id uuid not null,
    event_no integer not null default 0,
    action text,
    result text,
    reasons text,
    state_before text,
    state text,
    owner text,
    operator text,
    note text,
    due_on integer not null default 0,
    at bigint not null default 0,
    primary key (part, id)
);
create index step_order on step (part, order_id, event_no);
