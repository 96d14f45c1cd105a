/* year_said -- what happens, a line each, for year.py. */
#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/complaint.pb-c.h"
#include "cardflow/v1/notification.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "cardflow/v1/unit.pb-c.h"
#include "tests/city/year.h"

#include <stdarg.h>
#include <stdio.h>

void year_say(cf_ms at, const struct year_person *p, const char *format, ...)
{
    va_list args;
    printf("%lld\t%u\t%s\t", (long long)at, p ? p->person.no : 0,
           p ? year_part_name(p->part) : "-");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static const void *read_value(const ProtobufCMessageDescriptor *d, const struct sim_record *r)
{
    const void *m = cf_unpack(city_arena(), d, r->value);
    if (!m) sim_broken("an event cannot be read");
    return m;
}

static const char *first(size_t n, char **words)
{
    return n ? words[0] : "-";
}

static void application(struct year_person *p, const struct sim_record *r)
{
    const Cardflow__V1__ApplicationEvent *e =
        read_value(&cardflow__v1__application_event__descriptor, r);
    if (e->body_case == CARDFLOW__V1__APPLICATION_EVENT__BODY_ACCEPTED)
        year_say(e->at_ms, p, "accepted %d %d %d", (int)e->kind, e->accepted->accepted_on,
                 e->accepted->due_on);
    if (e->body_case == CARDFLOW__V1__APPLICATION_EVENT__BODY_NOTICED)
        year_say(e->at_ms, p, "noticed %s %d",
                 first(e->noticed->n_reasons, e->noticed->reasons), e->noticed->respond_by);
    if (e->body_case == CARDFLOW__V1__APPLICATION_EVENT__BODY_ENDED)
        year_say(e->at_ms, p, "ended %s", e->ended->state);
}

static void photo(struct year_person *p, const struct sim_record *r)
{
    const Cardflow__V1__PhotoEvent *e = read_value(&cardflow__v1__photo_event__descriptor, r);
    if (e->body_case == CARDFLOW__V1__PHOTO_EVENT__BODY_MISSING)
        year_say(e->at_ms, p, "photo_missing %d", e->missing->respond_by);
    if (e->body_case == CARDFLOW__V1__PHOTO_EVENT__BODY_ENDED)
        year_say(e->at_ms, p, "photo_ended %s", e->ended->state);
}

static void card(struct year_person *p, const struct sim_record *r)
{
    const Cardflow__V1__CardEvent *e = read_value(&cardflow__v1__card_event__descriptor, r);
    if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_STEP)
        year_say(e->at_ms, p, "step %s %s", e->step->state,
                 e->step->reason[0] ? e->step->reason : "-");
    if (p && strlen(e->card_no) < sizeof p->card) memcpy(p->card, e->card_no, strlen(e->card_no) + 1);
    if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED)
        year_say(e->at_ms, p, "card %s %s %d", e->card_changed->operation, e->card_changed->state,
                 e->card_changed->valid_until);
    if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_DEADLINE)
        year_say(e->at_ms, p, "deadline %s %d %d", e->deadline->what, e->deadline->due_on,
                 e->deadline->silent);
    if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_BANK_NOTICE)
        year_say(e->at_ms, p, "bank_notice %s %s", e->bank_notice->what,
                 e->bank_notice->acknowledged_at_ms ? "acknowledged" : "overdue");
    if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_PROMISED)
        year_say(e->at_ms, p, "promised %d", e->promised->promised_on);
    if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_OPERATION_ANSWERED)
        year_say(e->at_ms, p, "answered %s %s %s", e->operation_answered->operation,
                 e->operation_answered->result,
                 first(e->operation_answered->n_reasons, e->operation_answered->reasons));
}

static void complaint(struct year_person *p, const struct sim_record *r)
{
    const Cardflow__V1__ComplaintEvent *e =
        read_value(&cardflow__v1__complaint_event__descriptor, r);
    year_say(e->at_ms, p, "order %s %s %s %s %d", e->action, e->result, e->state,
             e->mark[0] ? e->mark : "-", e->due_on);
}

static void notification(struct year_person *p, const struct sim_record *r)
{
    const Cardflow__V1__NotificationEvent *e =
        read_value(&cardflow__v1__notification_event__descriptor, r);
    year_say(r->at, p, "notice %s %s", e->template_, e->state);
}

static void unit(struct year_person *p, const struct sim_record *r)
{
    const Cardflow__V1__UnitNotice *n = read_value(&cardflow__v1__unit_notice__descriptor, r);
    year_say(n->at_ms, p, "unit %s %d %d", n->what, n->due_on, n->silent);
}

/* Key: the bank. */
static void told(const struct sim_record *r)
{
    const Cardflow__V1__BankOrder *o = read_value(&cardflow__v1__bank_order__descriptor, r);
    struct cf_key holder;
    if (o->body_case != CARDFLOW__V1__BANK_ORDER__BODY_CARD_NOTICE) return;
    if (!cf_key_bytes(o->card_notice->routing_key.data, o->card_notice->routing_key.len, &holder))
        sim_broken("a notice of nobody");
    year_say(r->at, year_find(&holder), "told %s %u", o->card_notice->what, o->card_notice->attempt);
}

void sim_check_record(const struct sim_topic *topic, int32_t part, const struct sim_record *r)
{
    static const struct {
        const char *topic;
        void (*say)(struct year_person *p, const struct sim_record *r);
    } all[] = {
        {"application.events",  application },
        {"photo.events",        photo       },
        {"card.events",         card        },
        {"complaint.events",    complaint   },
        {"notification.events", notification},
        {"unit.notices",        unit        },
    };
    struct cf_key key;
    size_t n = strlen(topic->name);
    (void)part;
    if (n > 4 && !strcmp(topic->name + n - 4, ".dlq")) sim_broken("a dead letter in %s", topic->name);
    if (!strcmp(topic->name, "bank.orders") && cf_str_is(r->ce_type, "bank.manifest"))
        year_say(r->at, NULL, "batch");
    if (!strcmp(topic->name, "bank.orders")) told(r);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(topic->name, all[i].topic) || !cf_key_bytes(r->key.ptr, r->key.len, &key))
            continue;
        struct year_person *p = year_find(&key);
        if (!p) p = year_find_order(&key);
        all[i].say(p ? p : year_find_unit(&key), r);
    }
}
