-- An application by its id, wherever its holder's shard is.
-- $1 uuid application id, $2 integer partitions
-- Columns: part, id and those of `application`; promised_on, state_now, ended_at, activated_at: what
-- became of it since it was judged.
-- No row: not known, or not decided yet. Two rows: it moved to the right holder; the first is it.
select a.*,
    coalesce(e.state,
        case a.id when h.permanent_app then h.permanent_state
                  when h.temporary_app then h.temporary_state end, a.state) as state_now,
    coalesce(case a.id when h.permanent_app then h.permanent_promised_on
                  when h.temporary_app then h.temporary_promised_on end, 0) as promised_on,
    coalesce(e.at, 0) as ended_at, coalesce(e.activated_at, 0) as activated_at
from application a
left join application_end e on e.part = a.part and e.id = a.id
left join holder h on h.part = a.part and h.key = a.holder
where a.part = any (array(select generate_series(0, $2::integer - 1))::smallint[])
  and a.id = $1::uuid
order by a.moved_to is not null
limit 1
