-- A page of what falls due, for the front of the shard's owner.
-- $1 part smallint, $2 after due bigint, $3 and after id uuid, $4 until bigint, $5 rows int.
select id, kind, key, due, attempt, args, pieces from work
where part::int = $1::smallint::int and due >= $2 and (due, id) > ($2, $3) and due <= $4
order by due, id
limit $5::int
