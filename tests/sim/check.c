/* check -- the rules that nothing may break. */
#include "cardflow/v1/card.pb-c.h"
#include "common/pure/hash.h"
#include "services/complaint-handling/store.h"
#include "services/inquiry/store.h"
#include "services/intake/store.h"
#include "services/notification/codec.h"
#include "services/production/store.h"
#include "tests/sim/sim.h"

#include <stdlib.h>

enum { TABLE = 1 << 17, CARDS = 4, REMINDERS = 3, ARENA = 4 << 20 };

static struct cf_arena *arena;

static struct cf_arena *scratch(void)
{
    if (!arena) arena = cf_arena_new(ARENA);
    cf_arena_reset(arena);
    return arena;
}

/* ---- streams: no number is left out, none says two things ------------------------------------ */

static struct sim_stream *stream_of(struct sim_part *p, struct cf_str source)
{
    size_t i = 0;
    while (i < SIM_STREAMS && p->streams[i].source[0] && !cf_str_is(source, p->streams[i].source))
        i++;
    if (i == SIM_STREAMS || source.len >= sizeof p->streams[i].source) CF_BUG("too many sources");
    memcpy(p->streams[i].source, source.ptr, source.len);
    return &p->streams[i];
}

/* True when it is said for the first time. */
static bool check_stream(const struct sim_topic *topic, int32_t part, const struct sim_record *r)
{
    struct sim_stream *s =
        stream_of((struct sim_part *)(uintptr_t)&topic->parts[part], r->cf_src);
    if (r->cf_no <= s->n) {
        if (s->hashes[r->cf_no - 1] != r->hash)
            sim_broken("%s/%d: %s: number %lld is of two messages", topic->name, part, s->source,
                       (long long)r->cf_no);
        return false;
    }
    if (r->cf_no != s->n + 1)
        sim_broken("%s/%d: %s: number %lld follows %lld", topic->name, part, s->source,
                   (long long)r->cf_no, (long long)s->n);
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        s->hashes = cf_realloc(s->hashes, (size_t)s->cap * sizeof *s->hashes);
    }
    s->hashes[s->n++] = r->hash;
    return true;
}

/* ---- cards: one usable a holder -------------------------------------------------------------- */

static struct holder {
    struct cf_key key;
    struct {
        char no[16];
        bool usable, temporary;
    } cards[CARDS];
} *holders;

static struct holder *holder_of(struct cf_str key)
{
    if (!holders) holders = cf_calloc(TABLE, sizeof *holders);
    size_t i = cf_hash64(key.ptr, key.len) % TABLE;
    while (holders[i].key.len && !cf_str_eq(cf_key_str(&holders[i].key), key))
        i = (i + 1) % TABLE;
    if (!cf_key_bytes(key.ptr, key.len, &holders[i].key)) sim_broken("a card without a holder");
    return &holders[i];
}

/* ---- operations: each answered once ---------------------------------------------------------- */

static void check_answer(const Cardflow__V1__CardEvent__OperationAnswered *x)
{
    static uint64_t *answered;
    if (!answered) answered = cf_calloc(TABLE, sizeof *answered);
    uint64_t h = cf_hash64(x->operation_id.data, x->operation_id.len) | 1;
    size_t i = h % TABLE;
    while (answered[i] && answered[i] != h)
        i = (i + 1) % TABLE;
    if (answered[i]) sim_broken("a card operation is answered twice");
    answered[i] = h;
}

static void check_card(const struct sim_record *r)
{
    const Cardflow__V1__CardEvent *e =
        cf_unpack(scratch(), &cardflow__v1__card_event__descriptor, r->value);
    if (!e) sim_broken("an event of a card cannot be read");
    if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_OPERATION_ANSWERED)
        check_answer(e->operation_answered);
    if (e->body_case != CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED) return;
    struct holder *h = holder_of(r->key);
    int usable[2] = {0}, i = 0;
    while (i < CARDS && h->cards[i].no[0] && strcmp(h->cards[i].no, e->card_no))
        i++;
    if (i == CARDS || strlen(e->card_no) >= sizeof h->cards[i].no)
        sim_broken("a holder has more cards than anybody asked for");
    memcpy(h->cards[i].no, e->card_no, strlen(e->card_no) + 1);
    h->cards[i].usable = cf_card_state_is_usable(cf_card_state_parse(
                             cf_str_of(e->card_changed->state)));
    h->cards[i].temporary = e->card_changed->temporary;
    if (!strcmp(e->card_changed->operation, "activate"))
        sim_cards_activated(&h->key, e->card_no, e->bank_code);
    for (i = 0; i < CARDS; i++)
        usable[h->cards[i].temporary] += h->cards[i].usable;
    if (usable[0] > 1 || usable[1] > 1)
        sim_broken("a holder has %d usable cards and %d temporary ones", usable[0], usable[1]);
    if (usable[1] && !e->card_changed->temporary &&
        !strcmp(e->card_changed->operation, "activate"))
        sim_broken("a permanent card is activated beside a temporary one in use");
}

