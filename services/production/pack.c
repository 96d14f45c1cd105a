#include "services/production/pack.h"

#include "common/pure/error.h"

/* Version 1 is without accepted_on, working_days and the flags of deadlines; up to 2 an application
 * has one withdrawal that waits, not several; up to 3 these have no channel; up to 4 a child has no
 * birthday. */
enum {
    VERSION_FIRST = 1,
    VERSION_ONE_LEAVE = 2,
    VERSION_NO_CHANNEL = 3,
    VERSION_NO_BIRTHDAY = 4,
    VERSION = 5,
    PACK_MAX = 1536
};

struct writer {
    uint8_t bytes[PACK_MAX];
    size_t n;
};

struct reader {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static void put(struct writer *w, const void *bytes, size_t n)
{
    if (w->n + n > PACK_MAX) CF_BUG("a slot does not fit its packed form");
    if (n) memcpy(w->bytes + w->n, bytes, n);
    w->n += n;
}

static void put_number(struct writer *w, int64_t v, int size)
{
    uint8_t b[8];
    for (int i = 0; i < size; i++)
        b[i] = (uint8_t)((uint64_t)v >> 8 * (size - 1 - i));
    put(w, b, (size_t)size);
}

static void put_text(struct writer *w, struct cf_str s)
{
    if (s.len > 255) CF_BUG("text of a slot is longer than 255 bytes");
    put_number(w, (int64_t)s.len, 1);
    put(w, s.ptr, s.len);
}

static const uint8_t *take(struct reader *r, size_t n)
{
    static const uint8_t zero[64];
    if (r->left < n) {
        r->bad = true;
        return zero;
    }
    const uint8_t *p = r->at;
    r->at += n;
    r->left -= n;
    return p;
}

static int64_t take_number(struct reader *r, int size)
{
    const uint8_t *p = take(r, (size_t)size);
    uint64_t v = 0;
    for (int i = 0; i < size; i++)
        v = v << 8 | p[i];
    /* The sign of what was shorter than 8 bytes. */
    if (size == 4) return (int32_t)(uint32_t)v;
    return (int64_t)v;
}

static struct cf_str take_text(struct reader *r)
{
    size_t n = (size_t)take_number(r, 1);
    if (r->left < n) {
        r->bad = true;
        return (struct cf_str){0};
    }
    const uint8_t *p = take(r, n);
    return n ? (struct cf_str){(const char *)p, n} : (struct cf_str){0};
}

/* Ids that are not there cost one byte. */
static void put_id(struct writer *w, const uint8_t id[16])
{
    static const uint8_t none[16];
    bool there = memcmp(id, none, 16) != 0;
    put_number(w, there, 1);
    if (there) put(w, id, 16);
}

static void take_id(struct reader *r, uint8_t id[16])
{
    if (take_number(r, 1)) memcpy(id, take(r, 16), 16);
}

static void put_no(struct writer *w, const char no[CF_CARDNUM_LEN + 1])
{
    put_text(w, cf_str_of(no));
}

static void take_no(struct reader *r, char no[CF_CARDNUM_LEN + 1])
{
    struct cf_str s = take_text(r);
    if (s.len > CF_CARDNUM_LEN)
        r->bad = true;
    else if (s.len)
        memcpy(no, s.ptr, s.len);
}

enum {
    FLAG_PHOTO = 1,
    FLAG_HANDED_IN = 2,
    FLAG_CHILD = 4,
    FLAG_EXPIRED = 8,
    FLAG_QUEUED = 16,
    FLAG_ADD_ONS = 32
};
enum { FLAG_EXTENDED = 1, FLAG_PROVISIONAL = 2, FLAG_WARNED = 4, FLAG_OVERDUE = 8,
       FLAG_GIVEN_UP = 16, FLAG_BY_HAND = 32 };

/* Of before there was a birthday: who was a child on that day is one for 16 years more at most. */
static cf_day take_birthday(struct reader *r, cf_day known, int64_t version)
{
    if (version > VERSION_NO_BIRTHDAY) return (cf_day)take_number(r, 4);
    return cf_birthday(known, CF_CHILD_BELOW);
}

static void put_card(struct writer *w, const struct production_card *c, bool columns)
{
    /* A card that is not there costs one byte. */
    put_number(w, c->state != CF_CARD_NONE || c->bank.len, 1);
    if (c->state == CF_CARD_NONE && !c->bank.len) return;
    if (!columns) {
        put_no(w, c->no);
        put_number(w, c->state, 1);
    }
    put_number(w, c->before_loss, 1);
    put_text(w, c->bank);
    put_number(w,
               (c->has_photo ? FLAG_PHOTO : 0) | (c->handed_in ? FLAG_HANDED_IN : 0) |
                   (c->sixteen_on ? FLAG_CHILD : 0) | (c->expired ? FLAG_EXPIRED : 0) |
                   (c->add_ons.len ? FLAG_ADD_ONS : 0),
               1);
    put_number(w, c->issued_on, 4);
    put_number(w, c->valid_until, 4);
    put_number(w, c->loss_until, 8);
    put_number(w, c->financial, 1);
    put_number(w, c->password[0], 1);
    put_number(w, c->password[1], 1);
    if (c->add_ons.len) put_text(w, c->add_ons);
    if (c->sixteen_on) put_number(w, c->sixteen_on, 4);
}

static void take_card(struct reader *r, struct production_card *c, bool columns, int64_t version)
{
    if (!take_number(r, 1)) return;
    if (!columns) {
        take_no(r, c->no);
        c->state = (enum cf_card_state)take_number(r, 1);
    }
    c->before_loss = (enum cf_card_state)take_number(r, 1);
    c->bank = take_text(r);
    unsigned flags = (unsigned)take_number(r, 1);
    c->has_photo = flags & FLAG_PHOTO;
    c->handed_in = flags & FLAG_HANDED_IN;
    c->expired = flags & FLAG_EXPIRED;
    c->issued_on = (cf_day)take_number(r, 4);
    c->valid_until = (cf_day)take_number(r, 4);
    c->loss_until = take_number(r, 8);
    c->financial = (enum production_financial)take_number(r, 1);
    c->password[0] = (enum production_password)take_number(r, 1);
    c->password[1] = (enum production_password)take_number(r, 1);
    if (flags & FLAG_ADD_ONS) c->add_ons = take_text(r);
    if (flags & FLAG_CHILD) c->sixteen_on = take_birthday(r, c->issued_on, version);
}

static void put_app(struct writer *w, const struct production_app *a, bool columns)
{
    if (!columns) {
        put_id(w, a->id);
        put_number(w, a->kind, 1);
        put_number(w, a->state, 1);
        put_text(w, a->bank);
    }
    put_text(w, a->outlet);
    put_number(w, a->due_on, 4);
    put_number(w,
               (a->has_photo ? FLAG_PHOTO : 0) | (a->sixteen_on ? FLAG_CHILD : 0) |
                   (a->queued ? FLAG_QUEUED : 0),
               1);
    put_id(w, a->photo_ref);
    put_id(w, a->batch_id);
    put_number(w, a->line_no, 4);
    put_number(w, a->remakes, 4);
    put_number(w, a->until, 8);
    put_number(w, a->leaving, 1);
    for (int i = 0; i < PRODUCTION_LEAVES_KEPT; i++)
        put_id(w, a->leave_ids[i]);
    put_no(w, a->superseded);
    put_number(w, a->accepted_on, 4);
    put_number(w, a->working_days, 4);
    put_number(w,
               (a->extended ? FLAG_EXTENDED : 0) | (a->provisional ? FLAG_PROVISIONAL : 0) |
                   (a->warned ? FLAG_WARNED : 0) | (a->overdue ? FLAG_OVERDUE : 0) |
                   (a->given_up ? FLAG_GIVEN_UP : 0) | (a->by_hand ? FLAG_BY_HAND : 0),
               1);
    put_number(w, a->leave_channel, 1);
    if (a->sixteen_on) put_number(w, a->sixteen_on, 4);
}

static void take_app(struct reader *r, struct production_app *a, bool columns, int64_t version)
{
    if (!columns) {
        take_id(r, a->id);
        a->kind = (enum cf_app_kind)take_number(r, 1);
        a->state = (enum cf_app_state)take_number(r, 1);
        a->bank = take_text(r);
    }
    a->outlet = take_text(r);
    a->due_on = (cf_day)take_number(r, 4);
    unsigned flags = (unsigned)take_number(r, 1);
    a->has_photo = flags & FLAG_PHOTO;
    bool child = flags & FLAG_CHILD;
    a->queued = flags & FLAG_QUEUED;
    take_id(r, a->photo_ref);
    take_id(r, a->batch_id);
    a->line_no = (uint32_t)take_number(r, 4);
    a->remakes = (uint32_t)take_number(r, 4);
    a->until = take_number(r, 8);
    a->leaving = (enum production_leaving)take_number(r, 1);
    for (int i = 0; i < (version <= VERSION_ONE_LEAVE ? 1 : PRODUCTION_LEAVES_KEPT); i++)
        take_id(r, a->leave_ids[i]);
    take_no(r, a->superseded);
    if (version == VERSION_FIRST) {
        if (child) a->sixteen_on = take_birthday(r, a->due_on, version);
        return;
    }
    a->accepted_on = (cf_day)take_number(r, 4);
    a->working_days = (int)take_number(r, 4);
    flags = (unsigned)take_number(r, 1);
    a->extended = flags & FLAG_EXTENDED;
    a->provisional = flags & FLAG_PROVISIONAL;
    a->warned = flags & FLAG_WARNED;
    a->overdue = flags & FLAG_OVERDUE;
    a->given_up = flags & FLAG_GIVEN_UP;
    a->by_hand = flags & FLAG_BY_HAND;
    if (version > VERSION_NO_CHANNEL) a->leave_channel = (enum cf_channel)take_number(r, 1);
    if (child) a->sixteen_on = take_birthday(r, a->accepted_on, version);
}

/* Numbers of enums that came from the database must be ones we know. */
static bool sane(const struct production_slot *s)
{
    const struct production_card *cards[] = {&s->made, &s->card};
    for (int i = 0; i < 2; i++)
        if ((unsigned)cards[i]->state >= CF_CARD_COUNT ||
            (unsigned)cards[i]->before_loss >= CF_CARD_COUNT ||
            (unsigned)cards[i]->financial > PRODUCTION_FIN_CLOSED ||
            (unsigned)cards[i]->password[0] >= PRODUCTION_PW_COUNT ||
            (unsigned)cards[i]->password[1] >= PRODUCTION_PW_COUNT)
            return false;
    return (unsigned)s->app.kind < CF_KIND_COUNT && (unsigned)s->app.state < CF_APP_COUNT &&
           (unsigned)s->app.leaving <= PRODUCTION_LEAVES_RELEASED &&
           (unsigned)s->app.leave_channel < CF_CHANNEL_COUNT;
}

static void put_slot(struct writer *w, const struct production_slot *slot, bool columns)
{
    put_number(w, VERSION, 1);
    put_app(w, &slot->app, columns);
    put_card(w, &slot->made, columns);
    put_card(w, &slot->card, columns);
}

static void take_slot(struct reader *r, struct production_slot *slot, bool columns)
{
    int64_t version = take_number(r, 1);
    if (version < VERSION_FIRST || version > VERSION) r->bad = true;
    take_app(r, &slot->app, columns, version);
    take_card(r, &slot->made, columns, version);
    take_card(r, &slot->card, columns, version);
    /* A card that was not made yet had no day of its own. */
    if (version <= VERSION_NO_BIRTHDAY && slot->made.sixteen_on && !slot->made.issued_on)
        slot->made.sixteen_on = slot->app.sixteen_on;
    if (!sane(slot)) r->bad = true;
}

static struct cf_str written(struct cf_arena *a, const struct writer *w)
{
    return (struct cf_str){cf_arena_dup(a, w->bytes, w->n), w->n};
}

struct cf_str production_pack_permanent(struct cf_arena *a, const struct production_holder *h)
{
    struct writer w;
    w.n = 0;
    put_slot(&w, &h->permanent, true);
    put_number(&w, h->died, 1);
    for (int i = 0; i < PRODUCTION_ENDED_KEPT; i++)
        put_id(&w, h->ended[i]);
    return written(a, &w);
}

bool production_unpack_permanent(struct cf_str bytes, struct production_holder *h)
{
    struct reader r = {(const uint8_t *)bytes.ptr, bytes.len, false};
    take_slot(&r, &h->permanent, true);
    h->died = take_number(&r, 1) != 0;
    for (int i = 0; i < PRODUCTION_ENDED_KEPT; i++)
        take_id(&r, h->ended[i]);
    return !r.bad;
}

struct cf_str production_pack_temporary(struct cf_arena *a, const struct production_holder *h)
{
    struct writer w;
    w.n = 0;
    const struct production_slot *s = &h->temporary;
    if (s->app.state == CF_APP_NONE && s->made.state == CF_CARD_NONE &&
        s->card.state == CF_CARD_NONE)
        return (struct cf_str){0};
    put_slot(&w, s, false);
    return written(a, &w);
}

bool production_unpack_temporary(struct cf_str bytes, struct production_holder *h)
{
    struct reader r = {(const uint8_t *)bytes.ptr, bytes.len, false};
    take_slot(&r, &h->temporary, false);
    return !r.bad;
}
