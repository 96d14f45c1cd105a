-- How each line of a batch has ended, one byte a line: 0 not yet, then enum production_line_end.
-- 255: a line of before this column, of which only the totals tell.
alter table batch add column ends bytea;
update batch set ends = decode(repeat('ff', lines), 'hex');
