-- Whose paper it is, where no card tells: of withdrawals and supplements.
alter table operation add column holder bytea;
