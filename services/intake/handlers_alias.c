/* handlers_alias -- a document has changed: the new reference leads to the first, which stays the
 * holder's own. Source: domain reference, "Identity documents". */
#include "services/intake/handlers.h"

static const uint8_t zero[16];

/* References of older documents beyond this many are not newer ones any more. */
enum { ALIASES_MAX = 32 };

bool intake_holder_has_alias(const struct intake_holder *h, const struct cf_key *key)
{
    if (key->len != CF_REF_LEN) return false;
    for (size_t i = 0; i + CF_REF_LEN <= h->aliases.len; i += CF_REF_LEN)
        if (memcmp(h->aliases.ptr + i, key->b, CF_REF_LEN) == 0) return true;
    return false;
}

int intake_check_key(struct cf_step *s, const struct intake_holder *h, const struct cf_key *other)
{
    if (!other->len || cf_key_eq(other, &h->alias_of) || intake_holder_has_alias(h, other)) return 0;
    s->reason = "key: not that of the document";
    return CF_E_WRONG_KEY;
}

static int add_alias(struct cf_step *s, struct intake_holder *h, const struct cf_key *alias)
{
    if (cf_key_eq(alias, &s->msg->key) || intake_holder_has_alias(h, alias)) return 0;
    if (h->aliases.len >= (size_t)ALIASES_MAX * CF_REF_LEN) {
        s->reason = "more documents than a holder can have";
        return CF_E_ILLEGAL;
    }
    char *list = cf_arena_alloc(s->arena, h->aliases.len + CF_REF_LEN);
    if (h->aliases.len) memcpy(list, h->aliases.ptr, h->aliases.len);
    memcpy(list + h->aliases.len, alias->b, CF_REF_LEN);
    h->aliases = (struct cf_str){list, h->aliases.len + CF_REF_LEN};
    return 0;
}

/* The record of before with the new document; what the event does not give stays. */
static int keep_person(struct cf_step *s, const struct intake_enrolment_msg *m)
{
    uint8_t id[16];
    const struct cf_seal_ring *ring = intake_env_of(s)->ring;
    struct intake_person person = {.document_type = {NULL, 0}};
    intake_enrolment_id(&s->msg->key, id);
    const struct intake_enrolled *known = cf_aux_get(s, INTAKE_AUX_ENROLMENT, id);
    if (!known) return 0;
    struct intake_enrolled row = *known;
    int e = intake_codec_person_open(ring, s->arena, row.person, &s->msg->key, &person);
    if (e) return e;
    intake_person_merge(&person, &m->person);
    row.revision = m->revision;
    e = intake_codec_person_seal(ring, s->arena, &person, &s->msg->key, &row.person);
    if (!e) cf_aux_put(s, INTAKE_AUX_ENROLMENT, id, &row);
    return e;
}

int intake_decide_document_changed(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    const struct intake_enrolment_msg *m = s->msg->body;
    int e = intake_check_key(s, h, &m->other);
    if (e) return e;
    if (h->alias_of.len) return intake_send_enrolment_on(s, h);
    if (m->revision <= h->revision) {
        cf_count(s, "duplicate_revisions");
        return 0;
    }
    e = add_alias(s, h, &m->alias);
    if (!e) e = keep_person(s, m);
    if (e) return e;
    h->revision = m->revision;
    if (m->person.name.len) memcpy(h->name_hash, m->name_hash, 16);
    *changed = true;
    if (!cf_key_eq(&m->alias, &s->msg->key)) intake_codec_send_aliased(s, &m->alias, m->revision);
    return 0;
}

/* Sealed for the holder whose record it is. */
int intake_send_enrolment_on(struct cf_step *s, const struct intake_holder *h)
{
    const struct intake_enrolment_msg *m = s->msg->body;
    struct cf_str sealed, event;
    int e = intake_codec_person_seal(intake_env_of(s)->ring, s->arena, &m->person, &h->alias_of,
                                     &sealed);
    if (e) return e;
    if (s->msg->type == INTAKE_MSG_DOCUMENT_CHANGED)
        event = intake_codec_document_changed(s->arena, sealed, sealed, m->revision);
    else
        event = intake_codec_enrolment(s->arena, m->word, sealed, m->revision, m->unit_code,
                                       m->end_reason);
    intake_codec_send_enrolment_on(s, &h->alias_of, event);
    cf_count(s, "sent_on");
    return 0;
}

/* Who applied with the new document before it was known: judged as the holder. */
static int move_open(struct cf_step *s, struct intake_holder *h, bool *changed)
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
        if (!e) e = intake_case_move(&c, &h->alias_of);
    }
    return e;
}

int intake_decide_aliased(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    const struct intake_aliased *m = s->msg->body;
    if (cf_key_eq(&h->alias_of, &m->canonical)) return 0;
    /* Each was made an alias of the other at one time: the smaller reference stays. */
    if (intake_holder_has_alias(h, &m->canonical) && cf_key_cmp(&s->msg->key, &m->canonical) < 0)
        return 0;
    h->alias_of = m->canonical;
    *changed = true;
    intake_codec_send_alias_event(s, m);
    return move_open(s, h, changed);
}
