/* check_commit -- what must hold of everything that a commit has touched.
 *
 * Only the rows of the commit and the records it passes over are looked at, so that the cost of a
 * check does not grow with the run. Together they cover all: a rule about a row can only be broken
 * by the commit that writes the row. Not under --restore: a store that has gone back breaks them.
 *
 * Units    ms of the simulated clock
 * Errors   sim_broken
 */
#include "cardflow/v1/application.pb-c.h"
#include "common/io/ids.h"
#include "common/pure/hash.h"
#include "services/complaint-handling/codec.h"
#include "services/intake/codec.h"
#include "services/photo-fetch/codec.h"
#include "services/photo-fetch/store.h"
#include "services/production/early.h"
#include "services/production/handlers.h"
#include "tests/sim/store_inside.h"

enum { APPS = 1 << 17, ROOM = 1 << 20 };

static const uint8_t zero[16];
static struct cf_arena *arena;

/* ---- applications: what is known of each ----------------------------------------------------- */

static struct app {
    uint8_t id[16];
    bool there;
    bool submitted, kept;     /* intake has read it; has a row of it */
    bool accepted, made;      /* production has read that it is accepted; has it, or its end */
    bool live;                /* one row of intake, in live_part, is not a pointer to another */
    int16_t live_part, state, made_state; /* enum cf_app_state, of intake and of production */
} *apps;
static size_t n_submitted, n_kept, n_accepted, n_made, n_parked_accepted;

static struct app *app_of(const uint8_t id[16])
{
    if (!apps) apps = cf_calloc(APPS, sizeof *apps);
    size_t i = cf_hash64((const char *)id, 16) % APPS;
    while (apps[i].there && memcmp(apps[i].id, id, 16) != 0)
        i = (i + 1) % APPS;
    memcpy(apps[i].id, id, 16);
    apps[i].there = true;
    return &apps[i];
}

/* ---- work ------------------------------------------------------------------------------------ */

static const struct cf_work *work_of(struct sim_store *d, int16_t part, const uint8_t id[16])
{
    const struct work_row *w = *store_work(d, part, id);
    return w ? &w->work : NULL;
}

/* The row of work under this id is of this kind and due then; 0: there is none. */
static void check_timer(struct sim_store *d, int16_t part, const uint8_t id[16], int kind,
                        cf_ms due, const char *what)
{
    const struct cf_work *w = work_of(d, part, id);
    if (!due && !w) return;
    if (!due)
        sim_broken("%s: %s has a timer that its state does not ask for", d->service->name, what);
    if (!w) sim_broken("%s: %s has no timer", d->service->name, what);
    if (w->kind != kind || w->due != due)
        sim_broken("%s: the timer of %s is another one", d->service->name, what);
}

/* ---- intake ---------------------------------------------------------------------------------- */

static bool leads_to(enum cf_app_state from, enum cf_app_state to)
{
    if (from == to || from == CF_APP_NONE || from == CF_APP_RECEIVED) return true;
    return from == CF_APP_NOTICED && to != CF_APP_RECEIVED;
}

static const struct intake_holder *holder_of(struct sim_store *d, int16_t part,
                                             const struct cf_key *key)
{
    const struct row *row = *store_row(d, false, INTAKE_KIND_HOLDER, part, key);
    return row ? row->data : NULL;
}

/* Whoever has it open holds it in one slot, once. */
static void check_slot(struct sim_store *d, int16_t part, const uint8_t id[16],
                       const struct intake_application *row, bool open)
{
    const struct intake_holder *h = holder_of(d, part, &row->holder);
    int slots = h ? !memcmp(h->permanent.app, id, 16) + !memcmp(h->temporary.app, id, 16) : 0;
    if (open && slots != 1) sim_broken("intake: an open application is in %d slots", slots);
    if (!open && row->receipt_no.len == 0 && slots)
        sim_broken("intake: an application that has ended keeps its slot");
}

static void moved(struct app *app, int16_t part)
{
    if (app->live && app->live_part == part) app->live = false;
    if (!app->live) app->state = CF_APP_NONE;
}

