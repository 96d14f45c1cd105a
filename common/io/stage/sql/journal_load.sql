-- Rows the log may not have: $1 part smallint, $2 acknowledged up to bigint.
select seq, messages from journal where part = $1 and seq > $2 order by seq
