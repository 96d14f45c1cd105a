"""What the banks were told of a holder's cards, as it stands on Kafka and in production's table."""

import contextlib

import psycopg


def told(topics, person):
    """Notices in the order in which they were first sent: [(what, bank, card_no, id, times)]."""
    order = topics.messages.card.BankOrder
    ref = topics.holder_ref(person["document_type"], person["document_number"])
    found = {}
    for record in topics.read("bank.orders"):
        if record.type != "bank.card_notice":
            continue
        said = order.FromString(record.value)
        notice = said.card_notice
        if notice.routing_key == ref:
            times = found[notice.notice_id][4] if notice.notice_id in found else 0
            found[notice.notice_id] = (notice.what, said.bank_code, notice.card_no,
                                       notice.notice_id, times + 1)
    return list(found.values())


def open_notices(info, topics, person):
    """How many of the holder's notices wait to be acknowledged."""
    ref = topics.holder_ref(person["document_type"], person["document_number"])
    with contextlib.closing(psycopg.connect(info["postgres"]["production"])) as link:
        return link.execute("select count(*) from card_notice where holder = %s "
                            "and acknowledged_at = 0", (ref,)).fetchone()[0]
