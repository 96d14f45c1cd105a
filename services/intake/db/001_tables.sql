-- One row a holder: enrolment, the open application of each slot, what production told of the
-- cards. Changes often: no index but the key.
create table holder (
    part smallint not null,
    key bytea not null,
    enrolment smallint not null default 0,
    end_reason text,
    revision bigint not null default 0,
    name_hash uuid,
    unit_code text,
    permanent_app uuid,
    permanent_kind smallint not null default 0,
    permanent_state smallint not null default 0,
    permanent_submitted_at bigint not null default 0,
    permanent_roster uuid,
    permanent_row_no integer not null default 0,
    permanent_last_app uuid,
    permanent_last_at bigint not null default 0,
    temporary_app uuid,
    temporary_kind smallint not null default 0,
    temporary_state smallint not null default 0,
    temporary_submitted_at bigint not null default 0,
    temporary_roster uuid,
    temporary_row_no integer not null default 0,
    temporary_last_app uuid,
    temporary_last_at bigint not null default 0,
    card_no text,
    card_bank text,
    card_state smallint not null default 0,
    card_has_photo boolean not null default false,
    card_handed_in boolean not null default false,
    card_valid_until integer not null default 0,
    made_no text,
    made_bank text,
    made_state smallint not null default 0,
    made_has_photo boolean not null default false,
    made_handed_in boolean not null default false,
    made_valid_until integer not null default 0,
    tcard_no text,
    tcard_bank text,
    tcard_state smallint not null default 0,
    tcard_has_photo boolean not null default false,
    tcard_handed_in boolean not null default false,
    tcard_valid_until integer not null default 0,
    command_ids bytea,
    primary key (part, key)
) with (fillfactor = 50);

create table roster (
    part smallint not null,
    key bytea not null,
    client text,
    unit_code text,
    bank_code text,
    outlet_code text,
    encoding text,
    kind smallint not null default 0,
    channel smallint not null default 0,
    opened_at bigint not null default 0,
    next_row integer not null default 0,
    records integer not null default 0,
    complete boolean not null default false,
    problem text,
    accepted integer not null default 0,
    refused integer not null default 0,
    unchanged integer not null default 0,
    in_received integer not null default 0,
    in_noticed integer not null default 0,
    in_rejected integer not null default 0,
    in_accepted integer not null default 0,
    in_ready integer not null default 0,
    in_ended integer not null default 0,
    primary key (part, key)
) with (fillfactor = 50);

create table unit (
    part smallint not null,
    key bytea not null,
    revision bigint not null default 0,
    kind text,
    banks text,
    registered_on integer not null default 0,
    primary key (part, key)
) with (fillfactor = 50);

-- One row an application, written when it is judged; the person is sealed.
create table application (
    part smallint not null,
    id uuid not null,
    holder bytea,
    moved_to bytea,
    person bytea,
    channel smallint not null default 0,
    kind smallint not null default 0,
    bank_code text,
    outlet_code text,
    photo_choice text,
    reissue_reason text,
    unit_code text,
    introduction_letter_no text,
    id_copies_held boolean not null default false,
    papers_given_before boolean not null default false,
    with_fee boolean not null default false,
    may_backdate boolean not null default false,
    submitted_at bigint not null default 0,
    roster_id uuid,
    row_no integer not null default 0,
    row_warnings integer not null default 0,
    photo_reasons integer not null default 0,
    photo_ref uuid,
    state smallint not null default 0,
    outcome smallint not null default 0,
    reasons text,
    warnings integer not null default 0,
    receipt_no text,
    notice_no text,
    accepted_on integer not null default 0,
    due_on integer not null default 0,
    respond_by integer not null default 0,
    policy integer not null default 0,
    provisional boolean not null default false,
    judged_at bigint not null default 0,
    timer_no integer not null default 0,
    primary key (part, id)
) with (fillfactor = 80);

-- What became of supplements and withdrawals, for whoever waits for it.
create table command (
    part smallint not null,
    id uuid not null,
    application_id uuid,
    result smallint not null default 0,
    reason text,
    primary key (part, id)
);

-- The enrolment record of a holder, newest revision, sealed; id = UUIDv8 of the holder's key.
create table enrolment (
    part smallint not null,
    id uuid not null,
    holder bytea,
    person bytea,
    revision bigint not null default 0,
    unit_code text,
    primary key (part, id)
) with (fillfactor = 80);

-- One row a record of a roster; id = UUIDv8 of roster and row, which is the application's id too.
create table roster_row (
    part smallint not null,
    id uuid not null,
    roster_id uuid,
    row_no integer not null default 0,
    outcome smallint not null default 0,
    reasons text,
    warnings integer not null default 0,
    application_id uuid,
    app_state smallint not null default 0,
    primary key (part, id)
) with (fillfactor = 50);
-- Never changes while a row changes.
create index roster_row_no on roster_row (part, roster_id, row_no);

-- The file as it was sent, sealed in pieces; written by the front, insert or nothing.
create table roster_file (
    part smallint not null,
    roster_id uuid not null,
    chunk integer not null,
    bytes bytea not null,
    primary key (part, roster_id, chunk)
);
alter table roster_file alter column bytes set storage external;
