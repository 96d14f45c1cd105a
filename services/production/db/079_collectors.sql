-- Who took the cards of a unit's list (operation collect); sealed.
alter table operation add column collector bytea;
