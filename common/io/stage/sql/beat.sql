-- A replica says that it lives. A beat that comes late starts its steadiness anew.
-- $1 replica uuid, $2 timeout in ms int. One row.
insert into member (replica, seen_at) values ($1, now())
on conflict (replica) do update set
    seen_at = now(),
    steady_since = case when member.seen_at < now() - $2::int * interval '1 ms' then now()
                        else member.steady_since end
