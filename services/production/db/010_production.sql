-- production: holders with their cards, the queues of banks, and what was issued.

-- One row a holder: the permanent slot's states stand in columns, so that an operator can count
-- and find; the rest of the slot, and the temporary slot, are packed (services/production/pack.c).
create table holder (
    part smallint not null,
    key bytea not null,
    app_id uuid,
    app_kind text,
    app_state text,
    app_bank text,
    made_no text,     -- the card in the making, or made and not activated
    made_state text,
    card_no text,     -- the card in the holder's hands
    card_state text,
    slot bytea,
    temporary bytea,
    early bytea,      -- answers ahead of the state, see services/production/early.c
    command_ids bytea,
    timer_due bigint not null default 0,
    timer_attempt integer not null default 0,
    primary key (part, key)
) with (fillfactor = 50);

-- One row a bank: its lanes, promised dates and the reconciliation of its lines.
create table bank (
    part smallint not null,
    key bytea not null,
    code text,
    normal_last bigint not null default 0,
    normal_closed bigint not null default 0,
    normal_since bigint not null default 0,
    priority_last bigint not null default 0,
    priority_closed bigint not null default 0,
    priority_since bigint not null default 0,
    promised_on integer not null default 0,
    promised integer not null default 0,
    left_queue bytea,
    batches bigint not null default 0,
    reconciled bigint not null default 0, -- batches whose lines are all accounted for
    sent bigint not null default 0,
    made bigint not null default 0,
    failed bigint not null default 0,
    missing bigint not null default 0,
    late_voided bigint not null default 0,
    timer_due bigint not null default 0,
    timer_attempt integer not null default 0,
    primary key (part, key)
) with (fillfactor = 50);

-- The person of an accepted application, sealed; id = application_id. Written once.
create table person (
    part smallint not null,
    id uuid not null,
    person bytea,
    primary key (part, id)
);

-- A line that waits for its batch; id derives from bank, lane and number.
create table queue_line (
    part smallint not null,
    id uuid not null,
    lane smallint not null default 0,
    no bigint not null default 0,
    holder bytea,
    app_id uuid,
    app_kind smallint not null default 0,
    card_no text,
    person bytea,
    outlet text,
    photo_ref uuid,
    due_on integer not null default 0,
    queued_at bigint not null default 0,
    primary key (part, id)
);

create table batch (
    part smallint not null,
    id uuid not null,
    bank text,
    lane smallint not null default 0,
    first_no bigint not null default 0,
    last_no bigint not null default 0,
    lines integer not null default 0,
    made integer not null default 0,
    failed integer not null default 0,
    missing integer not null default 0,
    late_voided integer not null default 0,
    closed_at bigint not null default 0,
    primary key (part, id)
) with (fillfactor = 50);

-- Every card number that was ever given out or imported. The unique index is the backstop: a
-- number that came twice is parked and never reaches a bank.
create table issued (
    part smallint not null,
    id uuid not null,
    card_no text,
    holder bytea,
    app_id uuid,
    bank text,
    issued_at bigint not null default 0,
    primary key (part, id)
);
create unique index issued_card_no on issued (card_no);

-- What became of each operation, with its voucher or notice; id = operation_id.
create table operation (
    part smallint not null,
    id uuid not null,
    operation text,
    result text,
    reasons text,     -- codes separated by commas
    card_no text,
    card_state text,
    voucher_no text,
    notice_no text,
    channel text,
    staff_id text,
    at bigint not null default 0,
    primary key (part, id)
);