static void lives(struct app *app, int16_t part, const struct intake_application *row)
{
    if (app->live && app->live_part != part)
        sim_broken("intake: an application has two current states");
    if (!leads_to((enum cf_app_state)app->state, (enum cf_app_state)row->state))
        sim_broken("intake: an application goes from %s to %s",
                   cf_app_state_name((enum cf_app_state)app->state),
                   cf_app_state_name((enum cf_app_state)row->state));
    app->live = true;
    app->live_part = part;
    app->state = row->state;
}

static void check_application(struct sim_store *d, int16_t part, const uint8_t id[16],
                              const struct intake_application *row)
{
    struct app *app = app_of(id);
    bool open = !row->moved_to.len &&
                (row->state == CF_APP_RECEIVED || row->state == CF_APP_NOTICED);
    if (!app->submitted) sim_broken("intake: an application that nobody has submitted");
    n_kept += !app->kept;
    app->kept = true;
    if (row->moved_to.len)
        moved(app, part);
    else
        lives(app, part, row);
    check_slot(d, part, id, row, open);
    if (row->state == CF_APP_EXPIRED && row->judged_at < cf_ms_of_day(row->respond_by + 1))
        sim_broken("intake: an application expires before the last day of its notice");
    const struct cf_work *w = work_of(d, part, id);
    if (open != (w != NULL) || (w && w->kind != INTAKE_WORK_TIMER))
        sim_broken("intake: an application in state %s has %s",
                   cf_app_state_name((enum cf_app_state)row->state), w ? "a timer" : "no timer");
    const struct intake_env *env = d->service->env;
    cf_ms due = row->outcome == INTAKE_WAIT ? row->judged_at + env->enrolment_wait_ms
                                            : cf_ms_of_day(row->respond_by + 1);
    if (w && w->due != due)
        sim_broken("intake: an application waits for another time than it says");
}

/* ---- photo-fetch ----------------------------------------------------------------------------- */

static void check_photo(struct sim_store *d, int16_t part, const struct photo_fetch_job *job)
{
    bool wants = job->state == PHOTO_FETCHING || job->state == PHOTO_MISSING;
    bool set = memcmp(job->work_id, zero, 16) != 0;
    const struct cf_work *w = set ? work_of(d, part, job->work_id) : NULL;
    const char *state = photo_fetch_state_name((enum photo_state)job->state);
    if (wants != (w != NULL)) sim_broken("photo-fetch: %s has %s", state, w ? "work" : "no work");
    if (!w) return;
    if (w->kind != (job->state == PHOTO_FETCHING ? PHOTO_WORK_FETCH : PHOTO_WORK_EXPIRE))
        sim_broken("photo-fetch: %s has work of another kind", state);
    if (job->state == PHOTO_MISSING && w->due != photo_fetch_expires_at(job->respond_by))
        sim_broken("photo-fetch: a photo may be handed in until another time than was said");
}

/* ---- production ------------------------------------------------------------------------------ */

/* Which state may follow which, over any number of messages of one batch. */
static bool reachable(enum cf_app_state from, enum cf_app_state to, bool temporary)
{
    static bool ways[2][CF_APP_COUNT][CF_APP_COUNT], made[2];
    bool(*way)[CF_APP_COUNT] = ways[temporary];
    size_t n;
    const struct production_app_edge *edges =
        temporary ? production_temporary_edges(&n) : production_app_edges(&n);
    for (size_t i = 0; i < n && !made[temporary]; i++)
        if (edges[i].to != CF_APP_NONE) way[edges[i].from][edges[i].to] = true;
    for (int k = 0; k < CF_APP_COUNT && !made[temporary]; k++)
        for (int i = 0; i < CF_APP_COUNT; i++)
            for (int j = 0; j < CF_APP_COUNT; j++)
                way[i][j] |= way[i][k] && way[k][j];
    made[temporary] = true;
    return from == to || from == CF_APP_NONE || way[from][to];
}

static struct app *made_of(const uint8_t id[16])
{
    struct app *app = app_of(id);
    if (!app->accepted) sim_broken("production: an application that was not accepted");
    n_made += !app->made;
    app->made = true;
    return app;
}

static void check_made(const struct production_app *a)
{
    if (a->state == CF_APP_NONE) return;
    struct app *app = made_of(a->id);
    if (!reachable((enum cf_app_state)app->made_state, a->state, a->kind == CF_KIND_TEMPORARY))
        sim_broken("production: an application goes from %s to %s",
                   cf_app_state_name((enum cf_app_state)app->made_state),
                   cf_app_state_name(a->state));
    app->made_state = (int16_t)a->state;
}

