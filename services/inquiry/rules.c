/* The picture: one holder, seen through all sections. */
#include "services/inquiry/rules.h"

const char *inquiry_step_name(enum inquiry_step step)
{
    static const char *const names[] = {
#define X(value, name, ...) name,
        INQUIRY_STEPS(X)
#undef X
    };
    return names[step];
}

const char *inquiry_outcome_name(enum inquiry_outcome outcome)
{
    static const char *const names[] = {[INQUIRY_OUTCOME_PENDING] = "pending",
                                        [INQUIRY_OUTCOME_ACCEPTED] = "accepted",
                                        [INQUIRY_OUTCOME_NOTICE] = "notice",
                                        [INQUIRY_OUTCOME_REJECTED] = "rejected"};
    return names[outcome];
}

const char *inquiry_identity_name(unsigned index)
{
    static const char *const names[] = {
#define X(value, name) name,
        INQUIRY_IDENTITY(X)
#undef X
    };
    return index < INQUIRY_ID_COUNT ? names[index] : "";
}

bool inquiry_enrolled(const struct inquiry_section *intake)
{
    return intake->enrolment.len == 0 || cf_str_is(intake->enrolment, "active");
}

/* ---- applications -------------------------------------------------------------------------- */

/* An end state of any owner wins, else the word of the latest stage that has spoken. */
static const struct inquiry_entry *owner_of(const struct inquiry_app *app)
{
    static const enum inquiry_source latest_first[] = {INQUIRY_PRODUCTION, INQUIRY_PHOTO,
                                                       INQUIRY_INTAKE};
    for (size_t i = 0; i < 3; i++) {
        const struct inquiry_entry *e = app->said[latest_first[i]];
        if (e && cf_app_state_is_end(e->state)) return e;
    }
    for (size_t i = 0; i < 3; i++) {
        const struct inquiry_entry *e = app->said[latest_first[i]];
        if (e && e->state) return e;
    }
    return NULL;
}

static const struct inquiry_card *card_of(const struct inquiry_section *production,
                                          struct cf_str no)
{
    for (size_t i = 0; no.len && i < production->n_cards; i++)
        if (cf_str_eq(production->cards[i].no, no)) return &production->cards[i];
    return NULL;
}

static enum inquiry_outcome outcome_of(const struct inquiry_app *app)
{
    const struct inquiry_entry *intake = app->said[INQUIRY_INTAKE];
    /* Later stages work on what was accepted, even when intake's word is still on its way. */
    if (!intake) return INQUIRY_OUTCOME_ACCEPTED;
    if (intake->accepted) return INQUIRY_OUTCOME_ACCEPTED;
    if (intake->state == CF_APP_REJECTED) return INQUIRY_OUTCOME_REJECTED;
    return intake->noticed ? INQUIRY_OUTCOME_NOTICE : INQUIRY_OUTCOME_PENDING;
}

static bool complete(const struct inquiry_section *sections, struct inquiry_app *app)
{
    app->owner = owner_of(app);
    if (!app->owner) return false;
    for (size_t i = 0; i < 3; i++)
        if (app->said[i] && app->said[i]->kind) app->kind = app->said[i]->kind;
    app->state = app->owner->state;
    app->since = app->owner->n_marks ? app->owner->marks[app->owner->n_marks - 1].at : 0;
    app->outcome = outcome_of(app);
    app->waits = app->state == CF_APP_RECEIVED && app->owner->waits;
    app->waiting_on_holder = app->state == CF_APP_PHOTO_MISSING ||
                             app->state == CF_APP_ACCOUNT_FAILED || app->state == CF_APP_NOTICED;
    const struct inquiry_entry *line = app->said[INQUIRY_PRODUCTION];
    const struct inquiry_card *card =
        line ? card_of(&sections[INQUIRY_PRODUCTION], line->card_no) : NULL;
    app->activated = app->state == CF_APP_COLLECTED && card && card->activated_at > 0;
    if (app->activated) app->activated_at = card->activated_at;
    /* A permanent card's number goes to its bank with the order. */
    if (app->kind == CF_KIND_TEMPORARY && card && card->state == CF_CARD_SEALED)
        app->to_hand_out = card->no;
    return true;
}

