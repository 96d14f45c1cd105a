#include "services/inquiry/answer.h"

#include "common/pure/deadline.h"
#include "common/pure/mask.h"

static void out_pair(struct cf_out *o, const char *name, struct cf_str zh, struct cf_str en)
{
    cf_out_object(o, name);
    cf_out_text(o, "zh", zh.ptr ? zh : CF_STR(""));
    cf_out_text(o, "en", en.ptr ? en : CF_STR(""));
    cf_out_end(o);
}

static void out_id(struct cf_out *o, const char *name, const uint8_t id[16])
{
    char text[37];
    cf_uuid_text(id, text);
    cf_out_z(o, name, text);
}

static void out_label(struct cf_out *o, const struct inquiry_app *app)
{
    out_pair(
        o, "label",
        cf_str_of(cf_app_state_label_detail(app->state, app->waits, app->activated, CF_LANG_ZH)),
        cf_str_of(cf_app_state_label_detail(app->state, app->waits, app->activated, CF_LANG_EN)));
}

static cf_day promised_on(const struct inquiry_app *app)
{
    const struct inquiry_entry *line = app->said[INQUIRY_PRODUCTION];
    return line ? line->promised_on : 0;
}

/* ---- status: holder, cards, work orders ------------------------------------------------------ */

static void out_masked(struct cf_out *o, const struct inquiry_person *p)
{
    char masked[CF_MASK_MAX];
    cf_out_object(o, "holder");
    cf_mask_name(p->name, masked);
    cf_out_z(o, "name", masked);
    cf_out_some(o, "document_type", p->document_type);
    cf_mask_number(p->document_number, masked);
    cf_out_z(o, "document_number", masked);
    cf_mask_phone(p->phone, masked);
    cf_out_z(o, "phone", p->phone.len ? masked : "");
    cf_out_end(o);
}

static void out_holder(struct cf_out *o, const struct inquiry_answer *in)
{
    struct cf_str sealed = in->facts->sections[INQUIRY_INTAKE].person, plain;
    struct inquiry_person person;
    if (in->verified && sealed.len &&
        cf_unseal(in->ring, sealed, cf_key_str(in->holder), 1, in->arena, &plain) == 0 &&
        inquiry_codec_person(in->arena, plain, &person) == 0)
        out_masked(o, &person);
    else
        cf_out_null(o, "holder");
}

static void out_identity(struct cf_out *o, unsigned invalid)
{
    cf_out_object(o, "identity");
    cf_out_bool(o, "valid", invalid == 0);
    cf_out_array(o, "reasons");
    for (unsigned i = 0; i < INQUIRY_ID_COUNT; i++)
        if (invalid >> i & 1) cf_out_z(o, NULL, inquiry_identity_name(i));
    cf_out_end(o);
    cf_out_end(o);
}

static void out_card_code(struct cf_out *o, const struct inquiry_card *card)
{
    char code[2] = {(char)('0' + cf_card_state_code(card->state)), 0};
    cf_out_z(o, "state", cf_card_state_name(card->state));
    cf_out_z(o, "code", code);
    out_pair(o, "label", cf_str_of(cf_card_state_label(card->state, CF_LANG_ZH)),
             cf_str_of(cf_card_state_label(card->state, CF_LANG_EN)));
}

/* The social-security password: a signature does at a hospital. */
static void out_password_places(struct cf_out *o, const struct inquiry_card *card)
{
    cf_out_array(o, "password_needed_at");
    if (card->state == CF_CARD_NORMAL) {
        cf_out_z(o, NULL, "outpatient");
        cf_out_z(o, NULL, "community_institution");
        cf_out_z(o, NULL, "pharmacy");
    }
    cf_out_end(o);
}

/* Null: nothing was told of them yet. */
static void out_passwords(struct cf_out *o, const struct inquiry_card *card)
{
    static const char *const kinds[] = {"social_security", "financial"};
    static const char *const words[] = {NULL, "unset", "set", "disabled", "locked"};
    if (!card->password[0]) {
        cf_out_null(o, "passwords");
        return;
    }
    cf_out_object(o, "passwords");
    for (int i = 0; i < 2; i++) {
        bool known = card->password[i] < sizeof words / sizeof *words;
        cf_out_z(o, kinds[i], known ? words[card->password[i]] : NULL);
    }
    cf_out_end(o);
}

static void out_add_ons(struct cf_out *o, const struct inquiry_card *card)
{
    cf_out_array(o, "add_ons");
    for (size_t i = 0; i < card->n_add_ons; i++) {
        cf_out_object(o, NULL);
        cf_out_text(o, "add_on", card->add_ons[i].name);
        cf_out_time(o, "opened_at", card->add_ons[i].at);
        cf_out_text(o, "consent_by", card->add_ons[i].consent_by);
        cf_out_end(o);
    }
    cf_out_end(o);
}

