-- The application with this one-time notice.
-- $1 notice_no text
-- Columns as in application.sql. No row: not known; or a later notice took its place.
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
where a.notice_no = $1 and a.moved_to is null
limit 1