static void check_slot_cards(const struct production_slot *slot)
{
    const struct production_card *made = &slot->made, *card = &slot->card;
    if (cf_card_state_is_usable(made->state) && cf_card_state_is_usable(card->state))
        sim_broken("production: a holder has two usable cards");
    if (made->no[0] && !strcmp(made->no, card->no))
        sim_broken("production: a holder has one card twice");
}

static void production_timer_id(const struct cf_key *key, uint8_t id[16])
{
    cf_uuid8_of(id, CF_STR("production.timer"), cf_key_str(key));
}

static void check_holder(struct sim_store *d, int16_t part, const struct cf_key *key,
                         const struct production_row *row)
{
    const struct production_env *env = d->service->env;
    struct production_holder h;
    const struct production_world world = production_world_of(env, sim_now);
    struct production_early_list early = {0};
    uint8_t id[16];
    if (production_row_open(arena, row, &h) || !production_early_read(row->early, &early))
        sim_broken("production: a holder's row cannot be read");
    check_made(&h.permanent.app);
    check_made(&h.temporary.app);
    for (int i = 0; i < PRODUCTION_ENDED_KEPT; i++)
        if (memcmp(h.ended[i], zero, 16) != 0) made_of(h.ended[i]);
    check_slot_cards(&h.permanent);
    check_slot_cards(&h.temporary);
    cf_ms next = production_next_due(&h);
    cf_ms wait = production_early_next_due(&early, &env->policy);
    if (wait && (!next || wait < next)) next = wait;
    cf_ms mark = production_deadline_next_due(&h, &world);
    if (mark && (!next || mark < next)) next = mark;
    if (next && (!row->timer_due || row->timer_due > next))
        sim_broken("production: a holder has no timer for what is due");
    production_timer_id(key, id);
    check_timer(d, part, id, PRODUCTION_WORK_HOLDER, row->timer_due, "a holder");
}

static void check_bank(struct sim_store *d, int16_t part, const struct cf_key *key,
                       const struct production_bank_row *row)
{
    const struct production_env *env = d->service->env;
    struct production_bank b;
    uint8_t id[16];
    production_bank_open(row, &b);
    cf_ms next = production_bank_next_due(&b, &env->policy);
    if (next && (!row->timer_due || row->timer_due > next))
        sim_broken("production: a bank's queue has no timer");
    production_timer_id(key, id);
    check_timer(d, part, id, PRODUCTION_WORK_BANK, row->timer_due, "a bank's queue");
    if (row->reconciled > row->batches ||
        row->made + row->failed + row->missing > row->sent + row->late_voided)
        sim_broken("production: a bank's batches end more often than they were sent");
}

static void check_issued(const struct production_issued *row, const uint8_t id[16])
{
    static struct number {
        char no[16];
        uint8_t id[16];
    } *numbers;
    if (!numbers) numbers = cf_calloc(APPS, sizeof *numbers);
    size_t i = cf_hash64(row->card_no.ptr, row->card_no.len) % APPS;
    while (numbers[i].no[0] && !cf_str_is(row->card_no, numbers[i].no))
        i = (i + 1) % APPS;
    if (numbers[i].no[0] && memcmp(numbers[i].id, id, 16) != 0)
        sim_broken("card number %s was given out twice", numbers[i].no);
    memcpy(numbers[i].no, row->card_no.ptr, row->card_no.len);
    memcpy(numbers[i].id, id, 16);
}

/* ---- complaint-handling ---------------------------------------------------------------------- */

static void check_order(struct sim_store *d, int16_t part, const struct cf_key *key,
                        const struct complaint_order *o)
{
    const struct complaint_env *env = d->service->env;
    const struct complaint_facts f = {.kind = (enum complaint_kind)o->kind,
                                      .state = (enum complaint_state)o->state,
                                      .mark = (enum complaint_mark)o->mark,
                                      .replied_at = o->replied_at,
                                      .due_on = o->due_on};
    uint8_t id[16];
    cf_uuid8_of(id, CF_STR("complaint.timer"), cf_key_str(key));
    if (o->timer_due != complaint_next_due(env->calendar, &f))
        sim_broken("complaint-handling: an order waits for another time than its state asks for");
    check_timer(d, part, id, COMPLAINT_WORK_TIMER, o->timer_due, "an order");
}

