-- Bytes of the file, so that rows.csv can read it again in pieces. Rosters of before have 0, and an
-- empty rows.csv.
alter table roster add column size bigint not null default 0;
