-- Which vouchers wait for a signature, where they were made, and when papers may go.
alter table operation add column outlet text;
-- Set by the trigger below, never by the service: a signature is written once and costs no load.
alter table operation add column signed boolean not null default false;
update operation o set signed = true
from signature s where s.part = o.part and s.id = o.id;

create function operation_is_signed() returns trigger language plpgsql as $$
begin
    update operation set signed = true where part = new.part and id = new.id;
    return null;
end $$;
create trigger signature_of_operation after insert on signature
    for each row execute function operation_is_signed();

-- Small: a voucher leaves it when it is signed.
create index operation_unsigned on operation (at, voucher_no)
    where voucher_no is not null and not signed;
create index operation_at on operation (at);
