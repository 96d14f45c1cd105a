-- Promised days of both lanes (services/production/rules_promise.c): no day before full_before takes
-- another card; days holds 12 bytes for each later one (day, ordinary and priority cards).
alter table bank add column full_before integer not null default 0;
alter table bank add column days bytea;
alter table bank add column asked_on integer not null default 0;
alter table bank add column asked integer not null default 0;
alter table bank add column asked_before integer not null default 0;
-- Until now one day filled up after the other; promised_on and promised are not used any more.
update bank set full_before = promised_on,
    days = case when promised > 0 then int4send(promised_on) || int4send(promised) || int4send(0) end;
