-- Deletes some claims older than $1 bigint (ms), so that no statement takes long.
delete from request where ctid = any (array(select ctid from request where at < $1 limit 1000))
