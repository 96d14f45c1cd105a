"""A next card, from the application until it is in the holder's hand, and what becomes of the one
before. Each walk is looked at as a whole when it is over, see harness/ends.py."""

import datetime

import psycopg
import pytest
from harness.ends import ACTIVE, ISSUED, REJECTED, WITHDRAWN, Walk, today
from harness.program import wait_until
from harness.walks import codes, supplement

OLD, NEW = ("permanent", "cancelled", "B01"), ("permanent", "normal", "B01")
AT_B02 = {"bank_code": "B02", "outlet_code": "B02001"}


@pytest.fixture
def walk(walk_of, people):
    return walk_of(people.resident())


@pytest.fixture
def holder(walk):
    """A person with a card in use."""
    walk.first = walk.first_card()
    return walk


def replaced(walk, first, second, **changes):
    """The end of a replacement of a card in use by another of the same bank."""
    old, new = walk.numbers()
    assert walk.ordered(second) == [new] and new != old
    walk.ends(**{
        "applications": {first: ACTIVE, second: ACTIVE},
        "receipts": {first: "B01001", second: "B01001"},
        "cards": [OLD, NEW], "vouchers": ["activate"] * 2,
        "notified": [*ISSUED, *ISSUED, "cancelled"], "told": [("cancelled", "B01", old)],
        **changes})
    assert walk.card(state="normal")["card_no"] != walk.card(state="cancelled")["card_no"]


def test_a_lost_card_is_replaced_and_the_old_one_cancelled(holder):
    lost = holder.apply(kind="loss_replacement")
    holder.at(lost, *ACTIVE)
    replaced(holder, holder.first, lost,
             notified=[*ISSUED, *ISSUED, "loss_reported", "cancelled"])


def test_a_damaged_card_is_handed_in_and_replaced(holder, bank):
    bank.behave(hold_after="account_opened")
    damaged = holder.apply(kind="damage_replacement")
    holder.at(damaged, "account_opened", "制卡中")
    wait_until("the old card is handed in", 20,
               lambda: holder.card()["identity"]["reasons"] == ["handed_in"], 0.1)
    assert (holder.card()["state"], holder.card()["identity"]["valid"]) == ("normal", False)
    again = holder.client.apply(holder.person, kind="damage_replacement")
    assert codes(again) == ["duplicate_application"], again
    bank.behave(hold_after=None)
    holder.at(damaged, *ACTIVE)
    replaced(holder, holder.first, damaged, applications={
        holder.first: ACTIVE, damaged: ACTIVE, again.json["application_id"]: REJECTED},
        notified=[*ISSUED, *ISSUED, "rejected", "cancelled"])


def test_changed_data_are_printed_on_a_new_card(holder):
    """Upstream tells the new name first; a card with the old one is not what is asked for."""
    person, new_name = holder.person, holder.person["name"] + "琪"
    holder.client.enrol({**person, "name": new_name}, revision=2)
    holder.client.settle()
    asked = holder.client.apply(person, kind="reissue", reissue_reason="data_changed")
    assert (asked.json["outcome"], codes(asked)) == ("notice", ["enrolment_name_mismatch"]), asked
    changed = asked.json["application_id"]
    done = holder.client.api("intake", "bank_outlet").post(
        f"/v1/applications/{changed}/supplements", {"name": new_name}, wait=10)
    assert (done.json["result"], done.json["outcome"]) == ("done", "accepted"), done
    holder.at(changed, *ACTIVE)
    replaced(holder, holder.first, changed,
             notified=[*ISSUED, "noticed", *ISSUED, "cancelled"])


def test_a_reason_that_was_forgotten_is_given_later(walk):
    walk.client.enrol(walk.person)
    asked = walk.client.apply(walk.person, kind="reissue")
    assert (asked.json["outcome"], codes(asked)) == ("notice", ["bad_reissue_reason"]), asked
    exchanged = asked.json["application_id"]
    done = supplement(walk.client, exchanged, reissue_reason="mass_exchange")
    assert (done.json["result"], done.json["outcome"]) == ("done", "accepted"), done
    walk.at(exchanged, *ACTIVE)
    walk.ends(applications={exchanged: ACTIVE}, receipts={exchanged: "B01001"}, cards=[NEW],
              vouchers=["activate"], notified=["noticed", *ISSUED], told=[])


def test_an_old_card_that_nobody_here_knows_is_exchanged_at_any_bank(walk):
    walk.client.enrol(walk.person)
    exchanged = walk.apply(kind="reissue", reissue_reason="mass_exchange", **AT_B02)
    walk.at(exchanged, *ACTIVE)
    assert walk.ordered(exchanged) == walk.numbers()
    again = walk.client.apply(walk.person, kind="reissue", reissue_reason="mass_exchange")
    assert codes(again) == ["card_exists"], again
    walk.ends(applications={exchanged: ACTIVE, again.json["application_id"]: REJECTED},
              receipts={exchanged: "B02001"}, cards=[("permanent", "normal", "B02")],
              vouchers=["activate"], notified=[*ISSUED, "rejected"], told=[])


