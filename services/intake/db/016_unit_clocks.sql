-- The clock of a new unit; counts are of the last time its people were counted.
alter table unit add column due_on integer not null default 0;
alter table unit add column heard_on integer not null default 0;
alter table unit add column passed smallint not null default 0;
alter table unit add column marks smallint not null default 0;
alter table unit add column met_on integer not null default 0;
alter table unit add column enrolled integer not null default 0;
alter table unit add column missing integer not null default 0;
alter table unit add column counted_at bigint not null default 0;
alter table unit add column count_no integer not null default 0;
-- Bit 2: overdue. Small: a unit leaves it when nobody is missing.
create index unit_overdue on unit (key) where marks & 4 <> 0 and met_on = 0;

-- Since when a holder is enrolled with its unit. The unit's people are counted by this index; no
-- usual update of a holder touches it.
alter table holder add column unit_since integer not null default 0;
create index holder_unit on holder (unit_code) where unit_code > '';
