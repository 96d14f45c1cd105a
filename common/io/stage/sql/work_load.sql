-- $1 part smallint, $2 ids uuid[]. Found one by one, see work_drop.sql.
select id, kind, key, due, attempt, args, pieces from work where ctid = any (array(
    select (select w.ctid from work w where w.part = $1::smallint and w.id = v.id)
    from unnest($2::uuid[]) v(id)))