def issued_on(last_day):
    """When a card was made whose ten years end on that day."""
    return last_day.replace(year=last_day.year - 10)


def apart_from_29_february(day, otherwise):
    return day + datetime.timedelta(days=otherwise) if (day.month, day.day) == (2, 29) else day


def test_a_card_that_expires_in_89_days_is_made_anew(walk):
    day = today()
    last_day = apart_from_29_february(day + datetime.timedelta(days=89), -1)
    old = walk.imported(issued_on=str(issued_on(last_day)))
    assert walk.card()["valid_until"] == str(last_day)
    anew = walk.apply(kind="reissue", reissue_reason="expiry",
                      submitted_at=f"{day}T00:00:00+08:00")
    walk.at(anew, *ACTIVE)
    assert walk.numbers()[0] == old and walk.ordered(anew) == walk.numbers()[1:]
    walk.ends(applications={anew: ACTIVE}, receipts={anew: "B01001"}, cards=[OLD, NEW],
              vouchers=["import_card", "activate"], notified=[*ISSUED, "cancelled"],
              told=[("cancelled", "B01", old)])
    assert walk.card(state="normal")["valid_until"] > str(last_day + datetime.timedelta(days=3000))


def test_a_card_that_expires_in_91_days_is_good_for_longer(walk):
    day = today()
    last_day = apart_from_29_february(day + datetime.timedelta(days=91), 1)
    walk.imported(issued_on=str(issued_on(last_day)))
    early = walk.client.apply(walk.person, kind="reissue", reissue_reason="expiry",
                              submitted_at=f"{day}T00:00:00+08:00")
    assert (early.json["outcome"], codes(early)) == ("rejected", ["card_exists"]), early
    assert early.json["label"]["zh"] == "不予受理"
    walk.ends(applications={early.json["application_id"]: REJECTED}, receipts={},
              cards=[NEW], vouchers=["import_card"], notified=["rejected"], told=[])


def test_another_bank_makes_the_next_card_and_the_first_cancels_its_own(holder):
    moved = holder.apply(kind="reissue", reissue_reason="bank_change", **AT_B02)
    holder.at(moved, *ACTIVE)
    old = holder.numbers()[0]
    replaced(holder, holder.first, moved, receipts={holder.first: "B01001", moved: "B02001"},
             cards=[OLD, ("permanent", "normal", "B02")], told=[("bank_change", "B01", old)])


def test_a_card_is_lost_before_it_is_activated(walk, bank):
    """Collected and still sealed: it is reported lost, cannot be activated, and is replaced."""
    bank.behave(hold_after="collected")
    first = walk.client.accepted(walk.person)["application_id"]
    walk.at(first, "collected", "领卡未激活")
    wait_until("the sealed card", 20, lambda: walk.card()["state"] == "sealed", 0.1)
    old = walk.numbers()[0]
    assert walk.done("report_formal_loss").json["card_state"] == "formal_loss"
    walk.refused("illegal_in_state", "activate", card_no=old)
    bank.behave(hold_after=None)  # it asks for the activation, too
    second = walk.apply(kind="loss_replacement")
    walk.at(second, *ACTIVE)
    replaced(walk, first, second, applications={first: ("collected", "领卡未激活"), second: ACTIVE},
             vouchers=["report_formal_loss", "activate"],
             refusals=[("activate", "illegal_in_state")] * 2,
             notified=[*ISSUED[:3], "loss_reported", *ISSUED, "cancelled"])


def test_a_childs_card_without_photo_is_swapped_for_one_with(walk_of, people):
    walk = walk_of(people.child(people.resident()))
    first = walk.first_card()
    assert walk.card()["has_photo"] is False
    swap = walk.apply(kind="photo_swap", photo_choice="upload")
    walk.at(swap, "photo_missing", "待补照片")
    assert walk.client.put_photo(swap, wait=10).status == 200
    walk.at(swap, *ACTIVE)
    replaced(walk, first, swap, notified=[*ISSUED, "photo_missing", *ISSUED, "cancelled"])
    assert walk.card(state="normal")["has_photo"] is True


# Temporary cards.
def use_temporary(walk):
    """The id of the application for a temporary card that is in use now, and its number."""
    temporary = walk.apply(kind="temporary")
    walk.at(temporary, "produced", "制卡完成")
    told = walk.client.api("production").post("/v1/bank-results", {
        "application_id": temporary, **walk.document, "bank_code": "B01", "type": "collected"})
    assert told.status == 202, told
    walk.at(temporary, "collected", "领卡未激活")
    number = walk.numbers()[-1]
    assert walk.done("activate", card_no=number).json["card_state"] == "normal"
    wait_until("the temporary card is shown in use", 20,
               lambda: walk.card("temporary")["state"] == "normal", 0.1)
    assert walk.card("temporary")["valid_until"] == str(today() + datetime.timedelta(days=60))
    return temporary, number


