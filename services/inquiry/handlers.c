#include "services/inquiry/handlers.h"

#include "common/io/ids.h"
#include "common/pure/hash.h"
#include "services/inquiry/codec.h"

/* ---- aliases -------------------------------------------------------------------------------- */

static void put_alias(struct cf_step *s, struct inquiry_row *row, const uint8_t id[16], cf_ms at,
                      bool is_new, struct cf_str past)
{
    const struct inquiry_alias alias = {.holder = s->msg->key, .at = at, .past = past};
    if (is_new)
        cf_aux_add(s, INQUIRY_AUX_ALIAS, id, &alias);
    else
        cf_aux_put(s, INQUIRY_AUX_ALIAS, id, &alias);
    /* Those that find no room here are found in PostgreSQL. */
    if (row->n_fresh < INQUIRY_FRESH_MAX) memcpy(row->fresh[row->n_fresh++], id, 16);
}

/* An application that leaves the document stays to be found by its id. */
static struct cf_str packed_alone(struct cf_step *s, const struct inquiry_entry *e)
{
    struct inquiry_entry copy = *e;
    const struct inquiry_section alone = {.entries = &copy, .n_entries = 1};
    return inquiry_codec_section_pack(s->arena, &alone);
}

/* A section that was never full has never dropped anything: what is new in it is new at all. */
static void put_aliases(struct cf_step *s, struct inquiry_row *row, const struct inquiry_event *ev,
                        const struct inquiry_section *section, const struct inquiry_folded *f)
{
    uint8_t id[16];
    bool new_entry = section->n_entries < INQUIRY_ENTRIES_MAX;
    /* Every application is intake's first: the others need not lead to it again. Its id may be known
     * to this shard: one whose number was corrected comes from another holder. */
    if (ev->source == INQUIRY_INTAKE && f->created)
        put_alias(s, row, ev->entry.id, ev->at, false, (struct cf_str){0});
    if (ev->source == INQUIRY_INTAKE && f->dropped)
        put_alias(s, row, f->dropped->id, ev->at, false, packed_alone(s, f->dropped));
    if (ev->source == INQUIRY_COMPLAINT && f->created)
        put_alias(s, row, ev->order.id, ev->at, false, (struct cf_str){0});
    if (f->receipt_created) {
        inquiry_alias_receipt(ev->entry.receipt_no, id);
        put_alias(s, row, id, ev->at, new_entry, (struct cf_str){0});
    }
    if (f->card_created) {
        inquiry_alias_card(ev->card.no, id);
        put_alias(s, row, id, ev->at, section->n_cards < INQUIRY_CARDS_MAX, (struct cf_str){0});
    }
}

/* ---- the document --------------------------------------------------------------------------- */

/* Tells the status when something that is seen has changed. Seen as of the newest event: a text
 * that depends on the day of the run would make another run tell other things. */
static int tell(struct cf_step *s, struct inquiry_row *row, bool always)
{
    struct inquiry_facts facts;
    struct inquiry_picture picture;
    int e =
        inquiry_codec_document_read(s->arena, inquiry_codec_document_pack(s->arena, row), &facts);
    if (e) {
        s->reason = "document: a section cannot be read";
        return e;
    }
    inquiry_render(s->arena, facts.sections, cf_day_of_ms(row->as_of), &picture);
    struct cf_str seen = inquiry_codec_status(s->arena, &facts, &picture, 0, 0);
    int64_t hash = (int64_t)cf_hash64(seen.ptr, seen.len);
    if (hash == row->shown && !always) return 0;
    row->shown = hash;
    /* Readers of a compacted topic want the newest state: one message a holder and batch. */
    cf_send_latest(s, INQUIRY_OUT_STATUS, &s->msg->key, "status",
                   inquiry_codec_status(s->arena, &facts, &picture, row->version, row->as_of));
    return 0;
}

