-- $1 part, $2 id: arrays.
delete from work w using unnest($1::smallint[], $2::uuid[]) v(part, id)
where w.part = v.part and w.id = v.id
