-- Cards of a roster that its agent has asked for; id = collection_id, written once.
create table collection (
    part smallint not null,
    id uuid not null,
    roster_id uuid,
    at bigint not null default 0,
    outlet_code text,
    collector bytea, -- sealed
    primary key (part, id)
);
