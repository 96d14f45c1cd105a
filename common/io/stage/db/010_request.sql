-- Writes that clients have asked for; see common/io/request.h. Rows are inserted and, after 7 days,
-- deleted; never changed. Keyed by the client, not by a shard: stays in the first database.
create table request (
    client text not null,
    key_hash bytea not null,  -- 16 bytes, keyed, of client and Idempotency-Key
    body_hash bytea not null, -- 32 bytes, keyed, of the canonical content
    id uuid not null,
    at bigint not null,       -- ms since the epoch
    primary key (client, key_hash)
);
create index request_at on request using brin (at) with (autosummarize = on);
