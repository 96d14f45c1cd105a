-- Vouchers without a signature, the oldest first.
-- $1 channels text[], null: all; $2 outlet text, null: all; $3 at bigint and $4 voucher_no text
-- after which; $5 integer limit
-- Columns, as text: voucher_no, operation, channel, outlet, card_no, at
select o.voucher_no, o.operation, o.channel, o.outlet, o.card_no, o.at
from operation o
where o.voucher_no is not null and not o.signed
  and (o.at, o.voucher_no) > ($3::bigint, $4::text)
  and ($1::text[] is null or o.channel = any ($1::text[]))
  and ($2::text is null or o.outlet = $2::text)
order by o.at, o.voucher_no
limit $5::integer
