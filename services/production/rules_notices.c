/* Notices to a bank: when they are told again, when one is overdue, what an answer does. */
#include "services/production/rules_notices.h"

#include "common/pure/patience.h"

/* Doubled each time, up to the policy's most; the later half of it is spread by the id, so that
 * what a bank slept through does not come back in one moment. */
static cf_ms wait_of(const struct production_notice *n, const uint8_t id[16],
                     const struct production_policy *p)
{
    cf_ms wait = p->notice_retry_ms;
    uint32_t again = (uint32_t)n->sent - 1;
    for (uint32_t i = 0; i < again && wait < p->notice_retry_max_ms; i++)
        wait *= 2;
    if (wait > p->notice_retry_max_ms) wait = p->notice_retry_max_ms;
    return wait - wait / 2 + cf_backoff_ms(id, again, p->notice_retry_ms / 2, wait / 2);
}

static void tell(struct production_notice *n, const uint8_t id[16],
                 const struct production_world *w)
{
    n->sent++;
    n->again_at = w->now + wait_of(n, id, w->policy);
}

/* The bank must not pay by a card that was reported lost: that cannot wait. */
static bool urgent(const struct production_notice *n)
{
    return cf_str_is(n->what, "loss");
}

void production_notice_tell(struct production_notice *n, const uint8_t id[16],
                            const struct production_world *w)
{
    n->told_at = w->now;
    tell(n, id, w);
}

static cf_ms overdue_due(const struct production_notice *n, const struct production_policy *p)
{
    return urgent(n) && !n->overdue_at ? n->told_at + p->notice_overdue_ms : 0;
}

struct production_notice_due production_notice_on_due(struct production_notice *n,
                                                      const uint8_t id[16],
                                                      const struct production_world *w)
{
    struct production_notice_due due = {0};
    if (n->acknowledged_at) return due;
    cf_ms overdue = overdue_due(n, w->policy);
    due.overdue = overdue && overdue <= w->now;
    due.again = n->again_at <= w->now;
    if (due.overdue) n->overdue_at = w->now;
    if (due.again) tell(n, id, w);
    return due;
}

cf_ms production_notice_next_due(const struct production_notice *n,
                                 const struct production_policy *p)
{
    if (n->acknowledged_at) return 0;
    cf_ms overdue = overdue_due(n, p);
    return overdue && overdue < n->again_at ? overdue : n->again_at;
}

enum production_fit production_on_acknowledged(struct production_notice *n,
                                               const struct cf_key *holder,
                                               const struct production_acknowledged *a,
                                               const struct production_world *w)
{
    if (!n) return PRODUCTION_ENDED;
    if (!cf_key_eq(&n->holder, holder) || (a->bank.len && !cf_str_eq(a->bank, n->bank)) ||
        (a->card_no.len && !cf_str_eq(a->card_no, n->card_no)))
        return PRODUCTION_ILLEGAL;
    if (n->acknowledged_at) return PRODUCTION_ALREADY;
    n->acknowledged_at = w->now;
    return PRODUCTION_MOVE;
}
