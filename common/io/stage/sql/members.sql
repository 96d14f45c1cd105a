-- How the shards stand, seen by one replica.
-- $1 replica uuid, $2 timeout in ms int.
-- alive: living replicas; rank: of this one among them, -1 when it does not count as living;
-- steady: may it take shards?
with living as (
    select replica, row_number() over (order by replica) - 1 as rank,
           steady_since <= now() - $2::int * interval '1 ms' as steady
    from member where seen_at > now() - $2::int * interval '1 ms'
)
select count(*)::int as alive,
       coalesce((select rank from living where replica = $1), -1)::int as rank,
       coalesce((select steady from living where replica = $1), false) as steady
from living
