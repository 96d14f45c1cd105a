/* Folding: what an event changes in the section of its source. */
#include "services/inquiry/rules.h"

static struct cf_str kept(struct cf_arena *a, struct cf_str s)
{
    return s.len ? cf_arena_str(a, s) : (struct cf_str){0};
}

const struct inquiry_entry *inquiry_entry_find(const struct inquiry_section *s,
                                               const uint8_t id[16])
{
    for (size_t i = 0; i < s->n_entries; i++)
        if (memcmp(s->entries[i].id, id, 16) == 0) return &s->entries[i];
    return NULL;
}

/* The oldest that has ended, else the oldest. */
static size_t to_drop(const struct inquiry_section *s)
{
    for (size_t i = 0; i < s->n_entries; i++)
        if (cf_app_state_is_end(s->entries[i].state)) return i;
    return 0;
}

static struct inquiry_entry *entry_for(struct cf_arena *a, struct inquiry_section *s,
                                       const uint8_t id[16], struct inquiry_folded *out)
{
    for (size_t i = 0; i < s->n_entries; i++)
        if (memcmp(s->entries[i].id, id, 16) == 0) return &s->entries[i];
    out->created = true;
    struct inquiry_entry *list = cf_arena_zero(a, (s->n_entries + 1) * sizeof *list);
    if (s->n_entries) memcpy(list, s->entries, s->n_entries * sizeof *list);
    if (s->n_entries >= INQUIRY_ENTRIES_MAX) {
        size_t drop = to_drop(s);
        out->dropped = &s->entries[drop];
        memmove(list + drop, list + drop + 1, (s->n_entries - drop - 1) * sizeof *list);
        s->n_entries--;
        memset(&list[s->n_entries], 0, sizeof *list);
    }
    s->entries = list;
    struct inquiry_entry *e = &list[s->n_entries++];
    memcpy(e->id, id, 16);
    return e;
}

static void add_mark(struct cf_arena *a, struct inquiry_entry *e, enum cf_app_state state, cf_ms at,
                     struct cf_str reason)
{
    struct inquiry_mark *list = cf_arena_zero(a, (e->n_marks + 1) * sizeof *list);
    if (e->n_marks) memcpy(list, e->marks, e->n_marks * sizeof *list);
    if (e->n_marks >= INQUIRY_MARKS_MAX) {
        /* How it began is told for ever; remakes in between are not. */
        memmove(list + 1, list + 2, (e->n_marks - 2) * sizeof *list);
        e->n_marks--;
    }
    list[e->n_marks++] = (struct inquiry_mark){state, at, kept(a, reason)};
    e->marks = list;
}

static void keep_text(struct cf_arena *a, struct cf_str *to, struct cf_str from)
{
    if (from.len) *to = cf_arena_str(a, from);
}

static void set_state(struct cf_arena *a, struct inquiry_entry *e, const struct inquiry_event *ev)
{
    e->state = ev->entry.state;
    e->until_on = ev->entry.until_on;
    add_mark(a, e, ev->entry.state, ev->at, ev->reason);
}

static void set_reasons(struct cf_arena *a, struct inquiry_entry *e, const struct inquiry_entry *v)
{
    struct cf_str *list = cf_arena_zero(a, (v->n_reasons + 1) * sizeof *list);
    for (size_t i = 0; i < v->n_reasons; i++)
        list[i] = kept(a, v->reasons[i]);
    e->reasons = list;
    e->n_reasons = v->n_reasons;
    e->respond_by = v->respond_by;
    keep_text(a, &e->notice_no, v->notice_no);
}

/* What every event about an application may tell. */
static void set_common(struct cf_arena *a, struct inquiry_entry *e, const struct inquiry_entry *v)
{
    if (v->kind) e->kind = v->kind;
    if (v->submitted_at) e->submitted_at = v->submitted_at;
    keep_text(a, &e->channel, v->channel);
    keep_text(a, &e->bank, v->bank);
    keep_text(a, &e->outlet, v->outlet);
    keep_text(a, &e->card_no, v->card_no);
}

