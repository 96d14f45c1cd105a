/* The machines as tables; docs and tests read the same rows. */
#include "services/production/rules.h"

#define A(from, on, to)                                                                            \
    {                                                                                              \
        CF_APP_##from, PRODUCTION_ON_##on, CF_APP_##to                                             \
    }
/* Said before: an edge to itself without effects. */
#define SAME(from, on) A(from, on, from)
/* Ahead of the state: waits for what it builds on. */
#define WAIT(from, on) A(from, on, NONE)

static const struct production_app_edge app_edges[] = {
    A(ACCEPTED, PHOTO_READY, PHOTO_READY),
    A(ACCEPTED, PHOTO_MISSING, PHOTO_MISSING),
    A(ACCEPTED, WITHDRAW, WITHDRAWN),
    A(ACCEPTED, CLOSE, CLOSED),
    A(ACCEPTED, DIE, CLOSED),

    A(PHOTO_MISSING, PHOTO_READY, PHOTO_READY),
    SAME(PHOTO_MISSING, PHOTO_MISSING),
    A(PHOTO_MISSING, WITHDRAW, WITHDRAWN),
    A(PHOTO_MISSING, EXPIRE, EXPIRED),
    A(PHOTO_MISSING, CLOSE, CLOSED),
    A(PHOTO_MISSING, DIE, CLOSED),

    SAME(PHOTO_READY, PHOTO_READY),
    A(PHOTO_READY, BATCH, BATCHED),
    A(PHOTO_READY, WITHDRAW, WITHDRAWN),
    A(PHOTO_READY, CLOSE, CLOSED),
    A(PHOTO_READY, DIE, CLOSED),
    WAIT(PHOTO_READY, ACCOUNT_OPENED),
    WAIT(PHOTO_READY, ACCOUNT_FAILED),
    WAIT(PHOTO_READY, PRODUCED),
    WAIT(PHOTO_READY, FAILED),
    WAIT(PHOTO_READY, SHIPPED),
    WAIT(PHOTO_READY, ARRIVED),
    WAIT(PHOTO_READY, COLLECTED),

    SAME(BATCHED, BATCH),
    A(BATCHED, ACCOUNT_OPENED, ACCOUNT_OPENED),
    A(BATCHED, ACCOUNT_FAILED, ACCOUNT_FAILED),
    A(BATCHED, FAILED, PRODUCTION_FAILED),
    A(BATCHED, UNANSWERED, PRODUCTION_FAILED),
    A(BATCHED, DIE, CLOSED),
    WAIT(BATCHED, PRODUCED),
    WAIT(BATCHED, SHIPPED),
    WAIT(BATCHED, ARRIVED),
    WAIT(BATCHED, COLLECTED),

    SAME(ACCOUNT_FAILED, ACCOUNT_FAILED),
    A(ACCOUNT_FAILED, BATCH, BATCHED),
    A(ACCOUNT_FAILED, WITHDRAW, WITHDRAWN),
    A(ACCOUNT_FAILED, EXPIRE, EXPIRED),
    A(ACCOUNT_FAILED, CLOSE, CLOSED),
    A(ACCOUNT_FAILED, DIE, CLOSED),

    SAME(ACCOUNT_OPENED, ACCOUNT_OPENED),
    A(ACCOUNT_OPENED, PRODUCED, PRODUCED),
    A(ACCOUNT_OPENED, FAILED, PRODUCTION_FAILED),
    A(ACCOUNT_OPENED, UNANSWERED, PRODUCTION_FAILED),
    A(ACCOUNT_OPENED, DIE, CLOSED),
    WAIT(ACCOUNT_OPENED, SHIPPED),
    WAIT(ACCOUNT_OPENED, ARRIVED),
    WAIT(ACCOUNT_OPENED, COLLECTED),

    SAME(PRODUCTION_FAILED, FAILED),
    A(PRODUCTION_FAILED, REMAKE, PHOTO_READY),
    A(PRODUCTION_FAILED, WITHDRAW, WITHDRAWN),
    A(PRODUCTION_FAILED, CLOSE, CLOSED),
    A(PRODUCTION_FAILED, DIE, CLOSED),

    SAME(PRODUCED, ACCOUNT_OPENED),
    SAME(PRODUCED, PRODUCED),
    A(PRODUCED, SHIPPED, SHIPPED),
    A(PRODUCED, DIE, CLOSED),
    WAIT(PRODUCED, FAILED),
    WAIT(PRODUCED, ARRIVED),
    WAIT(PRODUCED, COLLECTED),

    SAME(SHIPPED, ACCOUNT_OPENED),
    SAME(SHIPPED, PRODUCED),
    SAME(SHIPPED, SHIPPED),
    A(SHIPPED, ARRIVED, READY_FOR_PICKUP),
    A(SHIPPED, FAILED, PRODUCTION_FAILED),
    A(SHIPPED, DIE, CLOSED),
    WAIT(SHIPPED, COLLECTED),

    SAME(READY_FOR_PICKUP, ACCOUNT_OPENED),
    SAME(READY_FOR_PICKUP, PRODUCED),
    SAME(READY_FOR_PICKUP, SHIPPED),
    SAME(READY_FOR_PICKUP, ARRIVED),
    A(READY_FOR_PICKUP, COLLECTED, COLLECTED),
    A(READY_FOR_PICKUP, FAILED, PRODUCTION_FAILED),
    A(READY_FOR_PICKUP, WITHDRAW, WITHDRAWN),
    A(READY_FOR_PICKUP, EXPIRE, PICKUP_EXPIRED),
    A(READY_FOR_PICKUP, DIE, CLOSED),

    SAME(COLLECTED, ACCOUNT_OPENED),
    SAME(COLLECTED, PRODUCED),
    SAME(COLLECTED, SHIPPED),
    SAME(COLLECTED, ARRIVED),
    SAME(COLLECTED, COLLECTED),
};

