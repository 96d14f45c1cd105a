-- Deletes operations made before $1, with their signatures; as many as 500 at a time, so that no
-- transaction is long. What another replica has in hand is left to it.
-- $1 bigint, ms since the epoch
-- Columns: how many
with old as (
    select part, id from operation where at < $1::bigint order by at limit 500
    for update skip locked
), signatures as (
    delete from signature s using old where s.part = old.part and s.id = old.id
), gone as (
    delete from operation o using old where o.part = old.part and o.id = old.id
    returning 1
)
select count(*) from gone
