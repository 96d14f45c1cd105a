-- The operation with this voucher.
-- $1 voucher_no text
-- Columns, as text: operation, result, reasons, card_no, card_state, voucher_no, notice_no, channel,
-- at, id, holder (hexadecimal), and of the signature role, method, signed_at; no row: no such number
select o.operation, o.result, o.reasons, o.card_no, o.card_state, o.voucher_no, o.notice_no,
    o.channel, o.at, o.id, encode(coalesce(o.holder, i.holder), 'hex'), s.role, s.method, s.signed_at
from operation o
left join issued i on i.card_no = o.card_no
left join signature s on s.part = o.part and s.id = o.id
where o.voucher_no = $1
