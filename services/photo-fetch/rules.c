#include "services/photo-fetch/rules.h"

#include "common/pure/date.h"

/* clang-format off */
static const struct photo_fetch_edge edges[] = {
    /* A holder has one open application; an earlier one has ended, here or elsewhere. */
    {PHOTO_NONE,     PHOTO_ON_TAKE_FETCH,   PHOTO_FETCHING},
    {PHOTO_NONE,     PHOTO_ON_TAKE_READY,   PHOTO_READY   },
    {PHOTO_NONE,     PHOTO_ON_TAKE_MISSING, PHOTO_MISSING },
    {PHOTO_FETCHING, PHOTO_ON_TAKE_FETCH,   PHOTO_FETCHING},
    {PHOTO_FETCHING, PHOTO_ON_TAKE_READY,   PHOTO_READY   },
    {PHOTO_FETCHING, PHOTO_ON_TAKE_MISSING, PHOTO_MISSING },
    {PHOTO_MISSING,  PHOTO_ON_TAKE_FETCH,   PHOTO_FETCHING},
    {PHOTO_MISSING,  PHOTO_ON_TAKE_READY,   PHOTO_READY   },
    {PHOTO_MISSING,  PHOTO_ON_TAKE_MISSING, PHOTO_MISSING },
    {PHOTO_READY,    PHOTO_ON_TAKE_FETCH,   PHOTO_FETCHING},
    {PHOTO_READY,    PHOTO_ON_TAKE_READY,   PHOTO_READY   },
    {PHOTO_READY,    PHOTO_ON_TAKE_MISSING, PHOTO_MISSING },
    {PHOTO_STOPPED,  PHOTO_ON_TAKE_FETCH,   PHOTO_FETCHING},
    {PHOTO_STOPPED,  PHOTO_ON_TAKE_READY,   PHOTO_READY   },
    {PHOTO_STOPPED,  PHOTO_ON_TAKE_MISSING, PHOTO_MISSING },
    {PHOTO_EXPIRED,  PHOTO_ON_TAKE_FETCH,   PHOTO_FETCHING},
    {PHOTO_EXPIRED,  PHOTO_ON_TAKE_READY,   PHOTO_READY   },
    {PHOTO_EXPIRED,  PHOTO_ON_TAKE_MISSING, PHOTO_MISSING },

    {PHOTO_FETCHING, PHOTO_ON_GOT,          PHOTO_READY   },
    {PHOTO_FETCHING, PHOTO_ON_NOT_THERE,    PHOTO_MISSING },
    {PHOTO_FETCHING, PHOTO_ON_AGAIN,        PHOTO_FETCHING},
    {PHOTO_FETCHING, PHOTO_ON_UPLOAD,       PHOTO_READY   },
    {PHOTO_FETCHING, PHOTO_ON_WAIVE,        PHOTO_READY   },
    {PHOTO_MISSING,  PHOTO_ON_UPLOAD,       PHOTO_READY   },
    {PHOTO_MISSING,  PHOTO_ON_WAIVE,        PHOTO_READY   },
    {PHOTO_MISSING,  PHOTO_ON_EXPIRE,       PHOTO_EXPIRED },

    /* production alone answers a withdrawal: from READY on there is nothing to stop here. */
    {PHOTO_NONE,     PHOTO_ON_STOP,         PHOTO_NONE    },
    {PHOTO_FETCHING, PHOTO_ON_STOP,         PHOTO_STOPPED },
    {PHOTO_MISSING,  PHOTO_ON_STOP,         PHOTO_STOPPED },
    {PHOTO_READY,    PHOTO_ON_STOP,         PHOTO_READY   },
    {PHOTO_STOPPED,  PHOTO_ON_STOP,         PHOTO_STOPPED },
    {PHOTO_EXPIRED,  PHOTO_ON_STOP,         PHOTO_EXPIRED },
};
/* clang-format on */

const struct photo_fetch_edge *photo_fetch_edges(size_t *n)
{
    *n = sizeof edges / sizeof *edges;
    return edges;
}

bool photo_fetch_next(enum photo_state from, enum photo_event on, enum photo_state *to)
{
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        if (edges[i].from != from || edges[i].on != on) continue;
        *to = edges[i].to;
        return true;
    }
    return false;
}

const char *photo_fetch_state_name(enum photo_state state)
{
    static const char *const names[PHOTO_STATE_COUNT] = {"none",  "fetching", "missing",
                                                         "ready", "stopped",  "expired"};
    return state < PHOTO_STATE_COUNT ? names[state] : "";
}

const char *photo_fetch_source_name(enum photo_source source)
{
    switch (source) {
    case PHOTO_FROM_NOWHERE:
        return "";
    case PHOTO_FROM_POLICE:
        return cf_photo_choice_name(CF_PHOTO_PUBLIC_SECURITY);
    case PHOTO_FROM_UPLOAD:
        return cf_photo_choice_name(CF_PHOTO_UPLOAD);
    case PHOTO_FROM_WAIVER:
        return cf_photo_choice_name(CF_PHOTO_NONE_DECLARED);
    }
    return "";
}

/* The police hold photos of those with a resident's number; the household book shows the same. */
static bool police_have(enum cf_doc_type type)
{
    return type == CF_DOC_RESIDENT_ID || type == CF_DOC_HOUSEHOLD_BOOK;
}

struct photo_fetch_plan photo_fetch_plan(const struct photo_fetch_facts *facts)
{
    /* Measures: a child's card may be made without a photo when the guardian declares so. */
    if (facts->choice == CF_PHOTO_NONE_DECLARED && facts->is_child)
        return (struct photo_fetch_plan){PHOTO_ON_TAKE_READY, PHOTO_FROM_WAIVER, 0};
    if (facts->has_photo)
        return (struct photo_fetch_plan){PHOTO_ON_TAKE_READY, PHOTO_FROM_UPLOAD, 0};
    if (facts->choice == CF_PHOTO_PUBLIC_SECURITY && police_have(facts->document_type))
        return (struct photo_fetch_plan){PHOTO_ON_TAKE_FETCH, PHOTO_FROM_NOWHERE, 0};
    return (struct photo_fetch_plan){PHOTO_ON_TAKE_MISSING, PHOTO_FROM_NOWHERE,
                                     CF_PHOTO_BAD_NOT_GIVEN};
}

cf_day photo_fetch_respond_by(cf_ms now, int days)
{
    return cf_day_of_ms(now) + days;
}

cf_ms photo_fetch_expires_at(cf_day respond_by)
{
    return cf_ms_of_day(respond_by + 1);
}
