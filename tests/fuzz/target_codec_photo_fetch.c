/* Everything photo-fetch reads. */
#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "services/photo-fetch/handlers.h"
#include "tests/fuzz/codec_run.h"

static const struct fuzz_topic topics[] = {
    {"application.events",   &cardflow__v1__application_event__descriptor},
    {"photo.commands",       &cardflow__v1__photo_command__descriptor    },
    {"photo-fetch.internal", &cardflow__v1__photo_internal__descriptor   },
    {NULL,                   NULL                                        },
};

const struct fuzz_service *fuzz_service(void)
{
    static struct fuzz_service f;
    static struct photo_fetch_env env;
    if (f.ring) return &f;
    env = (struct photo_fetch_env){.backoff = 500, .backoff_max = 60000, .days_to_give = 30};
    f = (struct fuzz_service){photo_fetch_service(&env), fuzz_ring(), topics, NULL};
    return &f;
}
