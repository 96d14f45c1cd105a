-- Whose card is it?
-- $1 card_no text
-- Columns: holder bytea (the key); no row: no such card
select holder from issued where card_no = $1