void sim_check_record(const struct sim_topic *topic, int32_t part, const struct sim_record *r)
{
    if (!r->cf_src.len) return;
    if (!check_stream(topic, part, r)) return;
    if (!strcmp(topic->name, "card.events")) check_card(r);
}

/* ---- the SMS gateway: each message once ------------------------------------------------------ */

static struct sms {
    uint64_t said; /* hash of what stands in the message; 0: free */
    uint8_t id[16], app[16];
    int template;
} *all_sms;

static size_t slot_of_sms(uint64_t h, const uint8_t id[16])
{
    size_t i = h % TABLE;
    while (all_sms[i].said && memcmp(all_sms[i].id, id, 16))
        i = (i + 1) % TABLE;
    return i;
}

/* What has been told to a holder, by application (zero: by none) and template: under which id. */
static struct told {
    struct cf_key holder;
    uint8_t app[16], id[16];
    int template; /* 0: free */
    int reminders;
} *all_told;

static struct told *told_of(const struct cf_key *holder, const uint8_t app[16], int template)
{
    size_t i = cf_hash64_seed(app, 16, cf_key_hash(holder) + (uint64_t)template) % TABLE;
    while (all_told[i].template &&
           (all_told[i].template != template || memcmp(all_told[i].app, app, 16) ||
            !cf_key_eq(&all_told[i].holder, holder)))
        i = (i + 1) % TABLE;
    return &all_told[i];
}

void sim_check_sms(const struct cf_work *w, struct cf_arena *a)
{
    struct notification_job job;
    if (!all_sms) all_sms = cf_calloc(TABLE, sizeof *all_sms);
    if (!all_told) all_told = cf_calloc(TABLE, sizeof *all_told);
    if (notification_codec_job_read(a, w->args, &job)) sim_broken("a message cannot be read");
    uint64_t said = cf_hash64_seed(w->args.ptr, w->args.len, cf_key_hash(&w->key)) | 1;
    struct sms *s = &all_sms[slot_of_sms(cf_hash64(w->id, 16), w->id)];
    if (s->said && s->said != said) sim_broken("one id at the gateway has two messages");
    s->said = said;
    memcpy(s->id, w->id, 16);
    /* What happens to a card is told each time it happens. */
    if (!memcmp(job.application_id, (uint8_t[16]){0}, 16))
        memcpy(job.application_id, job.event_id, 16);
    struct told *t = told_of(&w->key, job.application_id, (int)job.template);
    bool again = job.template == NOTIFY_READY_FOR_PICKUP && sim_story_arrives_twice(&w->key);
    bool other = t->template && memcmp(t->id, w->id, 16);
    if (other && job.template == NOTIFY_REMINDER && ++t->reminders < REMINDERS) again = true;
    if (other && !again)
        sim_broken("a holder is told %s twice", notification_template_name(job.template));
    t->holder = w->key;
    memcpy(t->app, job.application_id, 16);
    memcpy(t->id, w->id, 16);
    t->template = (int)job.template;
}

/* ---- between steps --------------------------------------------------------------------------- */

struct numbers {
    const struct production_issued **v;
    size_t n, cap;
};

static void add_number(void *arg, const struct cf_key *key, const void *row)
{
    struct numbers *all = arg;
    (void)key;
    if (all->n == all->cap) {
        all->cap = all->cap ? 2 * all->cap : 256;
        all->v = cf_realloc(all->v, all->cap * sizeof *all->v);
    }
    all->v[all->n++] = row;
}

static int by_number(const void *a, const void *b)
{
    const struct production_issued *const *x = a, *const *y = b;
    return strcmp((*x)->card_no.ptr, (*y)->card_no.ptr);
}

static size_t check_numbers(void)
{
    struct numbers all = {0};
    sim_store_rows(sim_data_of(SIM_PRODUCTION), true, PRODUCTION_ISSUED, add_number, &all);
    if (all.n) qsort(all.v, all.n, sizeof *all.v, by_number);
    for (size_t i = 1; i < all.n; i++)
        if (cf_str_eq(all.v[i - 1]->card_no, all.v[i]->card_no))
            sim_broken("card number %.*s was given out twice", CF_ARG(all.v[i]->card_no));
    free(all.v);
    return all.n;
}

void sim_check_now(void)
{
    check_numbers();
}

/* ---- at the end ------------------------------------------------------------------------------ */

static const void *wide(enum sim_service service, uint16_t aux, const struct cf_key *holder,
                        const uint8_t id[16])
{
    struct cf_key key;
    int16_t part = (int16_t)cf_key_partition(holder, SIM_PARTS);
    return cf_key_bytes(id, 16, &key) ? sim_store_row(sim_data_of(service), true, aux, part, &key)
                                      : NULL;
}