/* A temporary card is made and handed over at the outlet: no photo, no queue, no bank's steps. */
static const struct production_app_edge temporary_edges[] = {
    A(ACCEPTED, HAND_OUT, PRODUCED),
    A(ACCEPTED, WITHDRAW, WITHDRAWN),
    A(ACCEPTED, CLOSE, CLOSED),
    A(ACCEPTED, DIE, CLOSED),
    WAIT(ACCEPTED, COLLECTED),

    SAME(PRODUCED, ACCOUNT_OPENED),
    SAME(PRODUCED, PRODUCED),
    A(PRODUCED, COLLECTED, COLLECTED),
    A(PRODUCED, EXPIRE, PICKUP_EXPIRED),
    A(PRODUCED, DIE, CLOSED),

    SAME(COLLECTED, ACCOUNT_OPENED),
    SAME(COLLECTED, PRODUCED),
    SAME(COLLECTED, SHIPPED),
    SAME(COLLECTED, ARRIVED),
    SAME(COLLECTED, COLLECTED),
};

#define C(from, on, to)                                                                            \
    {                                                                                              \
        CF_CARD_##from, PRODUCTION_CARD_##on, CF_CARD_##to                                         \
    }

static const struct production_card_edge card_edges[] = {
    C(RESERVED, SEAL, SEALED),
    C(RESERVED, VOID, VOIDED),
    C(VOIDED, VOID, VOIDED),

    C(SEALED, SEAL, SEALED),
    C(SEALED, ACTIVATE, NORMAL),
    C(SEALED, TEMPORARY_LOSS, TEMPORARY_LOSS),
    C(SEALED, FORMAL_LOSS, FORMAL_LOSS),
    C(SEALED, RELEASE, SEALED),
    C(SEALED, CANCEL, CANCELLED),

    C(NORMAL, ACTIVATE, NORMAL),
    C(NORMAL, TEMPORARY_LOSS, TEMPORARY_LOSS),
    C(NORMAL, FORMAL_LOSS, FORMAL_LOSS),
    C(NORMAL, RELEASE, NORMAL),
    C(NORMAL, LOCK, APP_LOCKED),
    C(NORMAL, UNLOCK, NORMAL),
    C(NORMAL, CANCEL, CANCELLED),

    C(APP_LOCKED, LOCK, APP_LOCKED),
    C(APP_LOCKED, UNLOCK, NORMAL),
    C(APP_LOCKED, TEMPORARY_LOSS, TEMPORARY_LOSS),
    C(APP_LOCKED, FORMAL_LOSS, FORMAL_LOSS),
    C(APP_LOCKED, RELEASE, APP_LOCKED),
    C(APP_LOCKED, CANCEL, CANCELLED),

    C(TEMPORARY_LOSS, TEMPORARY_LOSS, TEMPORARY_LOSS),
    C(TEMPORARY_LOSS, FORMAL_LOSS, FORMAL_LOSS),
    C(TEMPORARY_LOSS, RELEASE, NONE),
    C(TEMPORARY_LOSS, CANCEL, CANCELLED),

    C(FORMAL_LOSS, FORMAL_LOSS, FORMAL_LOSS),
    C(FORMAL_LOSS, RELEASE, NONE),
    C(FORMAL_LOSS, CANCEL, CANCELLED),

    C(CANCELLED, CANCEL, CANCELLED),
};

const struct production_app_edge *production_app_edges(size_t *n)
{
    *n = sizeof app_edges / sizeof *app_edges;
    return app_edges;
}

const struct production_app_edge *production_temporary_edges(size_t *n)
{
    *n = sizeof temporary_edges / sizeof *temporary_edges;
    return temporary_edges;
}

const struct production_card_edge *production_card_edges(size_t *n)
{
    *n = sizeof card_edges / sizeof *card_edges;
    return card_edges;
}

