-- A holder's cards are columns of one row, so the row itself can say that of each kind at most one is
-- usable (normal, app_locked, temporary_loss): a card that is activated and the one that it cancels
-- change in the same row. The states of temporary cards are copies of what stands packed in
-- `temporary`, for this and for who looks; in rows of before they come with the next step.
alter table holder add column temporary_made_state text;
alter table holder add column temporary_card_state text;
alter table holder add constraint one_usable_permanent_card
    check (not (made_state in ('normal', 'app_locked', 'temporary_loss')
                and card_state in ('normal', 'app_locked', 'temporary_loss'))) not valid;
alter table holder validate constraint one_usable_permanent_card;
alter table holder add constraint one_usable_temporary_card
    check (not (temporary_made_state in ('normal', 'app_locked', 'temporary_loss')
                and temporary_card_state in ('normal', 'app_locked', 'temporary_loss')));
