-- $1 part, $2 id: arrays. Rows are found one by one in a subselect, which goes by the primary key: for
-- a join the planner reads the whole table for each row, if it was empty when last looked at.
delete from work where ctid = any (array(
    select (select w.ctid from work w where w.part = v.part and w.id = v.id)
    from unnest($1::smallint[], $2::uuid[]) v(part, id)))
