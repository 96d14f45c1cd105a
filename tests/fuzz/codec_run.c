/* An input is a list of records:
 *   topic, type, flags, key (1 byte each), length of the value (2 bytes, big-endian), value
 * Flags:
 *   SEAL     the value is unpacked, its sealed fields are sealed, its outcomes of work are filled
 *            in from the work that waits, and it is packed again
 *   OWN_KEY  the key is the one that the body asks for, or else the last such key
 *   LATER    a day has passed
 *   HEADERS  the value begins with lines `name: value` up to an empty one, as headers
 */
#include "tests/fuzz/codec_run.h"

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/audit.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/complaint.pb-c.h"
#include "cardflow/v1/notification.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "cardflow/v1/status.pb-c.h"
#include "common/io/log.h"
#include "common/io/stage/bundle.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/stage_double.h"

enum { SEAL = 1, OWN_KEY = 2, LATER = 4, HEADERS = 8 };
enum { PARTS = 4, RECORDS = 24, BEGIN = 1774000000 };

static const struct fuzz_topic outputs[] = {
    {"application.events",          &cardflow__v1__application_event__descriptor     },
    {"photo.events",                &cardflow__v1__photo_event__descriptor           },
    {"card.events",                 &cardflow__v1__card_event__descriptor            },
    {"bank.orders",                 &cardflow__v1__bank_order__descriptor            },
    {"complaint.events",            &cardflow__v1__complaint_event__descriptor       },
    {"complaint.holder-events",     &cardflow__v1__complaint_holder_event__descriptor},
    {"correction.events",           &cardflow__v1__correction_event__descriptor      },
    {"notification.events",         &cardflow__v1__notification_event__descriptor    },
    {"status",                      &cardflow__v1__status__descriptor                },
    {"intake.internal",             &cardflow__v1__intake_internal__descriptor       },
    {"photo-fetch.internal",        &cardflow__v1__photo_internal__descriptor        },
    {"production.internal",         &cardflow__v1__production_internal__descriptor   },
    {"notification.internal",       &cardflow__v1__notification_internal__descriptor },
    {"complaint-handling.internal", &cardflow__v1__complaint_internal__descriptor    },
    {"inquiry.internal",            &cardflow__v1__inquiry_internal__descriptor      },
};

/* ---- bodies ---------------------------------------------------------------------------------- */

struct walk {
    const struct fuzz_service *fuzz;
    struct stage_double *d;
    struct cf_arena *a;
    const struct cf_key *key;
    struct cf_key *last; /* that a body has asked for */
};

/* The number under which a field is sealed; 0: it is not sealed. */
static uint8_t seal_field(const ProtobufCMessageDescriptor *m, const char *field)
{
    if (!strcmp(field, "person") || !strcmp(field, "reporter") || strstr(field, "_person"))
        return 1;
    if (!strcmp(field, "holder")) return !strcmp(m->short_name, "CardCommand");
    if (!strcmp(field, "actor") || !strcmp(field, "signer")) return 2;
    if (!strcmp(field, "agent")) return 3;
    if (!strcmp(field, "document")) return !strcmp(m->short_name, "Consent") ? 3 : 0;
    if (!strcmp(field, "text")) return !strcmp(m->short_name, "Action") ? 5 : 4;
    return !strcmp(field, "reply") ? 5 : 0;
}

/* One byte of an id stands for the n-th piece of work that waits. */
static void fill_item(const struct walk *w, Cardflow__V1__WorkOutcome__Item *item)
{
    if (item->work_id.len != 1 || !w->d->n_work) return;
    const struct cf_work *row = &w->d->work[item->work_id.data[0] % w->d->n_work];
    struct cf_work piece = *row;
    if (row->pieces) {
        struct cf_str rest = row->args;
        if (cf_bundle_next(row, &rest, &piece)) CF_BUG("a bundle that cannot be read");
    }
    item->work_id = cf_data(cf_arena_str(w->a, (struct cf_str){(const char *)piece.id, 16}));
    item->key = cf_data(cf_arena_str(w->a, cf_key_str(&piece.key)));
    item->kind = piece.kind;
    item->attempt = piece.attempt;
    if (row->pieces)
        item->bundle_id = cf_data(cf_arena_str(w->a, (struct cf_str){(const char *)row->id, 16}));
}

static bool field_is_set(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    if (!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)) return true;
    const void *quantifier = (const char *)m + f->quantifier_offset;
    uint32_t case_;
    memcpy(&case_, quantifier, sizeof case_);
    return case_ == f->id;
}

typedef void seen_field(const struct walk *w, ProtobufCMessage *m,
                        const ProtobufCFieldDescriptor *f, void *member);