static enum production_fit fit_in(const struct production_app_edge *edges, size_t n,
                                  enum cf_app_state from, enum production_app_event on,
                                  enum cf_app_state *to)
{
    for (size_t i = 0; i < n; i++) {
        const struct production_app_edge *e = &edges[i];
        if (e->from != from || e->on != on) continue;
        if (e->to == CF_APP_NONE) return PRODUCTION_AHEAD;
        if (e->to == from) return PRODUCTION_ALREADY;
        *to = e->to;
        return PRODUCTION_MOVE;
    }
    /* Whatever still comes about an application that has ended changes nothing any more. */
    if (from != CF_APP_NONE && cf_app_state_is_end(from)) return PRODUCTION_ENDED;
    return PRODUCTION_ILLEGAL;
}

enum production_fit production_app_fit(enum cf_app_state from, enum production_app_event on,
                                       enum cf_app_state *to)
{
    return fit_in(app_edges, sizeof app_edges / sizeof *app_edges, from, on, to);
}

enum production_fit production_fit_of(const struct production_app *app,
                                      enum production_app_event on, enum cf_app_state *to)
{
    if (app->kind != CF_KIND_TEMPORARY) return production_app_fit(app->state, on, to);
    size_t n = sizeof temporary_edges / sizeof *temporary_edges;
    return fit_in(temporary_edges, n, app->state, on, to);
}

/* A failure's reason tells where it happened; a word of no place is a fault in the making. */
static const struct failure {
    const char *reason;
    enum cf_app_state first, last; /* NONE: in no state, a bank does not say it */
} failures[] = {
    {"",                  CF_APP_BATCHED,          CF_APP_ACCOUNT_OPENED  },
    {"bank_rejected",     CF_APP_BATCHED,          CF_APP_ACCOUNT_OPENED  },
    {"lost_in_transit",   CF_APP_SHIPPED,          CF_APP_SHIPPED         },
    {"damaged_at_outlet", CF_APP_READY_FOR_PICKUP, CF_APP_READY_FOR_PICKUP},
    {"unanswered",        CF_APP_NONE,             CF_APP_NONE            },
};

enum production_fit production_failure_fit(enum cf_app_state from, struct cf_str reason,
                                           enum production_fit fit)
{
    struct failure f = {"", CF_APP_ACCOUNT_OPENED, CF_APP_ACCOUNT_OPENED};
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (cf_str_is(reason, failures[i].reason)) f = failures[i];
    if (fit != PRODUCTION_MOVE && fit != PRODUCTION_AHEAD) return fit;
    if (from > f.last) return PRODUCTION_ILLEGAL;
    return from < f.first ? PRODUCTION_AHEAD : fit;
}

enum production_fit production_card_fit(enum cf_card_state from, enum cf_card_state before_loss,
                                        enum production_card_event on, enum cf_card_state *to)
{
    for (size_t i = 0; i < sizeof card_edges / sizeof *card_edges; i++) {
        const struct production_card_edge *e = &card_edges[i];
        if (e->from != from || e->on != on) continue;
        if (e->to == from) return PRODUCTION_ALREADY;
        *to = e->to != CF_CARD_NONE ? e->to : before_loss;
        /* A card imported in a lost state has no state before it. */
        if (*to == CF_CARD_NONE) *to = CF_CARD_NORMAL;
        return PRODUCTION_MOVE;
    }
    return PRODUCTION_ILLEGAL;
}

static const char *const app_event_names[] = {"",
#define X(value, name) name,
                                              PRODUCTION_APP_EVENTS(X)
#undef X
};

static const char *const operation_names[] = {"",
#define X(value, name, at) name,
                                              CF_MATRIX_OPERATIONS(X)
#undef X
};

enum production_app_event production_step_parse(struct cf_str step)
{
    for (int on = PRODUCTION_ON_ACCOUNT_OPENED; on <= PRODUCTION_ON_COLLECTED; on++)
        if (cf_str_is(step, app_event_names[on])) return (enum production_app_event)on;
    return PRODUCTION_ON_NONE;
}

const char *production_app_event_name(enum production_app_event on)
{
    return app_event_names[on];
}

enum production_operation production_operation_parse(struct cf_str name)
{
    for (int op = PRODUCTION_OP_NONE + 1; op < PRODUCTION_OP_COUNT; op++)
        if (cf_str_is(name, operation_names[op])) return (enum production_operation)op;
    return PRODUCTION_OP_NONE;
}

const char *production_operation_name(enum production_operation op)
{
    return operation_names[op];
}

bool production_channel_may(enum production_operation op, enum cf_channel channel)
{
    static const unsigned channels[PRODUCTION_OP_COUNT] = {
#define X(value, name, at) [PRODUCTION_OP_##value] = (at),
        CF_MATRIX_OPERATIONS(X)
#undef X
    };
    return cf_matrix_may(channels[op], channel);
}
