"""A new unit's month by the test clock: marks while somebody is missing, the list of overdue units.

On a stack of its own: a shard's time never goes back. The simulated bank is silent: it has the machine's
clock, and what it answers would move the time of a shard on to today."""

import pytest
from harness.client import Client
from harness.people import personal_values
from harness.program import wait_until
from harness.topics import Topics

REGISTERED, DUE = "2026-03-02", "2026-03-31"


@pytest.fixture
def march(make_stack):
    stack = make_stack(services=["intake", "photo-fetch", "production", "inquiry"])
    stack.simulators["bank"].behave(off=True)
    stack.set_clock(now=f"{REGISTERED}T09:00:00+08:00")
    return stack


def register(client, unit_code, date=REGISTERED, revision=1):
    answer = client.api("intake", "upstream").post("/v1/unit-events", {
        "type": "unit_registered", "unit_code": unit_code, "kind": "employer", "date": date,
        "banks": ["B01"], "revision": revision})
    assert answer.status in (200, 202), answer


def unit(client, unit_code):
    answer = client.api("intake", "unit").get(f"/v1/units/{unit_code}")
    return answer.json if answer.status == 200 else {}


def overdue(client, **query):
    words = "".join(f"&{name}={value}" for name, value in query.items())
    answer = client.api("intake", "unit").get(f"/v1/units?overdue=true{words}")
    assert answer.status == 200, answer
    return answer.json


def people_of(client, unit_code):
    people = unit(client, unit_code).get("people") or {}
    return people.get("enrolled"), people.get("missing")


def notices(topics):
    """{unit_code: [(what, silent, enrolled, missing)]}"""
    found, notice = {}, topics.messages.unit.UnitNotice
    for record in topics.read("unit.notices"):
        said = notice.FromString(record.value)
        assert record.key == f"unit:{said.unit_code}".encode()
        found.setdefault(said.unit_code, []).append(
            (said.what, said.silent, said.enrolled, said.missing))
    return found


def test_a_unit_is_warned_and_overdue_until_all_its_people_have_applied(march, people):
    client, topics = Client(march), Topics(march.info())
    first, second, third, other = (people.resident() for _ in range(4))
    for code in ("U-late", "U-good", "U-empty"):
        register(client, code)
    client.enrol(first, second, third, unit_code="U-late")
    client.enrol(other, unit_code="U-good")
    wait_until("three people, none with a card", 20,
               lambda: people_of(client, "U-late") == (3, 3), 0.1)
    told = unit(client, "U-late")
    assert (told["kind"], told["registered_on"]) == ("employer", REGISTERED)
    assert told["deadline"] == {"due_on": DUE, "provisional": False, "marks": [], "met_on": None}
    for person in (first, other):
        answer = client.apply(person)
        assert answer.json["outcome"] == "accepted", answer
    client.import_card(second)
    wait_until("an application and a card count", 20,
               lambda: people_of(client, "U-late") == (3, 1), 0.1)
    assert people_of(client, "U-good") == (1, 0) and people_of(client, "U-empty") == (0, 0)
    for day, marks in [("2026-03-24", ["warned_5"]), ("2026-03-27", ["warned_5", "warned_2"])]:
        march.set_clock(now=f"{day}T00:01:00+08:00")
        wait_until(f"marks {marks}", 20,
                   lambda: unit(client, "U-late")["deadline"]["marks"] == marks,  # noqa: B023
                   0.1)
    assert overdue(client)["units"] == []
    # Nothing on the last day; who comes after it is not this month's.
    march.set_clock(now=f"{DUE}T23:00:00+08:00")
    register(client, "U-april", "2026-04-01")
    wait_until("the unit of April", 20, lambda: unit(client, "U-april"), 0.1)
    assert unit(client, "U-late")["deadline"]["marks"] == ["warned_5", "warned_2"]
    march.set_clock(now="2026-04-01T00:01:00+08:00")
    late = people.resident()
    client.enrol(late, unit_code="U-late")
    wait_until("overdue", 20, lambda: [row["unit_code"] for row in overdue(client)["units"]] ==
               ["U-late"], 0.1)
    answer = overdue(client)
    row, = answer["units"]
    assert (row["deadline"]["marks"], row["people"]["enrolled"], row["people"]["missing"]) == \
        (["warned_5", "warned_2", "overdue"], 3, 1)
    assert answer["next_after"] is None and overdue(client, limit=1)["next_after"] == "U-late"
    assert overdue(client, after="U-late")["units"] == []
    for person in (first, second, third, late):
        assert not any(value in str(answer) for value in personal_values(person))
    client.settle()
    assert people_of(client, "U-late") == (3, 1)
    answer = client.apply(third)
    assert answer.json["outcome"] == "accepted", answer
    march.set_clock(now="2026-04-02T00:01:00+08:00")
    wait_until("nobody is overdue", 20, lambda: not overdue(client)["units"], 0.1)
    assert unit(client, "U-late")["deadline"]["met_on"] == "2026-04-02"
    assert notices(topics) == {
        "U-late": [("warned_5", False, 3, 1), ("warned_2", False, 3, 1), ("overdue", False, 3, 1),
                   ("met", False, 3, 0)],
        "U-good": [("met", True, 1, 0)], "U-empty": [("met", True, 0, 0)]}
    topics.close()


def test_questions_about_units_are_checked(client):
    assert client.api("intake", "bank_outlet").get("/v1/units?overdue=true").status == 403
    api = client.api("intake", "unit")
    assert api.get("/v1/units/U-nobody-knows").status == 404
    assert api.get("/v1/units/" + "x" * 80).status == 404
    for query, field in [("", "overdue"), ("?overdue=false", "overdue"),
                         ("?overdue=true&limit=0", "limit"), ("?overdue=true&limit=501", "limit"),
                         ("?overdue=true&limit=x", "limit"),
                         ("?overdue=true&after=" + "x" * 80, "after")]:
        answer = api.get(f"/v1/units{query}")
        assert (answer.status, answer.json["errors"][0]["field"]) == (400, field), answer
