"""A person on a walk through an application and a card, and all that must be seen when it is over:
applications, cards, receipts, vouchers, refusals, messages to the holder and notices to banks, each
exactly, nothing missing and nothing more."""

import collections
import contextlib
import datetime
import functools
import uuid

from . import bank, notices, walks, workdays
from .client import Client
from .program import ProgramError, wait_until

EAST = datetime.timezone(datetime.timedelta(hours=8))
LEAD_DAYS = 3  # production's bank_lead_days: from the queue to the outlet
CODES = {"sealed": "0", "normal": "1", "formal_loss": "2", "app_locked": "3",
         "temporary_loss": "4", "cancelled": "9"}
FINANCIAL = {"normal": "active", "cancelled": "closed"}
ACTIVE = ("collected", "已激活")
REJECTED, WITHDRAWN = ("rejected", "不予受理"), ("withdrawn", "已撤销")
ISSUED = ["accepted", "ready_for_pickup", "collected", "activated"]  # what a new card is told by


def today():
    return datetime.datetime.now(EAST).date()


def passes_11_10(digits):
    """ISO 7064 MOD 11,10: is the last digit the check of those before it?"""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (product + int(digits[-1])) % 10 == 1


class Walk:
    """stack must have a service notification and its gateway, with no quiet hours."""

    def __init__(self, stack, topics, person):
        self.stack, self.topics, self.person = stack, topics, person
        self.client, self.info = Client(stack), stack.info()
        self.document = self.client.document(person)
        self.began = today()
        self.queued_on = None      # when that is another day, by the test clock
        self._origin = dict(person)  # with the first document, should it change

    @functools.cached_property
    def ref(self):
        """The canonical one: that of the first document."""
        first = self._origin
        return self.topics.holder_ref(first["document_type"], first["document_number"])

    # Steps.
    def apply(self, **fields):
        """The id of an application that must be accepted."""
        answer = self.client.apply(self.person, **fields)
        assert (answer.status, answer.json["outcome"]) == (200, "accepted"), answer
        return answer.json["application_id"]

    def at(self, application_id, state, label=None):
        return self.client.wait_for(application_id, state, label)

    def first_card(self, **fields):
        """The id of a first issue whose card is in use."""
        application_id = self.client.accepted(self.person, **fields)["application_id"]
        self.at(application_id, *ACTIVE)
        walks.wait_for_cards(self.client, self.person, ("permanent", "normal"))
        return application_id

    def imported(self, **fields):
        """A card of before cardflow; its number."""
        walks.import_card(self.client, self.person, **fields)
        return self.numbers()[0]

    def operate(self, operation, channel="bank_outlet", **fields):
        return walks.operate(self.client, self.person, operation, channel, **fields)

    def done(self, operation, *words, **fields):
        answer = self.operate(operation, *words, **fields)
        assert (answer.status, answer.json["result"]) == (200, "done"), answer
        return answer

    def refused(self, code, operation, *words, **fields):
        answer = self.operate(operation, *words, **fields)
        assert (answer.json["result"], walks.codes(answer)) == ("refused", [code]), answer
        return answer

    def renew(self, person):
        """The same person by another document."""
        self.person, self.document = person, self.client.document(person)

    def card(self, kind="permanent", state=None):
        """What the hotline sees of the one card of that kind (and state)."""
        found = [card for card in self.client.status(document=self.document)["cards"]
                 if card["kind"] == kind and state in (None, card["state"])]
        assert len(found) == 1, found
        return found[0]

    # What stands on Kafka.
    def events(self):
        event = self.topics.messages.card.CardEvent
        return [event.FromString(record.value) for record in self.topics.read("card.events")
                if record.key == self.ref]

    def numbers(self):
        """Of all cards that the holder was told of, the oldest first."""
        return list(dict.fromkeys(said.card_no for said in self.events()
                                  if said.HasField("card_changed")))

    def ordered(self, application_id):
        """Numbers that its bank was asked to make, the oldest first."""
        order = self.topics.messages.card.BankOrder
        said = [order.FromString(record.value) for record in self.topics.read("bank.orders")]
        return [order.line.card_no for order in said if order.HasField("line")
                and order.line.application_id == uuid.UUID(application_id).bytes]

    # The end.
    def ends(self, *, applications, receipts, cards, vouchers, notified, told, refusals=(),
             no_identity=(), suppressed=()):
        """applications  {id: (state, Chinese label)} of all that the holder ever had
        receipts      {id: outlet} of those that were accepted; the others have none
        cards         [(kind, state, bank)] of all, cancelled ones too
        vouchers      operations, each as often as it was done
        notified      templates of the SMS, each as often as it came
        told          [(what, bank, card_no)] of the notices to banks, all acknowledged
        refusals      [(operation, code)] of the refused operations, each with a notice on paper
        no_identity   reasons why a card in use does not stand for an identity document
        suppressed    [(template, why)] of what was not sent"""
        self._check_cards(cards, list(no_identity))
        self._check_told(told)
        events = self.events()
        self._check_applications(applications, receipts, events)
        self._check_papers(vouchers, refusals, events)
        self._check_notified([*notified, *suppressed])

    def _check_cards(self, want, no_identity):
        def shown():
            return self.client.status(document=self.document)["cards"]

        def brief():
            return sorted((c["kind"], c["state"], c["bank_code"]) for c in shown())

        with contextlib.suppress(ProgramError):
            wait_until("the cards", 30, lambda: brief() == sorted(want), 0.1)
        assert brief() == sorted(want), (brief(), want)
        for card in shown():
            state = card["state"]
            reasons = card["identity"]["reasons"]
            assert card["code"] == CODES[state], card
            assert card["financial_state"] == FINANCIAL.get(state, card["financial_state"]), card
            assert card["identity"]["valid"] == (state == "normal" and not reasons), card
            assert state != "normal" or reasons == no_identity, card
        usable = [c["kind"] for c in shown() if c["state"] in ("normal", "app_locked",
                                                               "temporary_loss")]
        assert len(usable) == len(set(usable)), usable

    def _check_applications(self, want, receipts, events):
        status = self.client.status(document=self.document)["applications"]
        assert {app["application_id"] for app in status} == set(want), status
        for app in status:
            application_id = app["application_id"]
            shown = self.client.outcome(application_id)
            assert (shown["state"], shown["label"]["zh"]) == want[application_id], shown
            self._check_receipt(shown, receipts.get(application_id))
            promised = self._promised(application_id, shown, events)
            assert app["promised_date"] == promised, (app, promised)
            if shown["receipt"]:
                assert shown["receipt"]["promised_date"] == promised, (shown, promised)

    def _check_receipt(self, shown, outlet):
        paper = self.client.api("intake").get(
            f"/v1/applications/{shown['application_id']}/receipt")
        if outlet is None:
            assert shown["receipt"] is None and paper.status == 404, (shown["receipt"], paper)
            return
        number = shown["receipt"]["receipt_no"]
        assert passes_11_10(number) and len(number) == 12, number
        assert paper.status == 200 and paper.json["receipt"]["receipt_no"] == number, paper
        assert shown["receipt"]["pickup_outlet"]["outlet_code"] == outlet, shown["receipt"]
        assert shown["receipt"]["phones"] and shown["deadline"]["due_on"], shown
        found = self.client.status(receipt_no=number)
        assert shown["application_id"] in [a["application_id"] for a in found["applications"]]

    def _promised(self, application_id, shown, events):
        """The date that is to be shown, which card.promised must have told: by the lead of the
        bank, each time that it came into its queue."""
        told = [said.promised for said in events if said.HasField("promised")
                and said.application_id == uuid.UUID(application_id).bytes]
        states = [step["state"] for step in shown["timeline"]]
        again = list(zip(states, states[1:])).count(("account_failed", "batched"))
        assert len(told) == states.count("photo_ready") + again, (states, told)
        if not told:
            return None
        days = {self.queued_on} if self.queued_on else {self.began, today()}
        fit = {workdays.count(day, LEAD_DAYS)[0] for day in days}
        dates = [datetime.date(1970, 1, 1) + datetime.timedelta(days=said.promised_on)
                 for said in told]
        assert set(dates) <= fit, (dates, fit)
        due_on = datetime.date.fromisoformat(shown["deadline"]["due_on"])
        assert [said.past_deadline for said in told] == [date > due_on for date in dates], told
        return dates[-1].isoformat()

    def _check_told(self, want):
        with contextlib.suppress(ProgramError):
            wait_until("the notices to banks", 30, lambda: len(self._told()) >= len(want) and not
                       bank.open_notices(self.info, self.topics, self._origin), 0.3)
        assert sorted(self._told()) == sorted(want), (self._told(), want)
        assert not bank.open_notices(self.info, self.topics, self._origin)

    def _told(self):
        return [notice[:3] for notice in bank.told(self.topics, self._origin)]

    def _answered(self, events):
        """What was decided of each operation, supplement and withdrawal, by whichever service."""
        event = self.topics.messages.application.ApplicationEvent
        intake = [event.FromString(record.value) for record in
                  self.topics.read("application.events") if record.key == self.ref]
        return [*(said.operation_answered for said in events
                  if said.HasField("operation_answered")),
                *(said.command_decided for said in intake if said.HasField("command_decided"))]

    def _paper(self, number):
        """By its number; production keeps those of intake, too, and hears of them a bit later."""
        kind, answers = "notices" if number.startswith("N") else "vouchers", []

        def there():
            answers.append(self.client.api("production").get(f"/v1/{kind}/{number}"))
            return answers[-1].status == 200

        wait_until(f"{kind} {number}", 15, there, 0.1)
        return answers[-1].json

    def _check_papers(self, vouchers, refusals, events):
        """Each operation has a voucher, each refusal a notice; both are found by their number."""
        found, refused = [], []
        for said in self._answered(events):
            if said.result == "done" and (said.voucher_no or said.operation != "supplement"):
                paper = self._paper(said.voucher_no)
                found.append(said.operation)
            elif said.result == "refused":
                paper = self._paper(said.notice_no)
                refused += [(said.operation, code) for code in said.reasons]
            else:
                continue
            assert (paper["operation"], paper["result"]) == (said.operation, said.result), paper
            assert [reason["code"] for reason in paper["reasons"]] == list(said.reasons), paper
        assert sorted(found) == sorted(vouchers), (found, vouchers)
        assert sorted(refused) == sorted(refusals), (refused, refusals)

    def _notifications(self):
        """{template of an SMS, or (template, why) of one that was suppressed: ids} of all that have
        ended."""
        event, found = self.topics.messages.notification.NotificationEvent, {}
        for record in self.topics.read("notification.events"):
            if record.key == self.ref:
                said = event.FromString(record.value)
                assert said.channel == "sms" and said.state in ("sent", "delivered",
                                                                "suppressed"), said
                name = (said.template, said.reason) if said.state == "suppressed" else said.template
                found.setdefault(name, []).append(str(uuid.UUID(bytes=said.notification_id)))
        return found

    def _heard(self):
        return collections.Counter({name: len(ids) for name, ids in self._notifications().items()})

    def has_heard(self, want):
        """Waits until all that was to be told so far has been."""
        wait_until(f"notifications {want}", 30, lambda: self._heard() == collections.Counter(want),
                   0.2)

    def _check_notified(self, want):
        """Ends of notifications, and what came to the gateway."""
        self.client.settle("notification")
        with contextlib.suppress(ProgramError):
            wait_until("the notifications", 30,
                       lambda: self._heard() >= collections.Counter(want), 0.2)
        assert self._heard() == collections.Counter(want), (self._heard(), want)
        sent = [i for name, ids in self._notifications().items() if isinstance(name, str)
                for i in ids]
        assert sorted(notices.received_sms(self.stack, self._origin["phone"])) == sorted(sent)
