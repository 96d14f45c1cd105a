-- Which rows the agent named, with '|' between; null: the whole list.
alter table collection add column rows text;
