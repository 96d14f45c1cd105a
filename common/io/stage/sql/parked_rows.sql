-- The first records parked under a key, in their order, at most 16 MiB and one record more.
-- $1 part smallint, $2 topic text, $3 key bytea, $4 most rows int.
-- log_offset, index, record, number of all rows of the key. No rows: nothing is parked.
select log_offset, index, record, total
from (select log_offset, index, record, total,
             sum(length(record)) over (order by log_offset, index) as bytes
      from (select log_offset, index, record, count(*) over () as total
            from parked
            where part = $1::smallint and topic = $2::text and key = $3::bytea
            order by log_offset, index
            limit $4::int) first_rows) summed
where bytes - length(record) < 16777216
order by log_offset, index
