-- A holder whose document has changed: operations under the new reference go to the first.
alter table holder add column alias_of bytea;
alter table holder add column alias_part smallint not null default 0;
-- 1 + the partition of the first reference, where such an operation is answered; 0: here.
alter table operation add column moved_to integer not null default 0;
