-- Cards that wait for a person, of all shards, the oldest first.
-- $1 bank text, null: all; $2 since bigint and $3 id uuid after which; $4 integer limit
-- Columns, as text: id, holder (hexadecimal), bank, outlet, reason, since
select id, encode(holder, 'hex'), bank, outlet, reason, since
from given_up
where waits = 1 and ($1::text is null or bank = $1::text) and (since, id) > ($2::bigint, $3::uuid)
order by since, id
limit $4::integer
