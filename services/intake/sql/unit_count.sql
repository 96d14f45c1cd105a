-- People enrolled with a unit by a day, and how many lack an accepted application or a card.
-- $1 unit_code text, $2 day integer, $3 enrolment smallint: active, $4 state smallint: accepted,
-- $5 integer: bits of the states in which there is a card
-- Columns, as text: enrolled, missing
select count(*) as enrolled, count(*) filter (where not (
        (permanent_app is not null and permanent_state >= $4::smallint)
        or 1 << card_state::integer & $5::integer <> 0
        or 1 << made_state::integer & $5::integer <> 0)) as missing
from holder
where unit_code = $1::text and unit_code > '' and unit_since <= $2::integer
  and enrolment = $3::smallint and alias_of is null