/* Every member of every message in m, those of repeated fields one by one. */
static void each_field(const struct walk *w, ProtobufCMessage *m, seen_field *fn)
{
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        char *member = (char *)m + f->offset;
        size_t n = 1, step = f->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData)
                                                              : sizeof(void *);
        if (!field_is_set(m, f)) continue;
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            memcpy(&n, (char *)m + f->quantifier_offset, sizeof n);
            void *list;
            memcpy(&list, member, sizeof list);
            member = list;
        }
        if (f->type != PROTOBUF_C_TYPE_MESSAGE && f->type != PROTOBUF_C_TYPE_BYTES &&
            f->type != PROTOBUF_C_TYPE_STRING)
            continue;
        for (size_t k = 0; k < n; k++, member += step) {
            ProtobufCMessage *sub = NULL;
            if (f->type == PROTOBUF_C_TYPE_MESSAGE) memcpy(&sub, member, sizeof sub);
            if (sub) each_field(w, sub, fn);
            fn(w, sub ? sub : m, f, member);
        }
    }
}

static void seal_member(const struct walk *w, ProtobufCMessage *m,
                        const ProtobufCFieldDescriptor *f, void *member)
{
    if (f->type == PROTOBUF_C_TYPE_MESSAGE &&
        m->descriptor == &cardflow__v1__work_outcome__item__descriptor)
        fill_item(w, (Cardflow__V1__WorkOutcome__Item *)(void *)m);
    uint8_t number = f->type == PROTOBUF_C_TYPE_BYTES ? seal_field(m->descriptor, f->name) : 0;
    ProtobufCBinaryData plain;
    struct cf_str sealed;
    if (!number) return;
    memcpy(&plain, member, sizeof plain);
    if (!plain.len) return;
    MUST(!cf_seal(w->fuzz->ring, cf_bytes(plain), cf_key_str(w->key), number, w->a, &sealed));
    plain = cf_data(sealed);
    memcpy(member, &plain, sizeof plain);
}

static void check_member(const struct walk *w, ProtobufCMessage *m,
                         const ProtobufCFieldDescriptor *f, void *member)
{
    const char *text;
    (void)w;
    if (f->type != PROTOBUF_C_TYPE_STRING) return;
    memcpy(&text, member, sizeof text);
    if (cf_utf8_valid(cf_str_of(text))) return;
    fprintf(stderr, "text is sent that is not UTF-8: %s.%s\n", m->descriptor->name, f->name);
    abort();
}

/* ---- records --------------------------------------------------------------------------------- */

static void read_headers(struct cf_str *value, struct cf_record *r)
{
    for (int i = 0; i < 12 && value->len; i++) {
        struct cf_str line = fuzz_line(value);
        const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
        if (!line.len) break;
        size_t n = colon ? (size_t)(colon - line.ptr) : line.len;
        char *name = fuzz_z((struct cf_str){line.ptr, n});
        struct cf_str rest = {line.ptr + n, line.len - n};
        fuzz_take(&rest, 2);
        cf_record_header(r, name, rest);
        free(name);
    }
}

static void choose_key(uint8_t which, struct cf_key *key)
{
    static const uint8_t id[16] = "a key of sixteen";
    uint8_t ref[16];
    memcpy(ref, id, 16);
    ref[15] = which & 3;
    *key = cf_key_holder(ref);
    if (which & 4) *key = cf_key_order(ref);
    if (which & 8) *key = cf_key_roster(ref);
    if ((which & 16) && !cf_key_bank(CF_STR("B01"), key)) CF_BUG("no key");
    if ((which & 32) && !cf_key_unit(CF_STR("U1"), key)) CF_BUG("no key");
}

static void own_key(const struct walk *w, const ProtobufCMessage *m, struct cf_key *key)
{
    struct cf_key own = {0};
    if (w->fuzz->key && w->fuzz->key(m, &own) && own.len) *w->last = own;
    if (w->last->len) *key = *w->last;
}