static void fold_accepted(struct cf_arena *a, struct inquiry_entry *e,
                          const struct inquiry_entry *v, struct inquiry_folded *out)
{
    out->receipt_created = v->receipt_no.len && !cf_str_eq(e->receipt_no, v->receipt_no);
    keep_text(a, &e->receipt_no, v->receipt_no);
    e->accepted = true;
    e->waits = false;
    e->accepted_on = v->accepted_on;
    e->due_on = v->due_on;
    e->provisional = v->provisional;
    e->policy = v->policy;
    e->warnings = v->warnings;
    e->n_reasons = 0;
    e->respond_by = 0;
}

static void add_change(struct cf_arena *a, struct inquiry_deadline *d,
                       const struct inquiry_change *change)
{
    size_t keep = d->n_changes < INQUIRY_CHANGES_MAX ? d->n_changes : INQUIRY_CHANGES_MAX - 1;
    struct inquiry_change *list = cf_arena_zero(a, (keep + 1) * sizeof *list);
    if (keep) memcpy(list, d->changes + (d->n_changes - keep), keep * sizeof *list);
    list[keep] = *change;
    list[keep].what = kept(a, change->what);
    list[keep].reason = kept(a, change->reason);
    d->changes = list;
    d->n_changes = keep + 1;
}

static void fold_deadline(struct cf_arena *a, struct inquiry_deadline *d,
                          const struct inquiry_event *ev)
{
    const struct inquiry_deadline *v = &ev->entry.deadline;
    d->due_on = v->due_on;
    d->working_days = v->working_days;
    d->provisional = v->provisional;
    d->warned_at = !ev->warned ? 0 : d->warned_at ? d->warned_at : ev->at;
    d->overdue_at = !ev->overdue ? 0 : d->overdue_at ? d->overdue_at : ev->at;
    if (ev->change.what.len) add_change(a, d, &ev->change);
}

static void fold_entry(struct cf_arena *a, struct inquiry_section *s,
                       const struct inquiry_event *ev, struct inquiry_folded *out)
{
    struct inquiry_entry *e = entry_for(a, s, ev->entry.id, out);
    const struct inquiry_entry *v = &ev->entry;
    set_common(a, e, v);
    if (ev->person.len) s->person = ev->person;
    if (ev->what == INQUIRY_PROMISED) {
        e->promised_on = v->promised_on;
        e->place = v->place;
        e->past_deadline = v->past_deadline;
        return;
    }
    if (ev->what == INQUIRY_DEADLINE) {
        fold_deadline(a, &e->deadline, ev);
        return;
    }
    if (ev->what == INQUIRY_SUPPLEMENTED) return;
    set_state(a, e, ev);
    e->needs_person = v->needs_person;
    if (ev->what == INQUIRY_RECEIVED) e->waits = v->waits;
    if (ev->what == INQUIRY_ACCEPTED) fold_accepted(a, e, v, out);
    if (ev->what == INQUIRY_REFUSED) {
        e->waits = false;
        e->noticed = e->noticed || v->state == CF_APP_NOTICED;
        e->warnings = v->warnings;
    }
    /* That a notice has expired does not make its reasons unsaid. */
    if (ev->what == INQUIRY_REFUSED || (ev->what == INQUIRY_MOVED && ev->source != INQUIRY_INTAKE))
        set_reasons(a, e, v);
}

/* The oldest card that is gone for good, else the oldest. */
static size_t card_to_drop(const struct inquiry_section *s)
{
    for (size_t i = 0; i < s->n_cards; i++)
        if (s->cards[i].state == CF_CARD_VOIDED || s->cards[i].state == CF_CARD_CANCELLED) return i;
    return 0;
}

static struct inquiry_card *card_for(struct cf_arena *a, struct inquiry_section *s,
                                     struct cf_str no, struct inquiry_folded *out)
{
    for (size_t i = 0; i < s->n_cards; i++)
        if (cf_str_eq(s->cards[i].no, no)) return &s->cards[i];
    out->card_created = true;
    struct inquiry_card *list = cf_arena_zero(a, (s->n_cards + 1) * sizeof *list);
    if (s->n_cards) memcpy(list, s->cards, s->n_cards * sizeof *list);
    if (s->n_cards >= INQUIRY_CARDS_MAX) {
        size_t drop = card_to_drop(s);
        memmove(list + drop, list + drop + 1, (s->n_cards - drop - 1) * sizeof *list);
        s->n_cards--;
    }
    s->cards = list;
    return &list[s->n_cards++];
}

