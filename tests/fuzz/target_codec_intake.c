/* Everything intake reads. */
#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/enrolment.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "services/intake/handlers.h"
#include "tests/fuzz/codec_run.h"
#include "tests/fuzz/fuzz.h"

static const struct fuzz_topic topics[] = {
    {"enrolment.events",     &cardflow__v1__enrolment_event__descriptor    },
    {"unit.events",          &cardflow__v1__unit_event__descriptor         },
    {"application.commands", &cardflow__v1__application_command__descriptor},
    {"photo.events",         &cardflow__v1__photo_event__descriptor        },
    {"card.events",          &cardflow__v1__card_event__descriptor         },
    {"intake.internal",      &cardflow__v1__intake_internal__descriptor    },
    {NULL,                   NULL                                          },
};

/* The holder of the plain person. */
static bool key_of_person(ProtobufCBinaryData plain, ProtobufCBinaryData id, struct cf_key *key)
{
    static const uint8_t nobody[16];
    struct cf_arena *a = cf_arena_new(4 << 20);
    struct intake_person p;
    bool good = !intake_codec_person(a, cf_bytes(plain), &p);
    if (good) intake_codec_key(fuzz_ring(), &p, id.len == 16 ? id.data : nobody, key);
    cf_arena_free(a);
    return good;
}

static bool key(const ProtobufCMessage *m, struct cf_key *key)
{
    const ProtobufCBinaryData none = {0, NULL};
    if (m->descriptor == &cardflow__v1__application_command__descriptor) {
        const Cardflow__V1__ApplicationCommand *c = (const void *)m;
        if (c->body_case == CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUBMIT)
            return key_of_person(c->submit->person, c->submit->application_id, key);
    } else if (m->descriptor == &cardflow__v1__enrolment_event__descriptor) {
        const Cardflow__V1__EnrolmentEvent *e = (const void *)m;
        if (e->body_case == CARDFLOW__V1__ENROLMENT_EVENT__BODY_REGISTERED ||
            e->body_case == CARDFLOW__V1__ENROLMENT_EVENT__BODY_CHANGED)
            return key_of_person(e->registered->person, none, key);
        if (e->body_case == CARDFLOW__V1__ENROLMENT_EVENT__BODY_ENDED)
            return key_of_person(e->ended->person, none, key);
        if (e->body_case == CARDFLOW__V1__ENROLMENT_EVENT__BODY_DOCUMENT_CHANGED)
            return key_of_person(e->document_changed->old_person, none, key);
    } else if (m->descriptor == &cardflow__v1__unit_event__descriptor) {
        const Cardflow__V1__UnitEvent *u = (const void *)m;
        if (u->body_case != CARDFLOW__V1__UNIT_EVENT__BODY__NOT_SET)
            return cf_key_unit(cf_str_of(u->unit_registered->unit_code), key);
    } else if (m->descriptor == &cardflow__v1__intake_internal__descriptor) {
        const Cardflow__V1__IntakeInternal *i = (const void *)m;
        const ProtobufCBinaryData *id = NULL;
        if (i->body_case == CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_OPENED)
            id = &i->roster_opened->roster_id;
        if (i->body_case == CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROW_OUTCOME)
            id = &i->row_outcome->roster_id;
        if (id && id->len == 16) {
            *key = cf_key_roster(id->data);
            return true;
        }
        if (i->body_case == CARDFLOW__V1__INTAKE_INTERNAL__BODY_MOVED)
            return key_of_person(i->moved->person, i->moved->application_id, key);
    }
    return false;
}

const struct fuzz_service *fuzz_service(void)
{
    static struct fuzz_service f;
    static struct intake_env env;
    static struct cf_outlets outlets;
    struct cf_outlets_error error;
    if (f.ring) return &f;
    static struct cf_arena *arena;
    arena = cf_arena_new(16 << 20);
    MUST(!cf_outlets_load(arena, fuzz_data("outlets.csv"), &outlets, &error));
    env = (struct intake_env){fuzz_ring(), fuzz_calendar(), &outlets, 24 * 3600000, {7},
                              fuzz_policies()};
    f = (struct fuzz_service){intake_service(&env), fuzz_ring(), topics, key};
    return &f;
}
