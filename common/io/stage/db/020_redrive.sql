-- Parked records that an operator has dropped: out of the way, not gone.
create table dropped (
    part smallint not null,
    topic text not null,
    log_offset bigint not null,
    index integer not null,
    key bytea not null,
    reason text not null,
    ce_type text not null,
    record bytea not null,
    parked_at timestamptz not null,
    at timestamptz not null default now(),
    primary key (part, topic, log_offset, index)
);

-- Dead letters that an operator has dealt with, by their place in the topic <in>.dlq.
create table dlq_handled (
    part smallint not null,
    topic text not null,
    log_offset bigint not null,
    action text not null, -- redriven, dropped
    at timestamptz not null default now(),
    primary key (part, topic, log_offset)
);
create index parked_key on parked (part, topic, key, log_offset, index);
