-- A holder's row has one place for the permanent card in use. A card that is activated moves there
-- and cancels the one before; beside it, nothing may be in use.
alter table holder add constraint one_usable_card
    check (made_state not in ('normal', 'app_locked')) not valid;
alter table holder validate constraint one_usable_card;
