-- The day promised by the bank, while the application is open.
alter table holder add column permanent_promised_on integer not null default 0;
alter table holder add column temporary_promised_on integer not null default 0;
