/* rules -- where the photo of an application comes from, and what follows when it comes or not.
 *
 * Shapes   one job a holder: the photo of the application that is open, or was last
 * Units    ms since the epoch; days are cf_day
 * Errors   none here: a pair without an edge is for the caller to refuse or to park
 * Source   domain reference, Photo; table of applications, rows accepted and photo_missing
 */
#pragma once
#include "common/pure/idnum.h"
#include "common/pure/kinds.h"
#include "common/pure/photo.h"

/* clang-format off */
#define PHOTO_STATES(X)                                                   \
    X(NONE)     /* no application yet */                                  \
    X(FETCHING) /* the gateway is asked, again and again if need be */    \
    X(MISSING)  /* the holder is asked for a photo */                     \
    X(READY)    /* production may go on */                                \
    X(STOPPED)  /* the application ended elsewhere: nothing more is said */ \
    X(EXPIRED)  /* no photo came in time */
/* clang-format on */

enum photo_state {
#define X(value) PHOTO_##value,
    PHOTO_STATES(X)
#undef X
        PHOTO_STATE_COUNT
};

/* clang-format off */
#define PHOTO_EVENTS(X)                                          \
    X(TAKE_FETCH)   /* accepted, the gateway is to be asked */   \
    X(TAKE_READY)   /* accepted with a photo, or without need */ \
    X(TAKE_MISSING) /* accepted, but a photo has to be given */  \
    X(GOT)          /* the gateway's photo is good */            \
    X(NOT_THERE)    /* it has none, or not a usable one */       \
    X(AGAIN)        /* it was busy, failed or silent */          \
    X(UPLOAD)       /* a good photo was given */                 \
    X(WAIVE)        /* a guardian declares that there is none */ \
    X(STOP)         /* withdrawn, or the enrolment ended */      \
    X(EXPIRE)       /* the time to give one is over */
/* clang-format on */

enum photo_event {
#define X(value) PHOTO_ON_##value,
    PHOTO_EVENTS(X)
#undef X
        PHOTO_EVENT_COUNT
};

enum photo_source { PHOTO_FROM_NOWHERE, PHOTO_FROM_POLICE, PHOTO_FROM_UPLOAD, PHOTO_FROM_WAIVER };

struct photo_fetch_edge {
    enum photo_state from;
    enum photo_event on;
    enum photo_state to;
};

const struct photo_fetch_edge *photo_fetch_edges(size_t *n);
/* False when there is no such edge. */
bool photo_fetch_next(enum photo_state from, enum photo_event on, enum photo_state *to);
const char *photo_fetch_state_name(enum photo_state state);
/* public_security, upload, none; empty for nowhere. */
const char *photo_fetch_source_name(enum photo_source source);

/* What is known when an application is accepted. */
struct photo_fetch_facts {
    enum cf_photo_choice choice;
    enum cf_doc_type document_type;
    bool is_child;  /* below 16 on the acceptance day */
    bool has_photo; /* one came with the application, and was judged good */
};

struct photo_fetch_plan {
    enum photo_event event; /* TAKE_* */
    enum photo_source source;
    uint32_t reasons; /* for TAKE_MISSING */
};

struct photo_fetch_plan photo_fetch_plan(const struct photo_fetch_facts *facts);

/* The last day to give a photo, and the moment after it. */
cf_day photo_fetch_respond_by(cf_ms now, int days);
cf_ms photo_fetch_expires_at(cf_day respond_by);