static void fold_card(struct cf_arena *a, struct inquiry_section *s, const struct inquiry_card *v,
                      struct inquiry_folded *out)
{
    struct inquiry_card *card = card_for(a, s, v->no, out);
    /* Only activation makes a card normal for the first time. */
    cf_ms activated_at = card->activated_at;
    uint32_t bank_overdue = card->bank_overdue;
    if (!activated_at && v->state == CF_CARD_NORMAL) activated_at = v->at;
    *card = *v;
    card->activated_at = activated_at;
    card->bank_overdue = bank_overdue;
    card->no = kept(a, v->no);
    card->bank = kept(a, v->bank);
    card->financial = kept(a, v->financial);
    if (v->n_add_ons == 0) return;
    struct inquiry_add_on *list = cf_arena_zero(a, v->n_add_ons * sizeof *list);
    for (size_t i = 0; i < v->n_add_ons; i++)
        list[i] = (struct inquiry_add_on){kept(a, v->add_ons[i].name),
                                          kept(a, v->add_ons[i].consent_by), v->add_ons[i].at};
    card->add_ons = list;
}

static void fold_bank_notice(struct inquiry_section *s, struct cf_str card_no, bool overdue)
{
    for (size_t i = 0; i < s->n_cards; i++) {
        struct inquiry_card *card = &s->cards[i];
        if (!cf_str_eq(card->no, card_no)) continue;
        if (overdue)
            card->bank_overdue++;
        else if (card->bank_overdue)
            card->bank_overdue--;
    }
}

static void fold_order(struct cf_arena *a, struct inquiry_section *s, const struct inquiry_order *v,
                       struct inquiry_folded *out)
{
    size_t i = 0, keep = s->n_orders < INQUIRY_ORDERS_MAX ? s->n_orders : INQUIRY_ORDERS_MAX - 1;
    while (i < s->n_orders && memcmp(s->orders[i].id, v->id, 16) != 0)
        i++;
    if (i == s->n_orders) {
        struct inquiry_order *list = cf_arena_zero(a, (keep + 1) * sizeof *list);
        if (keep) memcpy(list, s->orders + (s->n_orders - keep), keep * sizeof *list);
        s->orders = list;
        s->n_orders = keep + 1;
        i = keep;
        out->created = true;
    }
    s->orders[i] = *v;
    s->orders[i].source_system = kept(a, v->source_system);
    s->orders[i].no = kept(a, v->no);
    s->orders[i].kind = kept(a, v->kind);
    s->orders[i].state = kept(a, v->state);
}

struct inquiry_folded inquiry_fold(struct cf_arena *a, struct inquiry_section *s,
                                   const struct inquiry_event *ev)
{
    struct inquiry_folded out = {0};
    switch (ev->what) {
    case INQUIRY_RECEIVED:
    case INQUIRY_ACCEPTED:
    case INQUIRY_REFUSED:
    case INQUIRY_MOVED:
    case INQUIRY_PROMISED:
    case INQUIRY_DEADLINE:
    case INQUIRY_SUPPLEMENTED:
        fold_entry(a, s, ev, &out);
        break;
    case INQUIRY_ENROLMENT:
        s->enrolment = kept(a, ev->enrolment);
        break;
    case INQUIRY_ALIASED:
        s->canonical = kept(a, ev->canonical);
        break;
    case INQUIRY_CARD:
        fold_card(a, s, &ev->card, &out);
        break;
    case INQUIRY_BANK_OVERDUE:
    case INQUIRY_BANK_AWARE:
        fold_bank_notice(s, ev->card.no, ev->what == INQUIRY_BANK_OVERDUE);
        break;
    case INQUIRY_ORDER:
        fold_order(a, s, &ev->order, &out);
        break;
    case INQUIRY_OTHER:
        break;
    }
    return out;
}
