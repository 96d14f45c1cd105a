-- Numbers of the papers of supplements and withdrawals; production keeps the papers themselves.
alter table command add column voucher_no text;
alter table command add column notice_no text;
