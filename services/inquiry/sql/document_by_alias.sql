-- The document of the holder to whom an alias leads.
-- $1 uuid alias, $2 smallint[] all parts
-- Columns: key, version, as_of, intake, photo, production, complaint,
-- past bytea (section with an application that had to make room, or null).
-- No row: not known, or not yet. An application that has moved to the right holder has two rows of
-- alias: the newer one counts.
select d.key, d.version, d.as_of, d.intake, d.photo, d.production, d.complaint,
       a.past
from alias a
join document d on d.part = a.part and d.key = a.holder
where a.part = any ($2::smallint[]) and a.id = $1::uuid
order by a.at desc, a.part
limit 1