static int decide_event(struct cf_step *s, struct inquiry_row *row)
{
    const struct inquiry_event *ev = s->msg->body;
    struct inquiry_section section;
    int e = inquiry_codec_section_read(s->arena, row->sections[ev->source], &section);
    if (e) {
        s->reason = "section: cannot be read";
        return e;
    }
    struct inquiry_folded folded = inquiry_fold(s->arena, &section, ev);
    row->sections[ev->source] = inquiry_codec_section_pack(s->arena, &section);
    row->version++;
    if (ev->at > row->as_of) row->as_of = ev->at;
    put_aliases(s, row, ev, &section, &folded);
    if (ev->what != INQUIRY_OTHER && ev->what != INQUIRY_ALIASED)
        row->seen = true;
    return 0;
}

static int settle(struct cf_step *s, void *aggregate)
{
    struct inquiry_row *row = aggregate;
    return s->msg->type == INQUIRY_MSG_AUDIT || !row->seen ? 0 : tell(s, row, false);
}

/* ---- audit ---------------------------------------------------------------------------------- */

/* Each record holds the hash of the one before: none can be changed or taken out unseen. */
static void decide_audit(struct cf_step *s, struct inquiry_chain *chain)
{
    const struct inquiry_audit *said = s->msg->body;
    struct inquiry_audit record = *said;
    char *hash = cf_arena_alloc(s->arena, CF_SHA256_LEN);
    record.before = chain->hash;
    const struct cf_str parts[] = {
        chain->hash, {(const char *)said->id, 16},
         inquiry_codec_audit(s->arena, said)
    };
    cf_sha256_parts(parts, 3, (uint8_t *)hash);
    record.hash = chain->hash = (struct cf_str){hash, CF_SHA256_LEN};
    record.entry = ++chain->entries;
    cf_aux_put(s, INQUIRY_AUX_AUDIT, said->id, &record);
}

static size_t wants(const void *aggregate, const struct cf_msg *m, struct cf_want *want, size_t max)
{
    const struct inquiry_audit *said = m->body;
    (void)aggregate;
    if (m->type != INQUIRY_MSG_AUDIT || max == 0) return 0;
    want->aux = INQUIRY_AUX_AUDIT;
    memcpy(want->id, said->id, 16);
    return 1;
}

static int decide(struct cf_step *s, void *aggregate, bool exists, bool *changed)
{
    const struct inquiry_audit *said = s->msg->body;
    switch ((enum inquiry_message)s->msg->type) {
    case INQUIRY_MSG_EVENT:
        *changed = true;
        return decide_event(s, aggregate);
    case INQUIRY_MSG_AUDIT:
        if (cf_aux_get(s, INQUIRY_AUX_AUDIT, said->id)) {
            cf_count(s, "duplicate_audit");
            return 0;
        }
        *changed = true;
        decide_audit(s, aggregate);
        return 0;
    case INQUIRY_MSG_SWEEP:
        return exists ? tell(s, aggregate, true) : 0;
    }
    return CF_E_VERSION;
}

/* ---- Redis ---------------------------------------------------------------------------------- */

static struct cf_str redis_key(const char *prefix, const void *bytes, size_t n,
                               char out[INQUIRY_REDIS_KEY_MAX])
{
    memcpy(out, prefix, 4);
    memcpy(out + 4, bytes, n);
    return (struct cf_str){out, 4 + n};
}

struct cf_str inquiry_redis_document_key(const struct cf_key *holder,
                                         char out[INQUIRY_REDIS_KEY_MAX])
{
    return redis_key("cfd:", holder->b, holder->len, out);
}

struct cf_str inquiry_redis_alias_key(const uint8_t alias[16], char out[INQUIRY_REDIS_KEY_MAX])
{
    return redis_key("cfa:", alias, 16, out);
}

static struct cf_str kept_key(struct cf_arena *a, struct cf_str key)
{
    return cf_arena_str(a, key);
}