def test_a_temporary_card_is_given_at_once_and_extended(walk):
    walk.client.enrol(walk.person)
    temporary, number = use_temporary(walk)
    walk.done("extend_temporary", card_no=number)
    wait_until("the longer time", 20, lambda: walk.card("temporary")["valid_until"] ==
               str(today() + datetime.timedelta(days=120)), 0.1)
    again = walk.client.apply(walk.person, kind="temporary")
    assert codes(again) == ["duplicate_application"], again
    walk.ends(applications={temporary: ACTIVE,
                            again.json["application_id"]: REJECTED},
              receipts={temporary: "B01001"}, cards=[("temporary", "normal", "B01")],
              vouchers=["activate", "extend_temporary"],
              notified=["accepted", "collected", "activated", "rejected"], told=[])


def test_a_temporary_card_bridges_the_time_until_the_replacement(holder):
    """The replacement ends both the old card and the temporary one."""
    old = holder.numbers()[0]
    holder.done("report_formal_loss")
    temporary, bridge = use_temporary(holder)
    lost = holder.apply(kind="loss_replacement")
    holder.at(lost, *ACTIVE)
    holder.ends(
        applications={holder.first: ACTIVE, temporary: ACTIVE, lost: ACTIVE},
        receipts=dict.fromkeys((holder.first, temporary, lost), "B01001"),
        cards=[OLD, NEW, ("temporary", "cancelled", "B01")],
        vouchers=["activate", "report_formal_loss", "activate", "activate"],
        notified=[*ISSUED, "loss_reported", "accepted", "collected", "activated", *ISSUED,
                  "cancelled", "cancelled"],
        told=[("cancelled", "B01", old), ("cancelled", "B01", bridge)])


# Found again.
@pytest.fixture
def patient(make_stack):
    """A stack whose banks wait for more lines before a batch is closed."""
    return make_stack(services=["intake", "photo-fetch", "production", "notification", "inquiry"],
                      settings={"production": {"batch_wait_ms": "20s"},
                                "notification": {"quiet_hours": "false"}})


def test_a_lost_card_is_found_while_its_replacement_waits_in_the_queue(patient, opened, people):
    walk = Walk(patient, opened(patient), people.resident())
    walk.imported()
    lost = walk.apply(kind="loss_replacement")
    walk.at(lost, "photo_ready")
    assert walk.done("release").json["card_state"] == "normal"
    walk.at(lost, *WITHDRAWN)
    walk.ends(applications={lost: WITHDRAWN}, receipts={lost: "B01001"}, cards=[NEW],
              vouchers=["import_card", "release"],
              notified=["accepted", "loss_reported", "loss_released", "withdrawn"], told=[])


def test_the_database_refuses_a_second_card_in_use(stack, holder):
    with psycopg.connect(stack.info()["postgres"]["production"]) as link, \
            pytest.raises(psycopg.errors.CheckViolation, match="one_usable_card"):
        link.execute("update holder set made_state = 'normal' where key = %s", (holder.ref,))


USABLE = ("normal", "app_locked", "temporary_loss")


@pytest.mark.parametrize("kind", ["permanent", "temporary"])
@pytest.mark.parametrize("held", USABLE)
def test_the_database_refuses_two_usable_cards_of_a_kind(stack, holder, kind, held):
    columns = {"permanent": ("made_state", "card_state"),
               "temporary": ("temporary_made_state", "temporary_card_state")}[kind]
    with psycopg.connect(stack.info()["postgres"]["production"]) as link:
        for made in USABLE:
            with pytest.raises(psycopg.errors.CheckViolation, match="one_usable"), \
                    link.transaction():
                link.execute(f"update holder set {columns[0]} = %s, {columns[1]} = %s "
                             "where key = %s", (made, held, holder.ref))
        with link.transaction(force_rollback=True):
            for made in ("sealed", "formal_loss", None):
                changed = link.execute(f"update holder set {columns[0]} = %s, {columns[1]} = %s "
                                       "where key = %s", (made, held, holder.ref))
                assert changed.rowcount == 1


def test_the_states_of_temporary_cards_stand_where_the_database_judges_them(stack, holder):
    asked = holder.operate("import_card", "upstream", bank_code="B01", state="normal",
                           kind="temporary", issued_on=today().isoformat(), has_photo=True)
    assert asked.json["result"] == "done", asked
    with psycopg.connect(stack.info()["postgres"]["production"]) as link:
        row = link.execute("select temporary_made_state, temporary_card_state from holder "
                           "where key = %s", (holder.ref,)).fetchone()
    assert row == (None, "normal"), row


def test_a_new_card_is_not_reported_lost_for_a_time_beside_one_in_use(walk_of, people, bank):
    walk = walk_of(people.resident())
    old = walk.imported()
    bank.behave(hold_after="collected")
    again = walk.apply(kind="reissue", reissue_reason="data_changed")
    walk.at(again, "collected")
    new = next(no for no in walk.numbers() if no != old)
    walk.refused("other_card_in_use", "report_temporary_loss", card_no=new)
    assert walk.done("report_formal_loss", card_no=new).json["card_state"] == "formal_loss"
