-- Deletes operations made before $1, with their signatures, and notices that banks acknowledged; as
-- many as 500 of each at a time, so that no transaction is long. What another replica has in hand is left to it.
-- $1 bigint, ms since the epoch
-- Columns, binary: bigint, how many; boolean, may be more
with old as (
    select part, id from operation where at < $1::bigint order by at limit 500
    for update skip locked
), signatures as (
    delete from signature s using old where s.part = old.part and s.id = old.id
), notices as (
    delete from card_notice where ctid = any (array(
        select ctid from card_notice where acknowledged_at > 0 and told_at < $1::bigint
        order by told_at limit 500 for update skip locked))
    returning 1
), settled as (
    delete from given_up where ctid = any (array(
        select ctid from given_up where waits = 0 and since < $1::bigint
        order by since limit 500 for update skip locked))
    returning 1
), gone as (
    delete from operation o using old where o.part = old.part and o.id = old.id
    returning 1
)
select (select count(*) from gone) + (select count(*) from notices) + (select count(*) from settled),
    500 in ((select count(*) from gone), (select count(*) from notices),
            (select count(*) from settled))
