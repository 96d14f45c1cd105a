/* Everything inquiry reads. */
#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/audit.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/complaint.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "cardflow/v1/status.pb-c.h"
#include "services/inquiry/handlers.h"
#include "tests/fuzz/codec_run.h"

static const struct fuzz_topic topics[] = {
    {"application.events",      &cardflow__v1__application_event__descriptor     },
    {"photo.events",            &cardflow__v1__photo_event__descriptor           },
    {"card.events",             &cardflow__v1__card_event__descriptor            },
    {"complaint.holder-events", &cardflow__v1__complaint_holder_event__descriptor},
    {"audit.events",            &cardflow__v1__audit_event__descriptor           },
    {"inquiry.internal",        &cardflow__v1__inquiry_internal__descriptor      },
    {NULL,                      NULL                                             },
};

const struct fuzz_service *fuzz_service(void)
{
    static struct fuzz_service f;
    static struct inquiry_env env;
    static struct inquiry_counts counts;
    if (f.ring) return &f;
    env = (struct inquiry_env){.counts = &counts};
    f = (struct fuzz_service){inquiry_service(&env), fuzz_ring(), topics, NULL};
    return &f;
}
