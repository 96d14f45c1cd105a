-- The keys that wait for a person. $1 part smallint.
select distinct topic, key from parked where part = $1::smallint
