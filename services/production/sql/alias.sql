-- Has that holder's document changed from this one?
-- $1 part smallint and $2 key bytea: of the newer reference; $3 bytea: the first
-- Columns: 1; no row: nobody has said so
select 1 from holder where part = $1 and key = $2 and alias_of = $3
