/* handlers_holder -- enrolment, cards, and how applications go on after acceptance. */
#include "common/io/ids.h"
#include "services/intake/handlers.h"

static const uint8_t zero[16];

void intake_enrolment_id(const struct cf_key *holder, uint8_t out[16])
{
    cf_uuid8_of(out, CF_STR("intake.enrolment"), cf_key_str(holder));
}

static void keep_enrolment(struct cf_step *s, const struct intake_enrolment_msg *m)
{
    uint8_t id[16];
    struct intake_enrolled row = {.holder = s->msg->key, .person = m->sealed,
                                  .revision = m->revision, .unit_code = m->unit_code};
    intake_enrolment_id(&s->msg->key, id);
    cf_aux_put(s, INTAKE_AUX_ENROLMENT, id, &row);
}

static bool has_card(const struct intake_holder *h)
{
    return h->card.state != CF_CARD_NONE || h->made.state != CF_CARD_NONE ||
           h->temporary_card.state != CF_CARD_NONE;
}

/* All were told that this holder is not enrolled: by the end, or by a card before any record. */
static bool was_inactive(const struct intake_holder *h)
{
    if (h->enrolment == INTAKE_ENROLMENT_UNKNOWN) return has_card(h);
    return h->enrolment == INTAKE_ENROLMENT_ENDED;
}

/* A notice has named the missing enrolment, and now there is more to say than that one reason of it
 * is gone: nothing stands against the application any more, or something that the notice could not
 * know. The enrolment is what led to it, as a supplement would be: its day is the day of acceptance. */
static bool is_news(struct intake_case *c)
{
    struct cf_reason_set told, left;
    struct intake_facts f;
    struct intake_verdict v;
    if (!cf_reason_set_parse(c->app.reasons, &told)) CF_BUG("a notice with unknown reasons");
    if (!cf_reason_set_has(&told, CF_REASON_NOT_ENROLLED)) return false;
    c->app.submitted_at = c->app.received_at = c->s->now;
    intake_case_verdict(c, false, false, &f, &v);
    left = v.reasons;
    for (unsigned r = cf_reason_set_next(&told, 0); r < CF_REASON_COUNT;
         r = cf_reason_set_next(&told, r + 1))
        cf_reason_set_remove(&left, (enum cf_reason)r);
    return v.outcome == INTAKE_ACCEPT || cf_reason_set_any(&left);
}

/* Applications that wait for the enrolment, or were noticed for the want of it, are judged now. */
static int judge_waiting(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    int e = 0;
    for (int i = 0; i < 2 && !e; i++) {
        const struct intake_slot *slot = i ? &h->temporary : &h->permanent;
        if (memcmp(slot->app, zero, 16) == 0) continue;
        if (slot->state != CF_APP_RECEIVED && slot->state != CF_APP_NOTICED) continue;
        struct intake_case c = {.s = s, .h = h, .changed = changed};
        memcpy(c.id, slot->app, 16);
        const struct intake_application *app = cf_aux_get(s, INTAKE_AUX_APPLICATION, c.id);
        if (!app) return CF_E_ILLEGAL;
        e = intake_case_load(&c, app);
        if (!e && (app->outcome == INTAKE_WAIT || is_news(&c)))
            e = intake_case_judge(&c, false, false);
    }
    return e;
}

int intake_decide_enrolment(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    const struct intake_enrolment_msg *m = s->msg->body;
    int e = intake_check_key(s, h, &m->other);
    if (e) return e;
    if (h->alias_of.len) return intake_send_enrolment_on(s, h);
    if (m->revision <= h->revision) {
        cf_count(s, "duplicate_revisions");
        return 0;
    }
    bool back = h->enrolment == INTAKE_ENROLMENT_ENDED, inactive = was_inactive(h);
    h->enrolment = INTAKE_ENROLMENT_ACTIVE;
    h->end_reason = (struct cf_str){0};
    h->revision = m->revision;
    memcpy(h->name_hash, m->name_hash, 16);
    if (back || !h->unit_since || !cf_str_eq(h->unit_code, m->unit_code))
        h->unit_since = cf_day_of_ms(s->now);
    h->unit_code = m->unit_code;
    *changed = true;
    keep_enrolment(s, m);
    /* That somebody without a card is enrolled for the first time is news to nobody else. */
    if (inactive) intake_codec_send_enrolment(s, true, (struct cf_str){0}, m->revision);
    return judge_waiting(s, h, changed);
}

int intake_decide_enrolment_ended(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    const struct intake_enrolment_msg *m = s->msg->body;
    int e = intake_check_key(s, h, &m->other);
    if (e) return e;
    if (h->alias_of.len) return intake_send_enrolment_on(s, h);
    if (m->revision <= h->revision) {
        cf_count(s, "duplicate_revisions");
        return 0;
    }
    h->enrolment = INTAKE_ENROLMENT_ENDED;
    h->end_reason = m->end_reason;
    h->revision = m->revision;
    *changed = true;
    bool died = cf_str_is(m->end_reason, "death");
    /* What is not accepted yet ends here; the rest is production's. */
    for (int i = 0; i < 2 && !e; i++) {
        const struct intake_slot *slot = i ? &h->temporary : &h->permanent;
        if (memcmp(slot->app, zero, 16) == 0) continue;
        if (slot->state != CF_APP_RECEIVED && slot->state != CF_APP_NOTICED) continue;
        struct intake_case c = {.s = s, .h = h, .changed = changed};
        memcpy(c.id, slot->app, 16);
        const struct intake_application *app = cf_aux_get(s, INTAKE_AUX_APPLICATION, c.id);
        if (!app) return CF_E_ILLEGAL;
        c.app = *app;
        e = intake_case_end(&c, INTAKE_ON_CLOSE,
                            cf_close_reason_name(died ? CF_CLOSE_HOLDER_DIED
                                                      : CF_CLOSE_ENROLMENT_ENDED));
    }
    if (!e) intake_codec_send_enrolment(s, false, m->end_reason, m->revision);
    return e;
}

