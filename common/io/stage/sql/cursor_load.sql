-- $1 part smallint.
select topic, last_offset, last_hash, last_no from cursor where part = $1::smallint
