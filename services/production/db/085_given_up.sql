-- Cards that failed as often as they are made again by themselves; id = application_id. A row that
-- waits stands for an application that a person must look at; the others are kept as record.
create table given_up (
    part smallint not null,
    id uuid not null,
    holder bytea,
    bank text,
    outlet text,
    reason text,      -- of the failure; once settled, of the application's next step
    staff_id text,    -- who settled it by hand, and why
    why text,
    since bigint not null default 0,
    waits smallint not null default 0,
    primary key (part, id)
);
create index given_up_waits on given_up (since, id) where waits = 1;
create index given_up_settled on given_up (since) where waits = 0;
