-- The latest day for which an ordinary card is promised: while it is to come, ordinary cards wait.
alter table bank add column last_ordinary integer not null default 0;
update bank set last_ordinary = full_before;
