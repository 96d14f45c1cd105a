-- Whose application is it that a person had to look at?
-- $1 id uuid
-- Columns: holder bytea (the key); no row: it never waited for one
select holder from given_up where id = $1::uuid limit 1
