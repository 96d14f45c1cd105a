-- One row a holder: the photo of the application that is open, or was last.
create table holder (
    part smallint not null,
    key bytea not null,
    application_id uuid,
    kind smallint not null default 0,
    state smallint not null default 0,
    source smallint not null default 0,
    is_child boolean not null default false,
    photo_ref uuid,
    reasons integer not null default 0,
    respond_by integer not null default 0,
    work_id uuid,
    command_ids bytea,
    primary key (part, key)
) with (fillfactor = 50);

-- For the front: from an application's id to its holder. Never changes while the row changes.
create index holder_application on holder (application_id);

-- Answers to uploads, for whoever waits for one.
create table upload (
    part smallint not null,
    id uuid not null,
    application_id uuid,
    result smallint not null default 0,
    primary key (part, id)
);

-- Sealed photos, by keyed hash; written by the front, insert or nothing.
create table photo (
    part smallint not null,
    content_ref uuid not null,
    bytes bytea not null,
    primary key (part, content_ref)
);
alter table photo alter column bytes set storage external;
