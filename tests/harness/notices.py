"""What the holder has heard: ends of notifications on Kafka, and messages at the SMS gateway."""

import collections
import hashlib
import uuid

from .program import wait_until


def notifications(topics, person):
    """{template: [notification id]} of the SMS to a person that have ended; each must have gone."""
    event = topics.messages.notification.NotificationEvent
    ref = topics.holder_ref(person["document_type"], person["document_number"])
    found = collections.defaultdict(list)
    for record in topics.read("notification.events"):
        if record.key == ref:
            said = event.FromString(record.value)
            assert (said.channel, said.state) in (("sms", "sent"), ("sms", "delivered")), said
            found[said.template].append(str(uuid.UUID(bytes=said.notification_id)))
    return found


def received_sms(stack, phone):
    """ids of the messages that came to the gateway for a number, each time that one came."""
    mine = hashlib.sha256(phone.encode()).hexdigest()
    found, since = [], 0
    while True:
        page = stack.simulators["sms"].received(since)
        found += [item["id"] for item in page["items"] if item["to_sha256"] == mine]
        if not page["items"]:
            return found
        since = page["next"]


def wait_for_sms(stack, topics, person, templates):
    """Waits for these notifications, and checks that each went out once and no other did."""
    wait_until(f"notifications {sorted(templates)}", 30,
               lambda: set(notifications(topics, person)) >= set(templates), 0.3)
    told = notifications(topics, person)
    assert {template: len(ids) for template, ids in told.items()} == dict.fromkeys(templates, 1)
    assert sorted(received_sms(stack, person["phone"])) == \
        sorted(i for ids in told.values() for i in ids)
