"""Partners that contradict themselves or answer what is no answer: police, bank and SMS gateway."""

import collections
import contextlib
import itertools
import json
import uuid

from harness.api import Api
from harness.program import wait_until
from liar import OF_ANYBODY, Liar, response

COUNT = 200


# Lies of the police gateway. Of somebody's photo: without a photo there would be no lie.
def absent_without_a_word(_status, _kind, _body):
    return response(404, "text/html", b"<html>404</html>")


def absent_for_no_known_reason(_status, _kind, _body):
    return response(404, "application/json", b'{"code": "melted"}')


def absent_in_the_wrong_type(_status, _kind, _body):
    return response(404, "application/json", b'{"code": ["no_photo"]}')


OF_POLICE = (*OF_ANYBODY, absent_without_a_word, absent_for_no_known_reason,
             absent_in_the_wrong_type)


# Lies of the SMS gateway, which has taken every message of the call.
def as_json(items):
    return response(200, "application/json", json.dumps(items).encode())


def no_items(_status, _kind, _body):
    return as_json([])


def no_list(_status, _kind, _body):
    return as_json({"status": "accepted"})


def strangers_are_rejected(_status, _kind, body):
    """Before each true item one of a message that nobody sent."""
    strangers = [{"id": str(uuid.uuid4()), "status": "rejected", "reason": "x"}
                 for _ in json.loads(body)]
    return as_json(list(itertools.chain(*zip(strangers, json.loads(body)))))


def backwards(_status, _kind, body):
    return as_json(json.loads(body)[::-1])


def first_yes_then_no(_status, _kind, body):
    items = json.loads(body)
    return as_json(items + [{**item, "status": "rejected", "reason": "x"} for item in items])


def words_of_nobody(_status, _kind, body):
    return as_json([{**item, "status": "ACCEPTED"} for item in json.loads(body)])


def wrong_types(_status, _kind, body):
    return as_json([{"id": 5, "status": {}}, None, [[]], 7, *[
        {**item, "status": None} for item in json.loads(body)]])


def only_every_second(_status, _kind, body):
    return as_json(json.loads(body)[::2])


OF_SMS = (*OF_ANYBODY, no_items, no_list, strangers_are_rejected, backwards, first_yes_then_no,
          words_of_nobody, wrong_types, only_every_second)


@contextlib.contextmanager
def lied_to(world, service, setting, partner, lies):
    """A service that asks the liar instead of its partner."""
    service, own = world.stack.service(service), world.stack.simulators[partner].http
    with Liar(own, lies) as liar:
        try:
            service.settings[setting] = liar.url
            service.restart()
            yield liar
        finally:
            service.settings[setting] = own
            service.restart()


def test_police_and_sms_gateway_lie_every_second_time(world):
    with lied_to(world, "photo-fetch", "police.url", "police", OF_POLICE) as police, \
            lied_to(world, "notification", "sms.url", "sms", OF_SMS) as sms:
        with world.load(rate=150, count=COUNT):
            pass
        world.reckon()
    assert police.told.keys() == {lie.__name__ for lie in OF_POLICE}
    assert sms.told.keys() == {lie.__name__ for lie in OF_SMS}
    world.tell(f"{police.told.total()} lies of the police gateway, {sms.told.total()} of the SMS "
               "gateway")


# Lies of the bank: (what is sent, what becomes of it). All cards are on their way to the outlet;
# each lie is about one of them, and the true answers come afterwards.
BANK_LIES = {
    "another bank": ({"step": "arrived", "bank_code": "B02"}, "parked"),
    "another's card": ({"step": "arrived", "card_no": None}, "parked"),
    "no account for a card that is made": ({"step": "account_failed"}, "parked"),
    "an application of nobody": ({"step": "arrived", "application_id": None}, "parked"),
    "no such step": ({"step": "melted"}, "dead_letters"),
    "collected before it has arrived": ({"step": "collected"}, None),
    "a fee": ({"step": "produced", "fee_cents": 2000}, None),
    "made twice": ({"step": "produced"}, None),
}
EACH = 20  # applications that a lie is told about


def ordered_since(world, count):
    """[(application, its card's number)] of the lines ordered after so many."""
    world.audit.read()
    lines = list(world.audit.applications.lines.items())[count:]
    return [(str(uuid.UUID(bytes=app)), number) for number, (app, _, _) in lines]


def make_lie(sent, app, of_another):
    body = {"application_id": app, **sent}
    if body["application_id"] is None:
        body.update(application_id=str(uuid.uuid4()), routing_key=uuid.uuid4().hex,
                    card_no=of_another, bank_code="B01")
    elif "card_no" in body:
        body["card_no"] = of_another
    return body


def tell_lies(bank, lines):
    """Each kind about people of its own; how many must be parked and dead letters."""
    told, refused = [], collections.Counter()
    for n, (sent, kept_as) in enumerate(BANK_LIES.values()):
        for at in range(n * EACH, (n + 1) * EACH):
            told.append(make_lie(sent, lines[at][0], lines[at - EACH][1]))
            if kept_as:
                refused[kept_as] += 1
    answer = Api(bank.http, None).post("/sim/answers", told)
    assert answer.status == 202, answer
    return refused


def seen_refused(world):
    found = world.audit.look()
    return all(found[kind] == count for kind, count in world.refused.items())


def test_the_bank_contradicts_itself(world):
    """What does not fit is kept for a person, and does not keep the truth from counting, although
    it has the same id."""
    bank = world.stack.simulators["bank"]
    world.audit.read()
    before = len(world.audit.applications.lines)
    bank.behave(hold_after="shipped")
    try:
        with world.load(rate=300, count=COUNT):
            wait_until("all cards are on their way", 60, lambda: world.audit.tables.one(
                "select count(*) from production.holder where app_state = 'shipped'") == COUNT,
                0.2)
            refused = tell_lies(bank, ordered_since(world, before))
            world.refused += refused
            wait_until("the lies are refused", 20, lambda: seen_refused(world), 0.2)
            bank.behave(hold_after=None)
    finally:
        bank.behave(hold_after=None)
    world.reckon()
    world.tell(f"{EACH * len(BANK_LIES)} lies: {dict(refused)}")
