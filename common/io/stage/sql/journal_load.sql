-- Rows the log may not have: $1 part smallint, $2 acknowledged up to bigint.
select seq, messages from journal where part = $1::smallint and seq > $2::bigint order by seq
