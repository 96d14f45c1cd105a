-- When the submission or its last supplement came; 0: of before this was kept. How old it may be is
-- counted from then, however late it is judged.
alter table application add column received_at bigint not null default 0;