int intake_decide_follow(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    const struct intake_follow *m = s->msg->body;
    struct intake_slot *slot = intake_slot_with(h, m->application_id);
    if (!slot) {
        cf_count(s, "dropped_ended");
        return 0;
    }
    enum cf_app_state to = intake_state_next((enum cf_app_state)slot->state, m->on);
    if (to == CF_APP_NONE) return CF_E_ILLEGAL;
    if (to == (enum cf_app_state)slot->state) return 0;
    slot->state = (int16_t)to;
    *changed = true;
    intake_tell_roster(s, slot->roster, slot->row_no, slot->app, INTAKE_ROW_NONE,
                       (struct cf_str){0}, 0, to);
    if (!cf_app_state_is_end(to)) return 0;
    struct intake_ended end = {.state = (int16_t)to, .at = s->now};
    cf_aux_put(s, INTAKE_AUX_ENDED, m->application_id, &end);
    intake_slot_free(h, m->application_id, to == CF_APP_WITHDRAWN || to == CF_APP_EXPIRED, changed);
    return 0;
}

int intake_decide_promised(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    const struct intake_promised *m = s->msg->body;
    struct intake_slot *slot = intake_slot_with(h, m->application_id);
    if (!slot) {
        cf_count(s, "dropped_ended");
        return 0;
    }
    *changed = slot->promised_on != m->promised_on;
    slot->promised_on = m->promised_on;
    return 0;
}

int intake_decide_later_notice(struct cf_step *s, struct intake_holder *h)
{
    const struct intake_follow *m = s->msg->body;
    const struct intake_slot *slot = intake_slot_with(h, m->application_id);
    if (!slot || memcmp(slot->roster, zero, 16) == 0 || m->reasons.len == 0) return 0;
    struct intake_row_msg row = {.row_no = slot->row_no, .notice = m->reasons};
    memcpy(row.roster_id, slot->roster, 16);
    memcpy(row.application_id, m->application_id, 16);
    intake_codec_send_row(s, &row);
    return 0;
}

/* ---- the mirror of the cards ----------------------------------------------------------------- */

static bool same_card(const struct intake_mirror *a, const struct intake_mirror *b)
{
    return a->card_no.len && cf_str_eq(a->card_no, b->card_no);
}

static bool is_gone(int state)
{
    return state == CF_CARD_CANCELLED || state == CF_CARD_VOIDED;
}

/* Of the permanent cards intake keeps two: the one that counts, and a replacement on its way,
 * which takes its place when it is activated or the old one is gone. */
static void mirror_permanent(struct intake_holder *h, const struct intake_mirror *m)
{
    struct intake_mirror *card = &h->card, *made = &h->made;
    if (same_card(made, m)) {
        *made = *m;
    } else if (card->state == CF_CARD_NONE || card->state == CF_CARD_CANCELLED ||
               same_card(card, m)) {
        *card = *m;
    } else if (!is_gone(m->state)) {
        *made = *m;
    }
    if (card->state == CF_CARD_VOIDED) *card = (struct intake_mirror){.state = CF_CARD_NONE};
    if (is_gone(made->state)) *made = (struct intake_mirror){.state = CF_CARD_NONE};
    bool replaced = made->state == CF_CARD_NORMAL ||
                    (made->state != CF_CARD_NONE && is_gone(card->state));
    if (replaced) {
        *card = *made;
        *made = (struct intake_mirror){.state = CF_CARD_NONE};
    }
}

/* The mirror that holds this card already. */
static const struct intake_mirror *known_card(const struct intake_holder *h,
                                              const struct intake_mirror *m)
{
    if (same_card(&h->card, m)) return &h->card;
    if (same_card(&h->made, m)) return &h->made;
    return same_card(&h->temporary_card, m) ? &h->temporary_card : NULL;
}

const uint8_t *intake_activates(const struct intake_holder *h, const struct intake_card_msg *m)
{
    const struct intake_mirror *known = known_card(h, &m->card);
    if (m->card.state != CF_CARD_NORMAL || !known) return NULL;
    return memcmp(known->app, zero, 16) ? known->app : NULL;
}

/* A card is normal for the first time: only activation does that. */
static void tell_activated(struct cf_step *s, const uint8_t app[16])
{
    const struct intake_ended *known = cf_aux_get(s, INTAKE_AUX_ENDED, app);
    if (!known) return; /* collected before intake kept ends */
    struct intake_ended end = *known;
    end.activated_at = s->now;
    cf_aux_put(s, INTAKE_AUX_ENDED, app, &end);
}

int intake_decide_card(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    const struct intake_card_msg *m = s->msg->body;
    struct intake_mirror card = m->card;
    if (card.state == CF_CARD_RESERVED) return 0; /* hidden until it is made */
    /* Only the event of its making names the application. */
    const struct intake_mirror *known = known_card(h, &card);
    if (known && memcmp(card.app, zero, 16) == 0) memcpy(card.app, known->app, 16);
    const uint8_t *activated = intake_activates(h, m);
    if (activated) {
        tell_activated(s, activated);
        memset(card.app, 0, 16);
    }
    if (m->temporary)
        h->temporary_card = card;
    else
        mirror_permanent(h, &card);
    *changed = true;
    /* A card of before cardflow: the enrolment of one of ours was there at acceptance. */
    if (h->enrolment == INTAKE_ENROLMENT_UNKNOWN && !h->alias_of.len)
        intake_codec_send_not_enrolled(s);
    return 0;
}
