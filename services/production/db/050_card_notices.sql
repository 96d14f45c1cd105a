-- What a bank was told of a card, and whether it has said that it heard it; id = notice_id.
create table card_notice (
    part smallint not null,
    id uuid not null,
    holder bytea,
    bank text,
    card_no text,
    what text,        -- loss, released, locked, unlocked, changed, activated, cancelled, death,
                      -- bank_change, void_card
    told_at bigint not null default 0,
    again_at bigint not null default 0,
    overdue_at bigint not null default 0,      -- a loss that was not acknowledged in time
    acknowledged_at bigint not null default 0,
    sent integer not null default 0,           -- times
    primary key (part, id)
) with (fillfactor = 70);

-- Small: a notice leaves it when it is acknowledged.
create index card_notice_open on card_notice (told_at) where acknowledged_at = 0;
create index card_notice_told on card_notice (told_at) where acknowledged_at > 0;
