-- How an accepted application ended, and when the card it made was activated, as production told;
-- written twice in its life. Apart from `application`, so that the sealed person is not written
-- again.
create table application_end (
    part smallint not null,
    id uuid not null,
    state smallint not null default 0,
    at bigint not null default 0,
    activated_at bigint not null default 0,
    primary key (part, id)
) with (fillfactor = 80);

-- The application that had the mirrored card made, until the card is activated.
alter table holder add column card_app uuid;
alter table holder add column made_app uuid;
alter table holder add column tcard_app uuid;

-- Notices are found by their number.
create index application_notice_no on application (notice_no) where notice_no is not null;
