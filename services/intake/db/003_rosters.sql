-- Bytes of the file, so that rows.csv can read it again in pieces. Rosters of before have 0, and an
-- empty rows.csv.
alter table roster add column size bigint not null default 0;

-- The papers that came with the list, for those that refer to them later; the agent is sealed.
alter table roster add column introduction_letter_no text;
alter table roster add column id_copies_held boolean not null default false;
alter table roster add column agent bytea;

-- Reasons of notices that its application had after the row got its outcome, '|' between.
alter table roster_row add column notices text;
