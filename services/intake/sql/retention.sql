-- Deletes applications that ended before $1, with their receipts, notices and papers, and one list
-- whose applications have all ended; as many as 500 rows of each at a time, so that no transaction is
-- long. What another replica has in hand is left to it.
-- $1 bigint, ms since the epoch; $2 smallint[] states that are ends
-- Columns, binary: bigint, how many applications, rows of lists and lists; boolean, may be more
with old as (
    select a.part, a.id from application a
    where a.judged_at < $1::bigint and a.submitted_at < $1::bigint
      and (a.moved_to is not null or a.state = any ($2::smallint[]) or exists (
          select 1 from application_end e
          where e.part = a.part and e.id = a.id and e.state = any ($2::smallint[])
            and e.at < $1::bigint and e.activated_at < $1::bigint))
      -- Not while the card it made may still be activated.
      and not exists (
          select 1 from holder h where h.part = a.part and h.key = a.holder and a.id in (
              h.permanent_app, h.temporary_app, h.card_app, h.made_app, h.tcard_app))
    limit 500 for update of a skip locked
), ends as (
    delete from application_end e using old where e.part = old.part and e.id = old.id
), commands as (
    delete from command c using old where c.part = old.part and c.application_id = old.id
), applications as (
    delete from application a using old where a.part = old.part and a.id = old.id returning 1
), list as (
    -- A roster's key is "roster:" and its id.
    select part, key, split_part(convert_from(key, 'UTF8'), ':', 2)::uuid as id from roster
    where opened_at < $1::bigint and in_received + in_noticed + in_accepted + in_ready = 0
    limit 1 for update skip locked
), rows as (
    delete from roster_row where ctid = any (array(
        select r.ctid from roster_row r join list on r.part = list.part and r.roster_id = list.id
        limit 500 for update of r skip locked))
    returning 1
), rowless as (
    select list.* from list where (
        select count(*) from (
            select 1 from roster_row r where r.part = list.part and r.roster_id = list.id
            limit 501) as rest) <= (select count(*) from rows)
), files as (
    delete from roster_file f using rowless l where f.part = l.part and f.roster_id = l.id
), collections as (
    delete from collection c using rowless l where c.part = l.part and c.roster_id = l.id
), lists as (
    delete from roster r using rowless l where r.part = l.part and r.key = l.key returning 1
)
select (select count(*) from applications) + (select count(*) from rows) + (select count(*) from lists),
    (select count(*) from applications) = 500 or exists (select 1 from list)
