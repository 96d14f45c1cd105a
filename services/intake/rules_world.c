/* What is known of the holder: enrolment, open applications, cards. Checked only when type and
 * number are valid. Source: domain reference, "One card". */
#include "common/pure/reissue.h"
#include "services/intake/rules.h"

static void check_enrolment(const struct intake_facts *f, const struct intake_world *w,
                            struct cf_reason_set *out)
{
    if (w->enrolment != INTAKE_ENROLMENT_ACTIVE) {
        cf_reason_set_add(out, CF_REASON_NOT_ENROLLED);
        return;
    }
    if (f->name_ok && !w->name_equal) cf_reason_set_add(out, CF_REASON_ENROLMENT_NAME_MISMATCH);
}

static bool is_duplicate(const struct intake_request *r, const struct intake_world *w,
                         cf_ms submitted_at)
{
    bool temporary = r->kind == CF_KIND_TEMPORARY;
    cf_ms last = temporary                        ? w->last_temporary
                 : r->kind == CF_KIND_FIRST_ISSUE ? w->last_first_issue
                                                  : 0;
    if (temporary ? w->temporary_open : w->permanent_open) return true;
    return last && submitted_at >= last && submitted_at - last <= INTAKE_DUPLICATE_MS;
}

static bool one_of(enum cf_card_state s, unsigned states)
{
    return states >> s & 1u;
}

#define IN(state) (1u << CF_CARD_##state)

/* Loss and damage: there must be a card, and its own bank replaces it (S11). */
static void check_replacement(const struct intake_request *r, const struct intake_card *c,
                              unsigned states, struct cf_reason_set *out)
{
    if (c->state == CF_CARD_CANCELLED)
        cf_reason_set_add(out, CF_REASON_CARD_CANCELLED);
    else if (!one_of(c->state, states))
        cf_reason_set_add(out, CF_REASON_NO_CARD_TO_REPLACE);
    else if (!cf_str_eq(c->bank_code, r->bank_code))
        cf_reason_set_add(out, CF_REASON_NOT_ISSUING_BANK);
}

/* A card without a photo gets one, by the bank that issued it (S6). */
static void check_photo_swap(const struct intake_request *r, const struct intake_card *c,
                             struct cf_reason_set *out)
{
    if (c->state == CF_CARD_CANCELLED)
        cf_reason_set_add(out, CF_REASON_CARD_CANCELLED);
    else if (!one_of(c->state, IN(NORMAL) | IN(SEALED)))
        cf_reason_set_add(out, CF_REASON_NO_CARD_TO_REPLACE);
    else if (c->has_photo)
        cf_reason_set_add(out, CF_REASON_CARD_EXISTS);
    else if (!cf_str_eq(c->bank_code, r->bank_code))
        cf_reason_set_add(out, CF_REASON_NOT_ORIGINAL_BANK);
}

static void check_reissue(const struct intake_request *r, const struct intake_facts *f,
                          const struct intake_card *c, struct cf_reason_set *out)
{
    const struct cf_reissue_card card = {c->state, cf_str_eq(c->bank_code, r->bank_code),
                                         c->valid_until};
    enum cf_reason refused =
        cf_reissue_refused(cf_reissue_reason_parse(r->reissue_reason), &card, f->today);
    if (refused != CF_REASON_NONE) cf_reason_set_add(out, refused);
}

static void check_cards(const struct intake_request *r, const struct intake_facts *f,
                        const struct intake_world *w, struct cf_reason_set *out)
{
    const struct intake_card *c = &w->permanent;
    switch (r->kind) {
    case CF_KIND_FIRST_ISSUE:
        if (c->state != CF_CARD_NONE && c->state != CF_CARD_CANCELLED)
            cf_reason_set_add(out, CF_REASON_CARD_EXISTS);
        break;
    case CF_KIND_LOSS_REPLACEMENT:
        check_replacement(r, c,
                          IN(SEALED) | IN(NORMAL) | IN(APP_LOCKED) | IN(TEMPORARY_LOSS) |
                              IN(FORMAL_LOSS),
                          out);
        break;
    case CF_KIND_DAMAGE_REPLACEMENT: /* the card is handed in, so it cannot be lost */
        check_replacement(r, c, IN(SEALED) | IN(NORMAL) | IN(APP_LOCKED), out);
        break;
    case CF_KIND_PHOTO_SWAP: check_photo_swap(r, c, out); break;
    case CF_KIND_TEMPORARY:
        if (cf_card_state_is_usable(w->temporary.state))
            cf_reason_set_add(out, CF_REASON_CARD_EXISTS);
        break;
    case CF_KIND_REISSUE: check_reissue(r, f, c, out); break;
    case CF_KIND_NONE:
    case CF_KIND_COUNT: break;
    }
}

bool intake_school_has(struct cf_str banks, struct cf_str bank_code)
{
    while (banks.len) {
        const char *bar = memchr(banks.ptr, '|', banks.len);
        size_t n = bar ? (size_t)(bar - banks.ptr) : banks.len;
        if (bank_code.len && cf_str_eq(bank_code, (struct cf_str){banks.ptr, n})) return true;
        n += bar != NULL;
        banks = (struct cf_str){banks.ptr + n, banks.len - n};
    }
    return false;
}

/* Applications that choose a bank; the others go to the one that issued the card. */
static bool chooses_bank(const struct intake_request *r)
{
    enum cf_reissue_reason why = cf_reissue_reason_parse(r->reissue_reason);
    return r->kind == CF_KIND_FIRST_ISSUE || r->kind == CF_KIND_TEMPORARY ||
           (r->kind == CF_KIND_REISSUE &&
            (why == CF_REISSUE_MASS_EXCHANGE || why == CF_REISSUE_BANK_CHANGE));
}

void intake_check_world(const struct intake_request *r, const struct intake_facts *f,
                        const struct intake_world *w, cf_ms submitted_at, struct cf_reason_set *out)
{
    if (!f->number_ok) return;
    check_enrolment(f, w, out);
    if (w->enrolment == INTAKE_ENROLMENT_ACTIVE && chooses_bank(r) && w->school_banks_known &&
        !w->school_has_bank)
        cf_reason_set_add(out, CF_REASON_NOT_SCHOOLS_BANK);
    if (is_duplicate(r, w, submitted_at)) {
        /* Before and instead of the question whether there is a card. */
        cf_reason_set_add(out, CF_REASON_DUPLICATE_APPLICATION);
        return;
    }
    check_cards(r, f, w, out);
}