/* Documents first: an alias that is there must find one. */
static bool write_out(struct cf_redis_stage *redis, struct cf_arena *a,
                      const struct cf_key *const *keys, const void *const *rows, size_t n)
{
    char key[INQUIRY_REDIS_KEY_MAX];
    struct cf_redis_doc *docs = cf_arena_alloc(a, (n + 1) * sizeof *docs);
    struct cf_redis_pair *pairs = cf_arena_alloc(a, (n * INQUIRY_FRESH_MAX + 1) * sizeof *pairs);
    size_t n_pairs = 0;
    for (size_t i = 0; i < n; i++) {
        const struct inquiry_row *row = rows[i];
        docs[i].key = kept_key(a, inquiry_redis_document_key(keys[i], key));
        docs[i].version = (uint64_t)row->version;
        docs[i].payload = inquiry_codec_document_pack(a, row);
        for (uint32_t k = 0; k < row->n_fresh; k++)
            pairs[n_pairs++] = (struct cf_redis_pair){
                kept_key(a, inquiry_redis_alias_key(row->fresh[k], key)), cf_key_str(keys[i])};
    }
    bool sent = cf_redis_stage_put(redis, docs, n);
    if (sent && n_pairs) sent = cf_redis_stage_set(redis, pairs, n_pairs);
    return sent;
}

/* Redis is never the truth: what does not arrive is counted, and the sweep makes it good. */
static void after_commit(const void *env, const struct cf_key *const *keys, const void *const *rows,
                         size_t n)
{
    const struct inquiry_env *v = env;
    if (!v->redis) return;
    struct cf_arena *a = cf_arena_new((size_t)512 << 20);
    if (!write_out(v->redis, a, keys, rows, n)) atomic_fetch_add(&v->counts->unsent, n);
    atomic_store(&v->counts->lost, cf_redis_stage_lost(v->redis));
    cf_arena_free(a);
}

/* ---- the service ---------------------------------------------------------------------------- */

static const char *const application_types[] = {"application.received",
                                                "application.accepted",
                                                "application.noticed",
                                                "application.rejected",
                                                "application.ended",
                                                "application.withdrawal_requested",
                                                "application.enrolment_changed",
                                                "application.not_enrolled",
                                                "application.aliased",
                                                "application.supplemented",
                                                NULL};
static const char *const photo_types[] = {"photo.ready", "photo.missing", NULL};
static const char *const card_types[] = {"card.step", "card.promised", "card.changed",
                                         "card.operation_answered", "card.notice_overdue",
                                         "card.notice_acknowledged", "card.deadline_marked",
                                         "card.deadline_changed", NULL};
static const char *const complaint_types[] = {"complaint.holder_event", NULL};
static const char *const audit_types[] = {"audit", NULL};
static const char *const internal_types[] = {"inquiry.sweep", NULL};

static const struct cf_topic_in topics_in[] = {
    [INQUIRY_IN_APPLICATIONS] = {"application.events",      false, application_types },
    [INQUIRY_IN_PHOTOS] = {"photo.events",            false, photo_types       },
    [INQUIRY_IN_CARDS] = {"card.events",             false, card_types        },
    [INQUIRY_IN_COMPLAINTS] = {"complaint.holder-events", false, complaint_types   },
    [INQUIRY_IN_AUDIT] = {"audit.events",            false, audit_types       },
    [INQUIRY_IN_INTERNAL] = {"inquiry.internal",        false, internal_types    },
    {NULL,                      false, NULL              },
};
static const char *const topics_out[] = {
    [INQUIRY_OUT_INTERNAL] = "inquiry.internal", [INQUIRY_OUT_STATUS] = "status", NULL};

struct cf_service inquiry_service(const struct inquiry_env *env)
{
    return (struct cf_service){.name = "inquiry",
                               .in = topics_in,
                               .out = topics_out,
                               .kinds = inquiry_kinds,
                               .n_kinds = inquiry_n_kinds,
                               .aux = inquiry_aux_tables,
                               .n_aux = inquiry_n_aux,
                               .env = env,
                               .decode = inquiry_codec_decode,
                               .wants = wants,
                               .decide = decide,
                               .settle = settle,
                               .after_commit = after_commit};
}