bool inquiry_app_of(const struct inquiry_section *sections, const uint8_t id[16],
                    const struct inquiry_entry *intake, struct inquiry_app *out)
{
    *out = (struct inquiry_app){0};
    memcpy(out->id, id, 16);
    for (size_t i = 0; i < 3; i++)
        out->said[i] = inquiry_entry_find(&sections[i], id);
    if (!out->said[INQUIRY_INTAKE]) out->said[INQUIRY_INTAKE] = intake;
    return complete(sections, out);
}

static cf_ms began(const struct inquiry_app *app)
{
    cf_ms first = INT64_MAX;
    for (size_t i = 0; i < 3; i++)
        if (app->said[i] && app->said[i]->n_marks && app->said[i]->marks[0].at < first)
            first = app->said[i]->marks[0].at;
    return first;
}

/* Newest first; ids decide between equals, so that the order is the same everywhere. */
static bool is_before(const struct inquiry_app *x, const struct inquiry_app *y)
{
    cf_ms a = began(x), b = began(y);
    return a != b ? a > b : memcmp(x->id, y->id, 16) > 0;
}

static void add_app(const struct inquiry_section *sections, const uint8_t id[16],
                    struct inquiry_app *list, size_t *n)
{
    struct inquiry_app app;
    for (size_t i = 0; i < *n; i++)
        if (memcmp(list[i].id, id, 16) == 0) return;
    if (!inquiry_app_of(sections, id, NULL, &app)) return;
    size_t at = (*n)++;
    for (; at > 0 && is_before(&app, &list[at - 1]); at--)
        list[at] = list[at - 1];
    list[at] = app;
}

static const struct inquiry_app *all_apps(struct cf_arena *a,
                                          const struct inquiry_section *sections, size_t *n)
{
    size_t most = 0;
    for (size_t i = 0; i < 3; i++)
        most += sections[i].n_entries;
    struct inquiry_app *list = cf_arena_zero(a, (most + 1) * sizeof *list);
    *n = 0;
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < sections[i].n_entries; k++)
            add_app(sections, sections[i].entries[k].id, list, n);
    return list;
}

/* What intake decides at once was received too, though no event of its own says so. */
static void add_received(const struct inquiry_entry *intake, struct inquiry_mark *list, size_t *n)
{
    if (!intake || !intake->n_marks || intake->marks[0].state == CF_APP_RECEIVED) return;
    /* A supplement brings a later time of submission. */
    cf_ms decided_at = intake->marks[0].at, at = intake->submitted_at;
    list[(*n)++] = (struct inquiry_mark){
        .state = CF_APP_RECEIVED, .at = at > 0 && at < decided_at ? at : decided_at};
}

const struct inquiry_mark *inquiry_timeline(struct cf_arena *a, const struct inquiry_app *app,
                                            size_t *n)
{
    size_t most = 0;
    for (size_t i = 0; i < 3; i++)
        most += app->said[i] ? app->said[i]->n_marks : 0;
    struct inquiry_mark *list = cf_arena_zero(a, (most + 1) * sizeof *list);
    *n = 0;
    add_received(app->said[INQUIRY_INTAKE], list, n);
    /* Stages in their order: at the same millisecond the earlier stage's word comes first. */
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; app->said[i] && k < app->said[i]->n_marks; k++) {
            size_t at = (*n)++;
            for (; at > 0 && app->said[i]->marks[k].at < list[at - 1].at; at--)
                list[at] = list[at - 1];
            list[at] = app->said[i]->marks[k];
        }
    return list;
}

/* ---- cards --------------------------------------------------------------------------------- */

static const unsigned state_reasons[CF_CARD_COUNT] = {
    [CF_CARD_NONE] = INQUIRY_ID_NO_CARD,
    [CF_CARD_RESERVED] = INQUIRY_ID_NO_CARD,
    [CF_CARD_VOIDED] = INQUIRY_ID_NO_CARD,
    [CF_CARD_SEALED] = INQUIRY_ID_NOT_ACTIVATED,
    [CF_CARD_NORMAL] = 0,
    [CF_CARD_FORMAL_LOSS] = INQUIRY_ID_FORMAL_LOSS,
    [CF_CARD_APP_LOCKED] = INQUIRY_ID_APP_LOCKED,
    [CF_CARD_TEMPORARY_LOSS] = INQUIRY_ID_TEMPORARY_LOSS,
    [CF_CARD_CANCELLED] = INQUIRY_ID_CANCELLED,
};

