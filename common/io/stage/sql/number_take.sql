-- A block of numbers: $1 kind text, $2 scope text, $3 how many bigint. The first of the block.
insert into number_block as b (kind, scope, next) values ($1::text, $2::text, 1 + $3::bigint)
on conflict (kind, scope) do update set next = b.next + $3::bigint
returning next - $3::bigint
