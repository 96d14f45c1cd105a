"""All numbers of the area are taken: nothing is made and nothing is lost, until another letter is
taken up. On a stack of its own, whose block of card numbers stands where ten million cards put it."""

import datetime

import psycopg
import pytest
from harness.client import Client
from harness.ends import EAST
from harness.fixtures import running
from harness.machines import Holder, all_of
from harness.stack import Config
from harness.topics import Topics
from test_state_edges import DIED, LEFT, walk, withdraw
from test_state_pairs import STEPS, none_wrong, parked, refusal

SERIALS = 10_000_000  # of one letter
COUNTED = 'cardflow_stage_events_total{what="number_range_exhausted"}'


@pytest.fixture(scope="module")
def empty(build_dir):
    settings = {"production": {"batch_wait_ms": "100ms", "card_area_letters": "B"}}
    with running("numbers", Config(
            build=str(build_dir), simulators=["police"], settings=settings,
            services=["intake", "photo-fetch", "production", "inquiry"])) as stack:
        with psycopg.connect(stack.info()["postgres"]["production"]) as link:
            link.execute("insert into number_block (kind, scope, next) values ('card', '-', %s)",
                         (SERIALS,))
        yield stack


@pytest.fixture(scope="module")
def opened_topics(empty):
    topics = Topics(empty.info())
    yield topics
    topics.close()


def asked(h):
    """For a temporary card, which waits for a number."""
    h.apply(kind="temporary")
    h.client.settle("production")
    assert (h.state(), h.cards(temporary=True)) == ("accepted", [])


WAITING = {
    "accepted withdraw withdrawn": walk(asked, withdraw, "withdrawn"),
    "accepted close closed": walk(asked, Holder.leave, "closed", LEFT),
    "accepted die closed": walk(asked, Holder.die, "closed", DIED),
}


@pytest.fixture(scope="module")
def ended(empty, people):
    client = Client(empty)

    def one(run):
        h = Holder(client, people.resident())
        return lambda: run(h)

    return all_of({edge: one(run) for edge, run in WAITING.items()})


@pytest.mark.parametrize("edge", WAITING)
def test_a_temporary_card_that_waits_for_a_number_ends(ended, edge):
    if ended[edge]:
        raise ended[edge]


# As in test_state_pairs.py; what waits is in the next test.
ANSWERS = dict(zip(STEPS, "PPPPPPw", strict=True))


@pytest.fixture(scope="module")
def answered(empty, people, opened_topics):
    """{step: how many records are parked} of holders of their own, and the state they are in."""
    client, found = Client(empty), {}

    def one(step):
        h = Holder(client, people.resident())

        def run():
            asked(h)
            h.bank(step)
            client.settle("production")
            client.settle("inquiry")
            found[step] = (parked(empty.info(), opened_topics.holder_ref, h.person), h.state())
        return run

    none_wrong(all_of({step: one(step) for step in ANSWERS}))
    return found


@pytest.mark.parametrize("step", ANSWERS)
def test_an_answer_about_a_card_that_waits_for_a_number_changes_nothing(answered, step):
    assert answered[step] == (ANSWERS[step] == "P", "accepted")


def test_a_command_about_a_card_that_waits_for_a_number_is_refused(empty, people):
    h = Holder(Client(empty), people.resident())
    asked(h)
    assert refusal(h.supplement(address="elsewhere")) == "illegal_in_state"
    assert refusal(h.upload()) == "not_yet_known"
    assert h.state() == "accepted"


def counted(stack):
    return stack.service("production").metrics().get(COUNTED, 0)


def test_what_waits_for_a_number_goes_on_when_a_letter_is_added(empty, ended, people):
    client = Client(empty)
    temporary, first = (Holder(client, people.resident()) for _ in range(2))
    asked(temporary)
    temporary.bank("collected")  # before there is a card: it waits as well
    first.apply()
    first.at("photo_ready")
    client.settle("production")
    assert (temporary.state(), first.state()) == ("accepted", "photo_ready")
    assert counted(empty) >= len(WAITING) + 2
    # A card of before that comes without a number cannot get one.
    old = Holder(client, people.resident())
    old.enrol()
    refused = old.post("production", "migration", "/v1/card-operations", {
        "operation": "import_card", "channel": "upstream", "bank_code": "B01", "state": "normal",
        "holder": old.document, "issued_on": "2020-01-02", "has_photo": True}, 20)
    assert [reason["code"] for reason in refused["reasons"]] == ["number_range_exhausted"], refused
    production = empty.service("production")
    production.settings["card_area_letters"] = "BC"
    later = datetime.datetime.now(EAST) + datetime.timedelta(minutes=2)  # it looks once a minute
    production.more_env = {"CARDFLOW_TEST_CLOCK": later.isoformat(timespec="seconds")}
    empty.restart("production")
    temporary.at("collected")
    temporary.has_cards("sealed", temporary=True)
    assert client.outcome(temporary.app)["card_no"].startswith("C")
    first.at("batched")
    with psycopg.connect(empty.info()["postgres"]["production"]) as link:
        numbers = [row[0] for row in link.execute("select card_no from issued").fetchall()]
    assert len(numbers) >= 2 and all(no.startswith("C") for no in numbers), numbers
    assert counted(empty) == 0