static const void *aggregate(enum sim_service service, const struct cf_key *key)
{
    int16_t part = (int16_t)cf_key_partition(key, SIM_PARTS);
    return sim_store_row(sim_data_of(service), false, 0, part, key);
}

static bool is_accepted(const struct sim_person *p, const uint8_t id[16], size_t i)
{
    const struct intake_application *app = wide(SIM_INTAKE, INTAKE_AUX_APPLICATION, &p->key, id);
    if (!app) sim_broken("person %zu: an application is lost", i);
    bool accepted = app->receipt_no.len > 0;
    if (!accepted && app->state != CF_APP_REJECTED && app->state != CF_APP_NOTICED)
        sim_broken("person %zu: an application is in state %d for good", i, app->state);
    return accepted;
}

/* What came under a newer document has gone to the first one. */
static void check_renewed(const struct sim_person *p, size_t i)
{
    if (!p->renewed.len) return;
    const struct intake_holder *h = aggregate(SIM_INTAKE, &p->renewed);
    if (!h || !cf_key_eq(&h->alias_of, &p->key))
        sim_broken("person %zu: the new document leads nowhere", i);
    const struct inquiry_row *document = aggregate(SIM_INQUIRY, &p->renewed);
    if (!document || !document->version)
        sim_broken("person %zu: inquiry has not heard of the new document", i);
}

static void count_application(void *arg, const struct cf_key *key, const void *row)
{
    const struct intake_application *app = row;
    (void)key;
    if (!app->moved_to.len) ++*(size_t *)arg;
}

static void check_told(const struct cf_key *holder, const uint8_t app[16], int template, size_t i)
{
    if (!all_told || !told_of(holder, app, template)->template)
        sim_broken("person %zu: has not been told %s", i,
                   notification_template_name((enum notification_template)template));
}

static void check_person(const struct sim_person *p, size_t i)
{
    static const uint8_t zero[16];
    if (sim_check_story(p, i)) return;
    bool second = memcmp(p->second, zero, 16) && is_accepted(p, p->second, i);
    if (is_accepted(p, p->app, i) == second)
        sim_broken("person %zu: %s application is accepted", i, second ? "every" : "no");
    const uint8_t *app = second ? p->second : p->app;
    const struct production_row *row = aggregate(SIM_PRODUCTION, &p->key);
    if (!row || memcmp(row->app_id, app, 16)) sim_broken("person %zu: production has lost it", i);
    if (!cf_str_is(row->app_state, "collected") || !cf_str_is(row->card_state, "normal"))
        sim_broken("person %zu: ends as %.*s, card %.*s", i, CF_ARG(row->app_state),
                   CF_ARG(row->card_state));
    const struct intake_ended *ended = wide(SIM_INTAKE, INTAKE_AUX_ENDED, &p->key, app);
    if (!ended || !ended->activated_at) sim_broken("person %zu: intake has not heard of it", i);
    const struct inquiry_row *document = aggregate(SIM_INQUIRY, &p->key);
    if (!document || !document->version) sim_broken("person %zu: inquiry knows nothing", i);
    check_told(&p->key, app, NOTIFY_ACCEPTED, i);
    check_told(&p->key, app, NOTIFY_READY_FOR_PICKUP, i);
    check_renewed(p, i);
}

static size_t dead_letters(void)
{
    const struct sim_topic *t = sim_topic("application.commands.dlq");
    size_t n = 0;
    for (int p = 0; p < SIM_PARTS; p++)
        for (size_t i = 0; i < SIM_STREAMS; i++)
            n += (size_t)t->parts[p].streams[i].n;
    return n;
}

void sim_check_end(void)
{
    static const uint8_t zero[16];
    const struct sim_person *persons;
    size_t n = sim_persons(&persons), submitted = n, kept = 0, orders = 0;
    sim_check_now();
    for (size_t i = 0; i < n; i++) {
        check_person(&persons[i], i);
        submitted += memcmp(persons[i].second, zero, 16) != 0;
        submitted += memcmp(persons[i].temporary, zero, 16) != 0;
    }
    sim_store_rows(sim_data_of(SIM_INTAKE), true, INTAKE_AUX_APPLICATION, count_application,
                   &kept);
    sim_store_rows(sim_data_of(SIM_COMPLAINT), false, 0, sim_check_order, &orders);
    if (kept != submitted)
        sim_broken("%zu applications were submitted, %zu are there", submitted, kept);
    if (dead_letters() != sim_malformed())
        sim_broken("%zu malformed records, %zu dead letters", sim_malformed(), dead_letters());
    sim_cards_check_end();
    if (orders != sim_complaints())
        sim_broken("%zu complaints, %zu work orders", sim_complaints(), orders);
}
