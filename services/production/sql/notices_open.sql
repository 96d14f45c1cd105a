-- Notices to banks that wait to be acknowledged, and cards that wait for a person, of all shards.
-- $1 bigint, now in ms since the epoch
-- Columns, as text: how many, how many of them overdue, age of the oldest in ms (0: none);
-- how many cards wait, age of the oldest in ms
select n.*, g.*
from (select count(*), count(*) filter (where overdue_at > 0),
          coalesce($1::bigint - min(told_at), 0)
      from card_notice where acknowledged_at = 0) n,
     (select count(*), coalesce($1::bigint - min(since), 0) from given_up where waits = 1) g
