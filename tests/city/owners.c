/* owners -- when nothing is under way: every application has one state and one owner, who will act;
 * what must hold of cards. Read from the rows of the services. */
#include "common/io/ids.h"
#include "tests/city/owners_inside.h"

#include <stdlib.h>

static const uint8_t zero[16];

struct place {
    int16_t part;
    const struct intake_application *row;
    const struct intake_holder *holder; /* NULL: it has no row */
};

static struct place find_app(const struct app *app)
{
    struct place found = {-1, NULL, NULL};
    for (int16_t p = 0; p < SIM_PARTS; p++) {
        const struct intake_application *row =
            owners_aux(SIM_INTAKE, INTAKE_AUX_APPLICATION, p, app->id);
        if (!row || row->moved_to.len) continue;
        if (found.row) sim_broken("an application is in two places of intake");
        found = (struct place){
            p, row, owners_row(SIM_INTAKE, INTAKE_KIND_HOLDER, p, &row->holder)};
    }
    if (!found.row) sim_broken("an application is lost: intake has no row of it");
    return found;
}

static bool holds(const struct intake_holder *h, const uint8_t id[16])
{
    return h && intake_slot_with((struct intake_holder *)(uintptr_t)h, id);
}

static void wants_timer(bool there, const struct app *app, const char *what)
{
    if (!there)
        sim_broken("nothing will ever happen to an application: %s without a timer (%s)", what,
                    cf_app_state_name(app->said));
}

/* The holder's one timer, in time for `until`. */
static bool holder_armed(const struct cf_key *key, cf_ms until)
{
    uint8_t id[16];
    cf_uuid8_of(id, CF_STR("production.timer"), cf_key_str(key));
    cf_ms due = city_work_due(SIM_PRODUCTION, owners_part(key), id);
    return until && due && due <= until;
}

static bool bank_armed(struct cf_str bank)
{
    struct cf_key key;
    uint8_t id[16];
    if (!cf_key_bank(bank, &key)) CF_BUG("a bank without a key");
    cf_uuid8_of(id, CF_STR("production.timer"), cf_key_str(&key));
    return city_work_due(SIM_PRODUCTION, owners_part(&key), id) > 0;
}

static void check_photo(const struct app *app, const struct cf_key *key, enum photo_state state)
{
    const struct photo_fetch_job *job = owners_row(SIM_PHOTO_FETCH, 0, owners_part(key), key);
    if (!job || memcmp(job->application_id, app->id, 16) || job->state != (int16_t)state)
        sim_broken("an application that waits for a photo is lost: photo-fetch is at %s",
                    photo_fetch_state_name(job ? (enum photo_state)job->state : PHOTO_NONE));
    wants_timer(memcmp(job->work_id, zero, 16) &&
                    city_work_due(SIM_PHOTO_FETCH, owners_part(key), job->work_id),
                app, "a photo");
}

static void check_open(const struct app *app, const struct cf_key *key,
                       const struct production_slot *slot)
{
    const struct production_app *a = &slot->app;
    bool waits_for_bank = a->state == CF_APP_SHIPPED || a->state == CF_APP_PRODUCTION_FAILED ||
                          (a->state == CF_APP_PRODUCED && !app->temporary);
    if (a->state == CF_APP_ACCEPTED && !app->temporary)
        check_photo(app, key, PHOTO_FETCHING);
    else if (a->state == CF_APP_PHOTO_MISSING)
        check_photo(app, key, PHOTO_MISSING);
    else if ((a->state == CF_APP_PHOTO_READY || a->state == CF_APP_ACCOUNT_FAILED) && a->queued)
        wants_timer(bank_armed(a->bank), app, "a bank's queue");
    else if (!waits_for_bank)
        wants_timer(holder_armed(key, a->until), app, "production");
}

static void check_accepted(const struct app *app, const struct place *at)
{
    const struct intake_ended *ended =
        owners_aux(SIM_INTAKE, INTAKE_AUX_ENDED, at->part, app->id);
    bool open = holds(at->holder, app->id);
    struct production_holder h;
    (void)owners_production(&at->row->holder, &h);
    struct production_slot *slot = production_slot_of(&h, app->id);
    bool open_there = slot && !cf_app_state_is_end(slot->app.state);
    if (open == (ended != NULL))
        sim_broken("an accepted application is lost: intake has it neither open nor ended");
    if (open != open_there)
        sim_broken("intake and production do not agree: %s here, %s there",
                    open ? "open" : cf_app_state_name((enum cf_app_state)ended->state),
                    slot ? cf_app_state_name(slot->app.state) : "gone");
    if (ended && slot && (enum cf_app_state)ended->state != slot->app.state)
        sim_broken("an application has two ends: %s and %s",
                    cf_app_state_name((enum cf_app_state)ended->state),
                    cf_app_state_name(slot->app.state));
    if (open) check_open(app, &at->row->holder, slot);
}

