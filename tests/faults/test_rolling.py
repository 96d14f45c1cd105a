"""Every service ends at every place of the loop that has a name, and all are restarted in turn."""


import pytest
from harness.program import wait_until
from world import PATH, all_ready, in_full

# Place -> at which passing it happens: a service ends itself in the middle of the load.
PLACES = {
    "before_decide": 5,
    "before_commit": 5,
    "after_commit": 5,
    "before_publish": 5,
    "mid_publish": 40,
}
# inquiry sends one message a batch and holder, and may send few of them in a small load.
FEW = {"inquiry": {"mid_publish": 20}}


def test_a_rolling_restart_under_load(world):
    with world.load(rate=100, count=1000) as load:
        world.in_the_middle(world.stack.service("intake"), 100, load)
        with world.measured("all services restarted, one after the other"):
            for name, replicas in world.stack.services.items():
                for replica in replicas:
                    assert replica.stop(), f"{name} had to be killed"
                    replica.start()
        assert load.running()
    world.reckon()


@pytest.mark.parametrize("place", [
    pytest.param(place, marks=() if place == "after_commit" else in_full) for place in PLACES])
def test_every_service_is_killed_at(world, place):
    """All services at once, each by itself at the same place; and then once more on the way back,
    before what the journal holds is published again."""
    services = [world.stack.service(name) for name in PATH]

    def arm():
        for service in services:
            at = FEW.get(service.name, {}).get(place, PLACES[place])
            service.stop()
            service.settings["failpoints"] = f"{place}=kill@{at}"
            service.start()

    try:
        with world.load(rate=100, count=300, enrolled=arm):
            for service in services:
                wait_until(f"{service.name} ends itself at {place}", 30,
                           lambda s=service: not s.alive(), 0.02)
                service.settings["failpoints"] = "before_republish=kill"
                service.start(wait=False)
                wait_until(f"{service.name} ends itself on its way back", 30,
                           lambda s=service: not s.alive(), 0.02)
                del service.settings["failpoints"]
                service.start(wait=False)
            with world.measured("every service killed twice; all ready"):
                all_ready(world)
        world.reckon()
    finally:
        for service in services:
            service.settings.pop("failpoints", None)