/* ---- conservation ---------------------------------------------------------------------------- */

static void pass_submit(const struct sim_record *r)
{
    uint8_t id[16];
    if (!cf_uuid_parse(r->ce_id, id) || sim_is_malformed(r)) return;
    struct app *app = app_of(id);
    n_submitted += !app->submitted;
    app->submitted = true;
}

static void pass_accepted(const struct sim_record *r)
{
    const Cardflow__V1__ApplicationEvent *e =
        cf_unpack(arena, &cardflow__v1__application_event__descriptor, r->value);
    if (!e || e->application_id.len != 16) sim_broken("an event of an application cannot be read");
    struct app *app = app_of(e->application_id.data);
    n_accepted += !app->accepted;
    app->accepted = true;
}

/* Before the rows are looked at: what the commit has read. */
static void pass_records(const struct sim_store *d, const struct cf_commit *c)
{
    bool intake = d->service == sim_service(SIM_INTAKE);
    for (size_t i = 0; i < c->n_cursors; i++) {
        const struct cf_commit_cursor *k = &c->cursors[i];
        const struct sim_part *p = &sim_topic(d->service->in[k->topic].name)->parts[k->part];
        for (int64_t o = k->old_offset + 1; o <= k->new_offset; o++) {
            if (intake && cf_str_is(p->v[o]->ce_type, "application.submit")) pass_submit(p->v[o]);
            if (!intake && cf_str_is(p->v[o]->ce_type, "application.accepted"))
                pass_accepted(p->v[o]);
        }
    }
    for (size_t i = 0; i < c->n_parked; i++)
        n_parked_accepted += !intake && cf_str_is(c->parked[i].type, "application.accepted");
}

/* Everything that was read is in one place. */
static void check_sums(void)
{
    if (n_submitted != n_kept)
        sim_broken("intake has read %zu applications and keeps %zu", n_submitted, n_kept);
    if (n_accepted != n_made + n_parked_accepted)
        sim_broken("production has read %zu acceptances, keeps %zu and has parked %zu", n_accepted,
                   n_made, n_parked_accepted);
}

/* ---- a commit -------------------------------------------------------------------------------- */

static void check_row(struct sim_store *d, enum sim_service s, const struct cf_load_row *x)
{
    if (s == SIM_PHOTO_FETCH) check_photo(d, x->part, x->row);
    if (s == SIM_PRODUCTION && x->kind == PRODUCTION_HOLDER)
        check_holder(d, x->part, &x->key, x->row);
    if (s == SIM_PRODUCTION && x->kind == PRODUCTION_BANK) check_bank(d, x->part, &x->key, x->row);
    if (s == SIM_COMPLAINT) check_order(d, x->part, &x->key, x->row);
}

static void check_aux(struct sim_store *d, enum sim_service s, const struct cf_commit_aux *x)
{
    if (s == SIM_INTAKE && x->aux == INTAKE_AUX_APPLICATION)
        check_application(d, x->part, x->id, x->row);
    if (s == SIM_PRODUCTION && x->aux == PRODUCTION_ISSUED) check_issued(x->row, x->id);
}

static void check_commit(struct sim_store *d, const struct cf_commit *c)
{
    enum sim_service s = SIM_INTAKE;
    while (d->service != sim_service(s))
        s++;
    if (sim_opt.restore || !c->n_cursors) return;
    if (!arena) arena = cf_arena_new(ROOM);
    cf_arena_reset(arena);
    if (s == SIM_INTAKE || s == SIM_PRODUCTION) pass_records(d, c);
    for (size_t i = 0; i < c->n_rows; i++)
        check_row(d, s, c->rows[i]);
    for (size_t i = 0; i < c->n_aux; i++)
        check_aux(d, s, &c->aux[i]);
    check_sums();
}

static void check_parked(const struct cf_service *service, const struct cf_key *key)
{
    if (service != sim_service(SIM_PRODUCTION) || !sim_story_parks(key))
        sim_broken("%s has parked a message", service->name);
}

void sim_check_commits(void)
{
    sim_watch = (struct sim_watch){check_commit, check_parked};
}
