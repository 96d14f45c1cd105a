/* Everything complaint-handling reads. */
#include "cardflow/v1/complaint.pb-c.h"
#include "services/complaint-handling/handlers.h"
#include "tests/fuzz/codec_run.h"

static const struct fuzz_topic topics[] = {
    {"complaint.commands",          &cardflow__v1__complaint_command__descriptor },
    {"complaint-handling.internal", &cardflow__v1__complaint_internal__descriptor},
    {NULL,                          NULL                                         },
};

/* Of the order. */
static bool key(const ProtobufCMessage *m, struct cf_key *key)
{
    if (m->descriptor != &cardflow__v1__complaint_command__descriptor) return false;
    const Cardflow__V1__ComplaintCommand *c = (const void *)m;
    *key = complaint_codec_key(cf_str_of(c->source_system), cf_str_of(c->order_no));
    return true;
}

const struct fuzz_service *fuzz_service(void)
{
    static struct fuzz_service f;
    static struct complaint_env env;
    if (f.ring) return &f;
    env = (struct complaint_env){.ring = fuzz_ring(),
                                 .calendar = fuzz_calendar(),
                                 .can_ask = true,
                                 .ask_again = 100,
                                 .ask_max = 3};
    for (int i = 0; i < COMPLAINT_KIND_COUNT; i++)
        env.owners[i] = CF_STR("desk");
    f = (struct fuzz_service){complaint_service(&env), fuzz_ring(), topics, key};
    return &f;
}