static void check_app(const struct app *app)
{
    const struct place at = find_app(app);
    enum cf_app_state state = (enum cf_app_state)at.row->state;
    if (state == CF_APP_ACCEPTED) {
        check_accepted(app, &at);
        return;
    }
    struct production_holder h;
    (void)owners_production(&at.row->holder, &h);
    if (app->accepted || production_slot_of(&h, app->id))
        sim_broken("an application has two owners: %s in intake", cf_app_state_name(state));
    if (state == CF_APP_RECEIVED || state == CF_APP_NOTICED) {
        wants_timer(city_work_due(SIM_INTAKE, at.part, app->id) > 0, app, "intake");
        if (state == CF_APP_RECEIVED && !holds(at.holder, app->id))
            sim_broken("an application that waits is nobody's");
    } else if (holds(at.holder, app->id)) {
        sim_broken("an application that has ended (%s) is open", cf_app_state_name(state));
    }
}

static int by_number(const void *a, const void *b)
{
    const struct production_issued *const *x = a, *const *y = b;
    return strcmp((*x)->card_no.ptr, (*y)->card_no.ptr); /* a zero follows the text */
}

enum { ISSUED = 128 };

static const struct production_issued *issued[ISSUED];
static size_t n_issued;

static void add_issued(void *arg, const struct cf_key *key, const void *row)
{
    (void)arg;
    (void)key;
    if (n_issued == ISSUED) CF_BUG("too many cards");
    issued[n_issued++] = row;
}

static void check_numbers(void)
{
    n_issued = 0;
    sim_store_rows(sim_data_of(SIM_PRODUCTION), true, PRODUCTION_ISSUED, add_issued, NULL);
    if (n_issued) qsort(issued, n_issued, sizeof *issued, by_number);
    for (size_t i = 1; i < n_issued; i++)
        if (cf_str_eq(issued[i - 1]->card_no, issued[i]->card_no))
            sim_broken("a card number was given out twice");
}

/* ---- batches --------------------------------------------------------------------------------- */

static void check_batch(void *arg, const struct cf_key *key, const void *row)
{
    const struct production_batch *b = row;
    const bool *all = arg;
    int answered = b->made + b->failed + b->missing + b->late_voided;
    int ended[PRODUCTION_LINE_ENDS] = {0};
    (void)key;
    for (size_t i = 0; i < b->ends.len; i++)
        ended[(unsigned char)b->ends.ptr[i] % PRODUCTION_LINE_ENDS]++;
    if (b->ends.len != (size_t)b->lines || ended[PRODUCTION_LINE_MADE] != b->made ||
        ended[PRODUCTION_LINE_FAILED] != b->failed || ended[PRODUCTION_LINE_MISSING] != b->missing ||
        ended[PRODUCTION_LINE_LATE_VOIDED] != b->late_voided)
        sim_broken("a batch counts other ends than its lines have");
    if (b->missing < 0 || answered > b->lines)
        sim_broken("a batch of %d lines has %d answers", b->lines, answered);
    if (*all && answered < b->lines)
        sim_broken("a batch of %d lines has %d answers for ever", b->lines, answered);
}

static void check_batches(bool all)
{
    sim_store_rows(sim_data_of(SIM_PRODUCTION), true, PRODUCTION_BATCH, check_batch, &all);
}

void owners_settled(void)
{
    check_batches(false);
    for (size_t i = 0; i < owners.n_apps; i++)
        check_app(&owners.apps[i]);
    owners_cards_settled();
    check_numbers();
}

void owners_answered(void)
{
    for (size_t i = 0; i < owners.n_operations; i++)
        if (!owners.operations[i].answers && !owners.operations[i].expired)
            sim_broken("a command is never answered");
}

void owners_idle(void)
{
    check_batches(true);
    static const bool waits[CF_APP_COUNT] = {[CF_APP_PRODUCED] = true,
                                             [CF_APP_SHIPPED] = true,
                                             [CF_APP_PRODUCTION_FAILED] = true};
    for (size_t i = 0; i < owners.n_apps; i++) {
        const struct place at = find_app(&owners.apps[i]);
        struct production_holder h;
        (void)owners_production(&at.row->holder, &h);
        const struct production_slot *slot = production_slot_of(&h, owners.apps[i].id);
        enum cf_app_state state =
            slot ? slot->app.state : (enum cf_app_state)at.row->state;
        bool ended = cf_app_state_is_end(state) || (state == CF_APP_ACCEPTED && !slot);
        if (!ended && (!waits[state] || owners.apps[i].temporary))
            sim_broken("an application is %s for ever", cf_app_state_name(state));
    }
}
