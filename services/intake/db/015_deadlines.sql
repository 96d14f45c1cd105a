-- Working days in all, after an extension; 0: none.
alter table application add column working_days integer not null default 0;