static void feed(const struct walk *base, struct cf_str *in, cf_ms *now)
{
    struct stage_double *d = base->d;
    const struct cf_service *v = &base->fuzz->service;
    uint8_t topic = fuzz_byte(in), type = fuzz_byte(in), flags = fuzz_byte(in);
    struct cf_key key;
    choose_key(fuzz_byte(in), &key);
    size_t len = (size_t)fuzz_byte(in) << 8;
    len |= fuzz_byte(in);
    struct cf_record r = {.value = fuzz_take(in, len), .ce_source = CF_STR("test")};
    struct walk w = *base;
    w.key = &key;
    r.topic = (uint16_t)(topic % d->st->n_in);
    const char *const *types = v->in[r.topic].types;
    size_t n = 0;
    while (types[n])
        n++;
    r.ce_type = type == 255 ? CF_STR("of.another") : cf_str_of(types[type % n]);
    *now += flags & LATER ? (cf_ms)CF_MS_PER_DAY : 1000;
    r.at = r.ce_time = *now;
    r.offset = d->offset++;
    r.ce_id =
        cf_arena_printf(w.a, "%08llx-0000-4000-8000-000000000000", (unsigned long long)r.offset);
    if (flags & HEADERS) read_headers(&r.value, &r);
    if (flags & (SEAL | OWN_KEY)) {
        ProtobufCMessage *m = cf_unpack(w.a, base->fuzz->topics[r.topic].type, r.value);
        if (m && (flags & OWN_KEY)) own_key(&w, m, &key);
        if (m && (flags & SEAL)) {
            each_field(&w, m, seal_member);
            r.value = cf_pack(w.a, m);
        }
    }
    /* In memory of its own, so that a read behind the end is caught. */
    char *value = fuzz_exact(r.value), *key_copy = fuzz_exact(cf_key_str(&key));
    r.value.ptr = value;
    r.key = (struct cf_str){key_copy, key.len};
    r.part = (int32_t)cf_key_partition(&key, PARTS);
    bool open = v->in[r.topic].open || strstr(v->in[r.topic].name, ".internal") ||
                strstr(v->in[r.topic].name, ".commands") ||
                !strcmp(v->in[r.topic].name, "audit.events");
    if (!open && !(flags & HEADERS)) {
        r.cf_src = cf_arena_printf(w.a, "upstream/%d", r.part);
        r.cf_no = ++d->no[r.topic][r.part];
    }
    MUST(batch_run(d->st, &r, 1) == 0);
    MUST(publish_acks(d->st, 0) == 0);
    free(value);
    free(key_copy);
}

/* ---- what must hold at the end ----------------------------------------------------------------
 */

static void check_rows(struct stage_double *d)
{
    for (size_t i = 0; i < d->n_rows; i++) {
        const struct cf_column *c;
        size_t size, n = double_columns(d, d->rows[i].aux, d->rows[i].kind, &c, &size);
        for (size_t k = 0; k < n; k++) {
            struct cf_str s;
            if (c[k].type != CF_COL_TEXT) continue;
            memcpy(&s, (const char *)d->rows[i].row + c[k].offset, sizeof s);
            if (cf_utf8_valid(s)) continue;
            fprintf(stderr, "a text column that is not UTF-8: %s\n", c[k].name);
            abort();
        }
    }
}

static void check_sent(const struct walk *w)
{
    for (size_t i = 0; i < w->d->n_sent; i++) {
        const struct double_sent *s = &w->d->sent[i];
        size_t n = strlen(s->topic);
        if (n > 4 && !strcmp(s->topic + n - 4, ".dlq")) continue;
        const ProtobufCMessageDescriptor *type = NULL;
        for (size_t k = 0; k < sizeof outputs / sizeof *outputs; k++)
            if (!strcmp(outputs[k].name, s->topic)) type = outputs[k].type;
        MUST(type && s->key.len);
        ProtobufCMessage *m = cf_unpack(w->a, type, s->value);
        MUST(m);
        each_field(w, m, check_member);
    }
    for (size_t i = 0; i < w->d->n_parked; i++)
        MUST(w->d->parked[i][0] && cf_utf8_valid(cf_str_of(w->d->parked[i])));
}

/* Its own messages come back, as they do on the log. */
static void loop_back(const struct walk *w, size_t *from, cf_ms now)
{
    for (int i = 0; *from < w->d->n_sent && i < 64; (*from)++, i++) {
        struct double_sent s = w->d->sent[*from];
        uint8_t id[16];
        if (strcmp(s.topic, w->d->st->service->out[0]) != 0) continue;
        cf_uuid8_of(id, CF_STR("loop"), s.value);
        MUST(double_feed(w->d, s.topic, s.type, &s.key, id, now, s.value) == 0);
    }
}

/* As a database would: an id that is there already is not inserted again. */
static int commit(void *self, const struct cf_commit *c)
{
    struct stage_double *d = self;
    for (size_t i = 0; i < c->n_aux; i++) {
        struct cf_key key;
        cf_key_bytes(c->aux[i].id, 16, &key);
        if (c->aux[i].place.there == CF_THERE_NOT && double_find(d, true, c->aux[i].aux, &key))
            return CF_E_DATA;
    }
    return double_commit(self, c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cf_str in = fuzz_str(data, size);
    const struct fuzz_service *f = fuzz_service();
    struct cf_key last = {0};
    struct walk w = {.fuzz = f, .a = cf_arena_new(64 << 20), .last = &last};
    cf_log_fd(-1);
    w.d = double_new(&f->service, PARTS);
    w.d->store.commit = commit;
    cf_ms now = (cf_ms)BEGIN * 1000;
    size_t from = 0;
    for (int i = 0; in.len && i < RECORDS; i++) {
        feed(&w, &in, &now);
        loop_back(&w, &from, now);
    }
    check_rows(w.d);
    check_sent(&w);
    double_free(w.d);
    cf_arena_free(w.a);
    return 0;
}