static void out_card(struct cf_out *o, const struct inquiry_answer *in,
                     const struct inquiry_shown_card *c)
{
    char masked[CF_MASK_MAX];
    cf_out_object(o, NULL);
    if (in->verified) {
        cf_mask_cardnum(c->card->no, masked);
        cf_out_z(o, "card_no", masked);
    }
    out_card_code(o, c->card);
    if (in->verified) {
        cf_out_z(o, "kind", c->card->temporary ? "temporary" : "permanent");
        cf_out_some(o, "bank_code", c->card->bank);
        cf_out_day(o, "issued_on", c->card->issued_on);
        cf_out_day(o, "valid_until", c->card->valid_until);
        cf_out_bool(o, "has_photo", c->card->has_photo);
        out_identity(o, c->invalid);
        cf_out_some(o, "financial_state", c->card->financial);
        out_passwords(o, c->card);
        out_password_places(o, c->card);
        out_add_ons(o, c->card);
        cf_out_z(o, "bank_notice", c->card->bank_overdue ? "overdue" : NULL);
    }
    cf_out_end(o);
}

static void out_orders(struct cf_out *o, const struct inquiry_answer *in)
{
    const struct inquiry_section *s = &in->facts->sections[INQUIRY_COMPLAINT];
    cf_out_array(o, "work_orders");
    for (size_t i = s->n_orders; in->verified && i > 0; i--) {
        const struct inquiry_order *order = &s->orders[i - 1];
        cf_out_object(o, NULL);
        out_id(o, "work_order_id", order->id);
        cf_out_some(o, "source_system", order->source_system);
        cf_out_some(o, "order_no", order->no);
        cf_out_some(o, "kind", order->kind);
        cf_out_some(o, "state", order->state);
        cf_out_day(o, "due_on", order->due_on);
        cf_out_end(o);
    }
    cf_out_end(o);
}

static void out_place(struct cf_out *o, uint32_t place)
{
    if (place)
        cf_out_uint(o, "place_in_queue", place);
    else
        cf_out_null(o, "place_in_queue");
}

static void out_short_app(struct cf_out *o, const struct inquiry_answer *in,
                          const struct inquiry_app *app)
{
    const struct inquiry_entry *intake = app->said[INQUIRY_INTAKE];
    cf_out_object(o, NULL);
    if (in->verified) out_id(o, "application_id", app->id);
    cf_out_z(o, "state", cf_app_state_name(app->state));
    out_label(o, app);
    if (in->verified) {
        cf_out_z(o, "kind", cf_app_kind_name(app->kind));
        cf_out_z(o, "outcome", inquiry_outcome_name(app->outcome));
        cf_out_time(o, "since", app->since);
        const struct inquiry_deadline *d = inquiry_deadline_of(app);
        cf_out_day(o, "due_on", inquiry_due_on(app));
        cf_out_time(o, "warned_at", d ? d->warned_at : 0);
        cf_out_time(o, "overdue_at", d ? d->overdue_at : 0);
        cf_out_day(o, "promised_date", promised_on(app));
        out_place(o, inquiry_place(app));
        cf_out_bool(o, "past_deadline",
                    cf_promised_late(app->state, promised_on(app), inquiry_due_on(app)));
        cf_out_some(o, "receipt_no", intake ? intake->receipt_no : (struct cf_str){0});
        cf_out_z(o, "waiting_on", app->waiting_on_holder ? "holder" : NULL);
        cf_out_array(o, "reasons");
        for (size_t i = 0; i < app->owner->n_reasons; i++)
            cf_out_text(o, NULL, app->owner->reasons[i]);
        cf_out_end(o);
    }
    cf_out_end(o);
}

static void out_truth(struct cf_out *o, const struct inquiry_answer *in)
{
    cf_ms as_of = in->facts ? in->facts->as_of : 0;
    cf_out_time(o, "as_of", as_of ? as_of : in->now);
    cf_out_z(o, "source", in->from_cache ? "cache" : "store");
    cf_out_int(o, "age_ms", as_of && as_of < in->now ? in->now - as_of : 0);
}

static void out_found(struct cf_out *o, const struct inquiry_answer *in,
                      const struct inquiry_picture *p)
{
    out_holder(o, in);
    out_pair(o, "label", p->label_zh, p->label_en);
    cf_out_array(o, "applications");
    for (size_t i = 0; i < p->n_apps; i++)
        out_short_app(o, in, &p->apps[i]);
    cf_out_end(o);
    cf_out_array(o, "cards");
    for (size_t i = 0; i < p->n_cards; i++)
        out_card(o, in, &p->cards[i]);
    cf_out_end(o);
    if (in->verified) out_identity(o, p->invalid);
    out_orders(o, in);
}

static void out_nothing(struct cf_out *o)
{
    cf_out_null(o, "holder");
    cf_out_array(o, "applications");
    cf_out_end(o);
    cf_out_array(o, "cards");
    cf_out_end(o);
    cf_out_array(o, "work_orders");
    cf_out_end(o);
}

bool inquiry_answer_status(struct cf_buf *to, const struct inquiry_answer *in)
{
    static const struct inquiry_section nothing[INQUIRY_SOURCES];
    struct inquiry_picture p;
    struct cf_out o = cf_out_to(to);
    inquiry_render(in->arena, in->facts ? in->facts->sections : nothing, cf_day_of_ms(in->now), &p);
    cf_out_object(&o, NULL);
    cf_out_bool(&o, "found", p.found);
    out_truth(&o, in);
    if (p.found)
        out_found(&o, in, &p);
    else
        out_nothing(&o);
    out_pair(&o, "sentence", p.sentence_zh, p.sentence_en);
    cf_out_z(&o, "next_step", inquiry_step_name(p.step));
    cf_out_day(&o, "next_date", p.step_on);
    cf_out_end(&o);
    return p.found;
}
