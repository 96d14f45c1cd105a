#include "services/intake/rules.h"

static const struct intake_edge edges[] = {
    {CF_APP_RECEIVED,         INTAKE_ON_ACCEPT,        CF_APP_ACCEPTED        },
    {CF_APP_RECEIVED,         INTAKE_ON_NOTICE,        CF_APP_NOTICED         },
    {CF_APP_RECEIVED,         INTAKE_ON_REJECT,        CF_APP_REJECTED        },
    {CF_APP_RECEIVED,         INTAKE_ON_WITHDRAW,      CF_APP_WITHDRAWN       },
    {CF_APP_RECEIVED,         INTAKE_ON_CLOSE,         CF_APP_CLOSED          },
    {CF_APP_NOTICED,          INTAKE_ON_ACCEPT,        CF_APP_ACCEPTED        },
    {CF_APP_NOTICED,          INTAKE_ON_NOTICE,        CF_APP_NOTICED         },
    {CF_APP_NOTICED,          INTAKE_ON_REJECT,        CF_APP_REJECTED        },
    {CF_APP_NOTICED,          INTAKE_ON_WITHDRAW,      CF_APP_WITHDRAWN       },
    {CF_APP_NOTICED,          INTAKE_ON_EXPIRE,        CF_APP_EXPIRED         },
    {CF_APP_NOTICED,          INTAKE_ON_CLOSE,         CF_APP_CLOSED          },
    /* From here on photo-fetch and production decide; intake only follows. */
    {CF_APP_ACCEPTED,         INTAKE_ON_READY,         CF_APP_READY_FOR_PICKUP},
    {CF_APP_ACCEPTED,         INTAKE_ON_FAIL,          CF_APP_ACCEPTED        },
    {CF_APP_ACCEPTED,         INTAKE_ON_COLLECT,       CF_APP_COLLECTED       },
    {CF_APP_ACCEPTED,         INTAKE_ON_WITHDRAW,      CF_APP_WITHDRAWN       },
    {CF_APP_ACCEPTED,         INTAKE_ON_EXPIRE,        CF_APP_EXPIRED         },
    {CF_APP_ACCEPTED,         INTAKE_ON_CLOSE,         CF_APP_CLOSED          },
    /* A temporary card that nobody fetched while it was valid: it was never on its way. */
    {CF_APP_ACCEPTED,         INTAKE_ON_PICKUP_EXPIRE, CF_APP_PICKUP_EXPIRED  },
    {CF_APP_READY_FOR_PICKUP, INTAKE_ON_READY,         CF_APP_READY_FOR_PICKUP},
    {CF_APP_READY_FOR_PICKUP, INTAKE_ON_FAIL,          CF_APP_ACCEPTED        },
    {CF_APP_READY_FOR_PICKUP, INTAKE_ON_COLLECT,       CF_APP_COLLECTED       },
    {CF_APP_READY_FOR_PICKUP, INTAKE_ON_WITHDRAW,      CF_APP_WITHDRAWN       },
    {CF_APP_READY_FOR_PICKUP, INTAKE_ON_CLOSE,         CF_APP_CLOSED          },
    {CF_APP_READY_FOR_PICKUP, INTAKE_ON_PICKUP_EXPIRE, CF_APP_PICKUP_EXPIRED  },
};

const struct intake_edge *intake_edges(size_t *n)
{
    *n = sizeof edges / sizeof *edges;
    return edges;
}

const char *intake_event_name(enum intake_event on)
{
    static const char *const names[] = {
#define X(value, name) name,
        INTAKE_EVENTS(X)
#undef X
    };
    return names[on];
}

enum cf_app_state intake_state_next(enum cf_app_state from, enum intake_event on)
{
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        if (edges[i].from == from && edges[i].on == on) return edges[i].to;
    return CF_APP_NONE;
}

const char *intake_count_name(enum intake_count c)
{
    static const char *const names[] = {
#define X(value, name) name,
        INTAKE_COUNTS(X)
#undef X
    };
    return names[c];
}

enum intake_count intake_count_of(enum cf_app_state state)
{
    switch (state) {
    case CF_APP_RECEIVED: return INTAKE_COUNT_RECEIVED;
    case CF_APP_NOTICED: return INTAKE_COUNT_NOTICED;
    case CF_APP_REJECTED: return INTAKE_COUNT_REJECTED;
    case CF_APP_ACCEPTED:
    case CF_APP_PHOTO_MISSING:
    case CF_APP_PHOTO_READY:
    case CF_APP_BATCHED:
    case CF_APP_ACCOUNT_FAILED:
    case CF_APP_ACCOUNT_OPENED:
    case CF_APP_PRODUCTION_FAILED:
    case CF_APP_PRODUCED:
    case CF_APP_SHIPPED: return INTAKE_COUNT_ACCEPTED;
    case CF_APP_READY_FOR_PICKUP: return INTAKE_COUNT_READY;
    case CF_APP_COLLECTED:
    case CF_APP_WITHDRAWN:
    case CF_APP_EXPIRED:
    case CF_APP_PICKUP_EXPIRED:
    case CF_APP_CLOSED: return INTAKE_COUNT_ENDED;
    case CF_APP_NONE:
    case CF_APP_COUNT: break;
    }
    return INTAKE_COUNT_COUNT;
}
