-- Vouchers and one-time notices are found by their number.
create index operation_voucher_no on operation (voucher_no) where voucher_no is not null;
create index operation_notice_no on operation (notice_no) where notice_no is not null;

-- Who signed the voucher of an operation; id = operation_id, the first signature counts.
create table signature (
    part smallint not null,
    id uuid not null,
    signer bytea,     -- sealed
    role text,
    method text,
    staff_id text,
    signed_at bigint not null default 0,
    primary key (part, id)
);
