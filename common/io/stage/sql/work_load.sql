-- $1 part smallint, $2 ids uuid[].
select id, kind, key, due, attempt, args from work where part = $1::smallint and id = any ($2::uuid[])
