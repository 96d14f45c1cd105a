/* Everything notification reads. */
#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/complaint.pb-c.h"
#include "cardflow/v1/notification.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "services/notification/handlers.h"
#include "tests/fuzz/codec_run.h"

static const struct fuzz_topic topics[] = {
    {"application.events",    &cardflow__v1__application_event__descriptor    },
    {"photo.events",          &cardflow__v1__photo_event__descriptor          },
    {"card.events",           &cardflow__v1__card_event__descriptor           },
    {"complaint.events",      &cardflow__v1__complaint_event__descriptor      },
    {"notification.internal", &cardflow__v1__notification_internal__descriptor},
    {NULL,                    NULL                                            },
};

const struct fuzz_service *fuzz_service(void)
{
    static struct fuzz_service f;
    static struct notification_env env;
    if (f.ring) return &f;
    env = (struct notification_env){
        .quiet = {true, 21 * 60, 8 * 60},
        .backoff = 1000,
        .backoff_max = 60000,
        .give_up = (cf_ms)3 * CF_MS_PER_DAY
    };
    f = (struct fuzz_service){notification_service(&env), fuzz_ring(), topics, NULL};
    return &f;
}
