"""Operations on cards as a partner on Kafka asks for them: sealed, keyed by the holder."""

import uuid

from . import sealing
from . import topics as kafka

ANSWERED = "card.operation_answered"


class CardCommands:
    def __init__(self, topics):
        self.topics = topics

    def command(self, person, operation, channel="bank_outlet", role="holder", actor=None,
                operator=None, **fields):
        """(key, CardCommand); actor: the fields of Actor, sealed for the holder."""
        key = self.topics.holder_ref(person["document_type"], person["document_number"])
        messages = self.topics.messages
        command = messages.card.CardCommand(
            operation_id=uuid.uuid4().bytes, operation=operation, channel=channel, actor_role=role,
            requested_at_ms=kafka.milliseconds(), **fields)
        if operator:
            command.operator.CopyFrom(messages.common.Operator(**operator))
        if actor:
            command.actor = self.seal(messages.common.Actor(role=role, **actor), key, 2)
        return key, command

    def seal(self, message, key, field):
        return sealing.seal(self.topics.messages, self.topics.key_files["sealing"],
                            message.SerializeToString(), key, field)

    def ask(self, person, operation, **fields):
        """Sends it; the result and the sorted reasons."""
        return self.answer(*self.command(person, operation, **fields))

    def answer(self, key, command):
        event = self.topics.messages.card.CardEvent
        since = self.topics.ends("card.events")
        self.topics.send("card.commands", key, command.SerializeToString(), "card.operation")

        def mine(record):
            return record.type == ANSWERED and event.FromString(
                record.value).operation_answered.operation_id == command.operation_id
        found = self.topics.wait(ANSWERED, "card.events", since, mine)
        answered = event.FromString(found[0].value).operation_answered
        return answered.result, sorted(answered.reasons)
