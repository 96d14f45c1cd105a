"""What there is, told by topics and tables alone: applications, cards and notifications, by id.

The demo takes it before and after it feeds the same again; what only the second has is new.
"""

TABLES = (
    ("applications", "select id from intake.application"),
    ("applications", "select id from production.person"),
    ("cards", "select card_no from production.issued"),
    ("notifications", "select id from notification.notice"),
    # Those not sent yet, and reminders that wait for their day.
    ("notifications", "select id from notification.work"),
)


def take(followed):
    """{kind: ids} of the stack that an audit.Audit follows."""
    followed.read()
    found = {"applications": {ident_of(i) for i in followed.applications.outcomes},
             "cards": {*followed.applications.cards, *followed.applications.lines},
             "notifications": {ident_of(i) for i in followed.notices}}
    for kind, sql in TABLES:
        found[kind] |= {ident_of(row[0]) for row in followed.tables.rows(sql)}
    return found


def ident_of(value):
    """A UUID as the topics have it, in 16 bytes, and as the database gives it, is the same."""
    return getattr(value, "bytes", value)


def new(before, after):
    """{kind: how many are there now and were not before}"""
    return {kind: len(after[kind] - before[kind]) for kind in after}
