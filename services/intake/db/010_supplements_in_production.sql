-- Supplements of accepted applications that production has not answered yet; id = command_id. Emptied
-- when it has answered: the person (sealed) is then the application's, or refused.
create table supplement (
    part smallint not null,
    id uuid not null,
    person bytea,
    outlet_code text,
    primary key (part, id)
);