/* S7: state normal, not expired, not handed in, enrolment active. */
static unsigned invalid_as_identity(const struct inquiry_card *card, bool enrolled, cf_day today)
{
    unsigned reasons = state_reasons[card->state];
    if (card->valid_until > 0 && today > card->valid_until) reasons |= INQUIRY_ID_EXPIRED;
    if (card->handed_in) reasons |= INQUIRY_ID_HANDED_IN;
    if (!enrolled) reasons |= INQUIRY_ID_ENROLMENT_INACTIVE;
    return reasons;
}

/* Lower is more telling. */
static int rank(const struct inquiry_card *card)
{
    static const int by_state[CF_CARD_COUNT] = {
        [CF_CARD_NORMAL] = 1, [CF_CARD_APP_LOCKED] = 2,  [CF_CARD_TEMPORARY_LOSS] = 3,
        [CF_CARD_SEALED] = 4, [CF_CARD_FORMAL_LOSS] = 5, [CF_CARD_CANCELLED] = 9};
    return 2 * by_state[card->state] + (card->temporary ? 1 : 0);
}

static void add_cards(struct cf_arena *a, const struct inquiry_section *sections, cf_day today,
                      struct inquiry_picture *out)
{
    const struct inquiry_section *s = &sections[INQUIRY_PRODUCTION];
    bool enrolled = inquiry_enrolled(&sections[INQUIRY_INTAKE]);
    struct inquiry_shown_card *list = cf_arena_zero(a, (s->n_cards + 1) * sizeof *list);
    for (size_t i = 0; i < s->n_cards; i++) {
        const struct inquiry_card *card = &s->cards[i];
        if (cf_card_state_code(card->state) < 0) continue;
        size_t at = out->n_cards++;
        for (; at > 0 && rank(card) < rank(list[at - 1].card); at--)
            list[at] = list[at - 1];
        list[at] = (struct inquiry_shown_card){card, invalid_as_identity(card, enrolled, today)};
    }
    out->cards = list;
    out->invalid = out->n_cards ? list[0].invalid : INQUIRY_ID_NO_CARD;
}

/* ---- what is next -------------------------------------------------------------------------- */

const struct inquiry_deadline *inquiry_deadline_of(const struct inquiry_app *app)
{
    const struct inquiry_entry *line = app->said[INQUIRY_PRODUCTION];
    return line && line->deadline.due_on ? &line->deadline : NULL;
}

cf_day inquiry_due_on(const struct inquiry_app *app)
{
    const struct inquiry_deadline *d = inquiry_deadline_of(app);
    if (d) return d->due_on;
    return app->said[INQUIRY_INTAKE] ? app->said[INQUIRY_INTAKE]->due_on : 0;
}

uint32_t inquiry_place(const struct inquiry_app *app)
{
    const struct inquiry_entry *line = app->said[INQUIRY_PRODUCTION];
    return line && app->state == CF_APP_PHOTO_READY ? line->place : 0;
}

static cf_day ready_by(const struct inquiry_app *app)
{
    const struct inquiry_entry *line = app->said[INQUIRY_PRODUCTION];
    return line && line->promised_on > 0 ? line->promised_on : inquiry_due_on(app);
}

static const enum inquiry_step app_steps[CF_APP_COUNT] = {
    [CF_APP_RECEIVED] = INQUIRY_STEP_WAIT_DECISION,
    [CF_APP_NOTICED] = INQUIRY_STEP_CORRECT,
    [CF_APP_REJECTED] = INQUIRY_STEP_APPLY_AGAIN,
    [CF_APP_ACCEPTED] = INQUIRY_STEP_WAIT_CARD,
    [CF_APP_PHOTO_MISSING] = INQUIRY_STEP_GIVE_PHOTO,
    [CF_APP_PHOTO_READY] = INQUIRY_STEP_WAIT_CARD,
    [CF_APP_BATCHED] = INQUIRY_STEP_WAIT_CARD,
    [CF_APP_ACCOUNT_FAILED] = INQUIRY_STEP_CONTACT_BANK,
    [CF_APP_ACCOUNT_OPENED] = INQUIRY_STEP_WAIT_CARD,
    [CF_APP_PRODUCTION_FAILED] = INQUIRY_STEP_WAIT_CARD,
    [CF_APP_PRODUCED] = INQUIRY_STEP_WAIT_CARD,
    [CF_APP_SHIPPED] = INQUIRY_STEP_WAIT_CARD,
    [CF_APP_READY_FOR_PICKUP] = INQUIRY_STEP_PICK_UP,
    [CF_APP_COLLECTED] = INQUIRY_STEP_ACTIVATE,
    [CF_APP_WITHDRAWN] = INQUIRY_STEP_APPLY_AGAIN,
    [CF_APP_EXPIRED] = INQUIRY_STEP_APPLY_AGAIN,
    [CF_APP_PICKUP_EXPIRED] = INQUIRY_STEP_APPLY_AGAIN,
    [CF_APP_CLOSED] = INQUIRY_STEP_APPLY_AGAIN,
};

