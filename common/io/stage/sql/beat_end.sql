-- A replica that ends in order is not counted as living any more; nor are those long gone.
-- $1 replica uuid.
delete from member where replica = $1 or seen_at < now() - interval '1 day'
