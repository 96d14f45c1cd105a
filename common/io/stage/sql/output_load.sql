-- $1 part smallint.
select topic, last_no, acked_no, acked_offset from output where part = $1::smallint
