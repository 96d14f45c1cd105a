"""Start, run, stop: a load until all cards are activated, questions over HTTP, and an orderly end."""

import datetime

import pytest
from harness.program import wait_until
from harness.stack import SERVICES

# Applications and how many a second; valgrind takes twenty times as long, and one thread at a time.
LOADS = {"tsan": (400, 100), "valgrind": (60, 10)}
RUN_S = 240
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


@pytest.fixture(scope="module")
def load(watcher):
    return LOADS[watcher]


def stop(service):
    """It ends by itself, in time, and with 0: what a watcher has found is another code."""
    assert service.stop(timeout=60), f"{service.name} had to be killed\n{service.log_tail()}"
    assert service.exit_code() == 0, f"{service.name}\n{service.log_tail(60)}"


def test_every_card_of_a_load_is_activated(world, load):
    count, rate = load
    with world.load(rate=rate, count=count, timeout_s=RUN_S):
        pass
    world.reckon()


def test_services_that_stop_under_load_end_in_order(world, load):
    """Each stops and starts again while the others work; nothing is lost by it."""
    count, rate = load
    with world.load(rate=rate, count=count, timeout_s=RUN_S):
        for name in SERVICES:
            service = world.stack.service(name)
            stop(service)
            service.start()
    world.reckon()


def test_fronts_answer(world, client):
    """Each route of the fronts that has a way of its own: claims, waiting, photos, orders."""
    person = world.people.resident()
    outcome = client.accepted(person, photo_choice="upload")
    # photo-fetch learns of the application a moment later than who applied.
    wait_until("the photo is taken", 30, lambda: client.put_photo(
        outcome["application_id"], wait=10).status == 200, 0.2)
    client.wait_for(outcome["application_id"], "collected", timeout=60)
    status = client.status(document=client.document(person))
    assert [app["state"] for app in status["applications"]] == ["collected"]
    hotline = client.api("complaint-handling", "hotline_12345")
    answer = hotline.post("/v1/work-orders", {
        "source_system": "qd12345", "order_no": "GD-1", "kind": "complaint", "anonymous": False,
        "text": "柜台说卡丢了。",
        "dispatched_at": datetime.datetime.now(SHANGHAI).isoformat(timespec="seconds")}, wait=10)
    assert answer.status == 200, answer
    for name in SERVICES:
        assert world.stack.service(name).get("/metrics")[0] == 200


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_ends_with_nothing_found(stack, name):
    stop(stack.service(name))
    assert not [report for report in stack.sanitizer_reports() if report.startswith(f"{name}.log:")]
