/* Everything production reads. */
#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "services/production/handlers.h"
#include "tests/fuzz/codec_run.h"
#include "tests/fuzz/fuzz.h"

static const struct fuzz_topic topics[] = {
    {"application.events",  &cardflow__v1__application_event__descriptor  },
    {"photo.events",        &cardflow__v1__photo_event__descriptor        },
    {"card.commands",       &cardflow__v1__card_command__descriptor       },
    {"bank.results",        &cardflow__v1__bank_result__descriptor        },
    {"production.internal", &cardflow__v1__production_internal__descriptor},
    {NULL,                  NULL                                          },
};

/* Of the holder whose plain document stands in the command. */
static bool key(const ProtobufCMessage *m, struct cf_key *key)
{
    char number[CF_IDNUM_MAX];
    unsigned warnings = 0;
    uint8_t ref[CF_REF_LEN];
    if (m->descriptor != &cardflow__v1__card_command__descriptor) return false;
    const Cardflow__V1__CardCommand *c = (const void *)m;
    Cardflow__V1__Person *p = cardflow__v1__person__unpack(NULL, c->holder.len, c->holder.data);
    if (!p) return false;
    size_t n = cf_idnum_normalise(cf_str_of(p->document_number), number, &warnings);
    bool good = cf_holder_ref(fuzz_ring(), cf_doc_type_parse(cf_str_of(p->document_type)),
                              (struct cf_str){number, n}, ref);
    if (good) *key = cf_key_holder(ref);
    cardflow__v1__person__free_unpacked(p, NULL);
    return good;
}

const struct fuzz_service *fuzz_service(void)
{
    static struct fuzz_service f;
    static struct production_env env;
    if (f.ring) return &f;
    env = (struct production_env){
        .ring = fuzz_ring(),
        .calendar = fuzz_calendar(),
        .deadlines = fuzz_policies(),
        .policy = {.answer_ms = 432000000,
                   .pickup_ms = (cf_ms)365 * CF_MS_PER_DAY,
                   .account_ms = (cf_ms)30 * CF_MS_PER_DAY,
                   .loss_ms = (cf_ms)7 * CF_MS_PER_DAY,
                   .operation_wait_ms = 10000,
                   .early_ms = 3600000,
                   .number_retry_ms = 60000,
                   .remake_max = 3,
                   .card_years = 10,
                   .temporary_days = 60,
                   .temporary_months = 6,
                   .batch_lines = 2,
                   .batch_wait_ms = 1000,
                   .daily_capacity = 2,
                   .priority_quota = 50,
                   .lead_days = 3,
                   .warn_days = 2},
        .letters = "BC",
        .number_key = {7}
    };
    f = (struct fuzz_service){production_service(&env), fuzz_ring(), topics, key};
    return &f;
}