static void next_of_app(struct inquiry_picture *p, const struct inquiry_app *app, cf_day today)
{
    p->step = app_steps[app->state];
    if (app->waits) p->step = INQUIRY_STEP_WAIT_ENROLMENT;
    if (app->activated) p->step = INQUIRY_STEP_USE;
    if (app->owner->needs_person) p->step = INQUIRY_STEP_WAIT_STAFF;
    if (app->waiting_on_holder) p->step_on = app->owner->respond_by;
    if (p->step == INQUIRY_STEP_PICK_UP) p->step_on = app->owner->until_on;
    if (p->step != INQUIRY_STEP_WAIT_CARD) return;
    p->step_on = ready_by(app);
    if (p->step_on && p->step_on < today) p->step = INQUIRY_STEP_WAIT_LATE_CARD;
}

/* Of the cards that are shown. */
static const enum inquiry_step card_steps[CF_CARD_COUNT] = {
    [CF_CARD_SEALED] = INQUIRY_STEP_ACTIVATE,
    [CF_CARD_NORMAL] = INQUIRY_STEP_USE,
    [CF_CARD_FORMAL_LOSS] = INQUIRY_STEP_REPLACE,
    [CF_CARD_APP_LOCKED] = INQUIRY_STEP_UNLOCK,
    [CF_CARD_TEMPORARY_LOSS] = INQUIRY_STEP_SETTLE_LOSS,
    [CF_CARD_CANCELLED] = INQUIRY_STEP_APPLY,
};

static void next_of_card(struct inquiry_picture *p, const struct inquiry_shown_card *c)
{
    p->step = card_steps[c->card->state];
    if (p->step == INQUIRY_STEP_USE && c->invalid & INQUIRY_ID_EXPIRED)
        p->step = INQUIRY_STEP_RENEW;
    if (p->step == INQUIRY_STEP_SETTLE_LOSS) p->step_on = c->card->loss_until_on;
}

/* The newest that is still under way, else the newest. */
static const struct inquiry_app *main_app(const struct inquiry_picture *p)
{
    for (size_t i = 0; i < p->n_apps; i++)
        if (!cf_app_state_is_end(p->apps[i].state)) return &p->apps[i];
    return p->n_apps ? &p->apps[0] : NULL;
}

/* A card that is there says more than an application that has come to its end, but for the one
 * that made this very card: collected and not activated, or activated, is what its holder knows. */
static bool card_speaks(const struct inquiry_app *app, const struct inquiry_shown_card *c)
{
    if (!c) return false;
    if (!app) return true;
    if (!cf_app_state_is_end(app->state)) return false;
    const struct inquiry_entry *line = app->said[INQUIRY_PRODUCTION];
    bool its_own = line && cf_str_eq(line->card_no, c->card->no);
    bool fresh = c->card->state == CF_CARD_SEALED || c->card->state == CF_CARD_NORMAL;
    return app->state != CF_APP_COLLECTED || !its_own || !fresh ||
           (c->invalid & INQUIRY_ID_EXPIRED);
}

void inquiry_render(struct cf_arena *a, const struct inquiry_section *sections, cf_day today,
                    struct inquiry_picture *out)
{
    *out = (struct inquiry_picture){0};
    out->apps = all_apps(a, sections, &out->n_apps);
    add_cards(a, sections, today, out);
    out->found = out->n_apps || out->n_cards || sections[INQUIRY_COMPLAINT].n_orders;
    const struct inquiry_app *app = main_app(out);
    const struct inquiry_shown_card *card = out->n_cards ? &out->cards[0] : NULL;
    if (card_speaks(app, card)) app = NULL;
    if (app)
        next_of_app(out, app, today);
    else if (card)
        next_of_card(out, card);
    inquiry_say(a, out, app, card);
}
