/* bank-files export: what stands for a bank in bank.orders becomes files, each line once.
 *
 * A batch is one file, and so are the notices of a pass. A pass reads what is there, ends before the
 * first line of a batch whose manifest has not come, writes down where it will end, gives the files,
 * and writes down that it has ended. A run that broke off is thus repeated with the same files. */
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "common/io/ids.h"
#include "common/io/seal.h"
#include "common/io/stage/stage.h"
#include "ops/cardctl/bank_exchange.h"

#include <stdlib.h>

enum { FIELD_PERSON = 1, PASS_RECORDS = 20000, ARENA_MAX = 256 << 20, BATCHES = 4096 };

struct batch {
    uint8_t id[16];
    int64_t first, manifest; /* offsets; manifest 0: has not come */
    unsigned lines;
    struct cf_buf hashed, csv;
};

struct notice {
    int64_t offset;
    const Cardflow__V1__BankOrder__CardNotice *body;
};

struct exporting {
    struct bank_exchange x;
    struct bank_orders log;
    struct cf_seal_ring *ring;
    struct cf_arena *arena;
    struct batch batches[BATCHES];
    size_t n_batches;
    struct notice *notices;
    size_t n_notices;
    struct bank_step *steps; /* of numbered records, in order */
    size_t n_steps;
    unsigned orders, told, files;
    bool failed;
};

static bool fail(struct exporting *e, int64_t offset, const char *why)
{
    char what[64];
    snprintf(what, sizeof what, "bank.orders/%d/%lld", (int)e->log.part, (long long)offset);
    e->failed = true;
    return cardctl_fail(what, why) == 0;
}

/* ---- one order ------------------------------------------------------------------------------- */

static void add(struct cf_buf *b, const char *z)
{
    bank_csv_field(b, cf_str_of(z ? z : ""), false);
}

static void add_id(struct cf_buf *b, ProtobufCBinaryData id, bool last)
{
    char text[37] = "";
    if (id.len == 16) cf_uuid_text(id.data, text);
    bank_csv_field(b, cf_str_of(text), last);
}

static void add_hex(struct cf_buf *b, ProtobufCBinaryData bytes)
{
    char text[2 * 64 + 1] = "";
    if (bytes.len <= 64) cf_hex(bytes.data, bytes.len, text);
    bank_csv_field(b, cf_str_of(text), false);
}

static void add_person(struct cf_buf *b, const Cardflow__V1__Person *p)
{
    static const Cardflow__V1__Guardian none = CARDFLOW__V1__GUARDIAN__INIT;
    const Cardflow__V1__Guardian *g = p->guardian ? p->guardian : &none;
    const char *const fields[] = {p->document_type, p->document_number, p->name,
                                  p->sex,           p->birth_date,      p->phone,
                                  p->address,       g->name,            g->document_type,
                                  g->document_number, g->relation,      g->phone};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        add(b, fields[i]);
}

static const Cardflow__V1__Person *open_person(struct exporting *e,
                                               const Cardflow__V1__BankOrder__Line *l)
{
    struct cf_str plain;
    if (cf_unseal(e->ring, cf_bytes(l->person), cf_bytes(l->routing_key), FIELD_PERSON, e->arena,
                  &plain))
        return NULL;
    return cf_unpack(e->arena, &cardflow__v1__person__descriptor, plain);
}

static bool write_order(struct exporting *e, struct batch *b, const Cardflow__V1__BankOrder *o)
{
    const Cardflow__V1__BankOrder__Line *l = o->line;
    const Cardflow__V1__Person *p = open_person(e, l);
    char no[12], due[11] = "";
    if (!p) return false;
    snprintf(no, sizeof no, "%u", (unsigned)l->line_no);
    if (l->due_on) cf_day_text(l->due_on, due);
    add(&b->csv, no);
    add(&b->csv, o->bank_code);
    add_id(&b->csv, o->batch_id, false);
    add_hex(&b->csv, l->routing_key);
    add_id(&b->csv, l->application_id, false);
    add(&b->csv, l->card_no);
    add(&b->csv, cf_app_kind_name((enum cf_app_kind)l->kind));
    add(&b->csv, due);
    add(&b->csv, l->outlet_code);
    add_person(&b->csv, p);
    add_id(&b->csv, l->photo_ref, true);
    cf_buf_add(&b->hashed, l->application_id.data, l->application_id.len);
    cf_buf_adds(&b->hashed, cf_str_of(l->card_no));
    return !b->csv.full && !b->hashed.full;
}

/* ---- reading --------------------------------------------------------------------------------- */

static struct batch *batch_of(struct exporting *e, ProtobufCBinaryData id, int64_t offset)
{
    for (size_t i = e->n_batches; id.len == 16 && i-- > 0;)
        if (memcmp(e->batches[i].id, id.data, 16) == 0) return &e->batches[i];
    if (id.len != 16 || e->n_batches == BATCHES) return NULL;
    struct batch *b = &e->batches[e->n_batches++];
    *b = (struct batch){.first = offset};
    memcpy(b->id, id.data, 16);
    cf_buf_init(&b->csv, BANK_FILE_MAX);
    cf_buf_init(&b->hashed, 1 << 20);
    bank_csv_header(&b->csv, bank_order_columns);
    return b;
}

static bool take_line(struct exporting *e, const Cardflow__V1__BankOrder *o, int64_t offset)
{
    struct batch *b = batch_of(e, o->batch_id, offset);
    if (!b || b->manifest || o->line->line_no != b->lines + 1)
        return fail(e, offset, "a line that does not follow the one before it");
    b->lines++;
    return write_order(e, b, o) ||
           fail(e, offset, "the person does not open: other keys than cardflow's?");
}

static bool take_manifest(struct exporting *e, const Cardflow__V1__BankOrder *o, int64_t offset)
{
    struct batch *b = batch_of(e, o->batch_id, offset);
    uint8_t hash[CF_SHA256_LEN];
    if (!b || b->manifest) return fail(e, offset, "a manifest that came before");
    cf_sha256(cf_buf_str(&b->hashed), hash);
    b->manifest = offset;
    bool same = o->manifest->lines == b->lines && o->manifest->hash.len == sizeof hash &&
                memcmp(o->manifest->hash.data, hash, sizeof hash) == 0;
    return same || fail(e, offset, "the batch is not the one of its manifest");
}

static bool take(void *arg, const struct bank_record *r)
{
    struct exporting *e = arg;
    if (r->source.len) e->steps[e->n_steps++] = bank_step_of(&e->x, r);
    if (!r->ours) return true;
    const Cardflow__V1__BankOrder *o =
        cf_unpack(e->arena, &cardflow__v1__bank_order__descriptor, r->value);
    if (!o) return fail(e, r->offset, "not a BankOrder");
    switch (o->body_case) {
    case CARDFLOW__V1__BANK_ORDER__BODY_LINE:
        return take_line(e, o, r->offset);
    case CARDFLOW__V1__BANK_ORDER__BODY_MANIFEST:
        return take_manifest(e, o, r->offset);
    case CARDFLOW__V1__BANK_ORDER__BODY_CARD_NOTICE:
        e->notices[e->n_notices++] = (struct notice){r->offset, o->card_notice};
        return true;
    case CARDFLOW__V1__BANK_ORDER__BODY__NOT_SET:
    case _CARDFLOW__V1__BANK_ORDER__BODY__CASE_IS_INT_SIZE:
        break;
    }
    return fail(e, r->offset, "an order of a kind that this version does not know");
}

/* ---- giving ---------------------------------------------------------------------------------- */

static struct bank_manifest manifest_of(const struct exporting *e, const char *what, unsigned lines)
{
    struct bank_manifest m = {.lines = lines};
    snprintf(m.what, sizeof m.what, "%s", what);
    snprintf(m.bank, sizeof m.bank, "%.*s", CF_ARG(e->x.folder.bank));
    return m;
}

static bool give_batch(struct exporting *e, struct batch *b)
{
    struct bank_manifest m = manifest_of(e, "orders", b->lines);
    char id[37];
    cf_uuid_text(b->id, id);
    snprintf(m.file, sizeof m.file, "orders-%s-%s.csv", m.bank, id);
    e->orders += b->lines;
    e->files++;
    return bank_folder_give(&e->x.folder, &m, cf_buf_str(&b->csv));
}

static void write_notice(struct cf_buf *b, const struct exporting *e, unsigned no,
                         const Cardflow__V1__BankOrder__CardNotice *n)
{
    char text[12], at[30];
    snprintf(text, sizeof text, "%u", no);
    add(b, text);
    bank_csv_field(b, e->x.folder.bank, false);
    add_id(b, n->notice_id, false);
    add_hex(b, n->routing_key);
    add(b, n->card_no);
    add(b, n->what);
    add(b, cf_rfc3339_text(n->at_ms, at));
    snprintf(text, sizeof text, "%u", n->attempt);
    bank_csv_field(b, cf_str_of(text), true);
}

static bool give_notices(struct exporting *e, int64_t to)
{
    struct cf_buf csv;
    unsigned lines = 0;
    int64_t first = 0;
    cf_buf_init(&csv, BANK_FILE_MAX);
    bank_csv_header(&csv, bank_notice_columns);
    for (size_t i = 0; i < e->n_notices && e->notices[i].offset < to; i++) {
        if (!lines++) first = e->notices[i].offset;
        write_notice(&csv, e, lines, e->notices[i].body);
    }
    struct bank_manifest m = manifest_of(e, "notices", lines);
    snprintf(m.file, sizeof m.file, "notices-%s-%lld.csv", m.bank, (long long)first);
    bool good = !lines || (!csv.full && bank_folder_give(&e->x.folder, &m, cf_buf_str(&csv)));
    cf_buf_free(&csv);
    e->told += lines;
    e->files += lines > 0;
    return good;
}

/* Where the pass ends: before the first batch that is not whole. */
static int64_t end_of_pass(const struct exporting *e, int64_t read_to)
{
    for (size_t i = 0; i < e->n_batches; i++)
        if (!e->batches[i].manifest && e->batches[i].first < read_to)
            read_to = e->batches[i].first;
    return read_to;
}

static bool give_all(struct exporting *e, int64_t to)
{
    bool good = give_notices(e, to);
    for (size_t i = 0; i < e->n_batches && good; i++)
        if (e->batches[i].manifest && e->batches[i].manifest < to)
            good = give_batch(e, &e->batches[i]);
    return good;
}

static void forget(struct exporting *e)
{
    for (size_t i = 0; i < e->n_batches; i++) {
        cf_buf_free(&e->batches[i].csv);
        cf_buf_free(&e->batches[i].hashed);
    }
    e->n_batches = e->n_notices = e->n_steps = 0;
    cf_arena_reset(e->arena);
}

/* True: go on with another pass. */
static bool pass(struct exporting *e)
{
    struct bank_place *place = &e->x.place;
    int64_t limit = place->to > place->next ? place->to : e->log.high;
    int64_t read_to = bank_orders_read(&e->log, &e->x, limit, PASS_RECORDS, take, e);
    bool begun = place->to > place->next;
    int64_t to = e->failed || read_to < 0 ? -1 : end_of_pass(e, read_to), from = place->next;
    if (begun && to >= 0 && to != place->to)
        return fail(e, to, "the pass that broke off cannot be repeated");
    if (to < 0 || to == from) {
        e->failed = e->failed || to < 0;
        return false;
    }
    place->to = to;
    e->failed = !bank_place_write(&e->x) || !give_all(e, to);
    for (size_t i = 0; i < e->n_steps && !e->failed; i++)
        if (e->steps[i].offset < to) place->last[e->steps[i].source] = e->steps[i].no;
    place->next = to;
    if (!e->failed) e->failed = !bank_place_write(&e->x);
    forget(e);
    return !e->failed && to < e->log.high;
}

static void run(struct exporting *e)
{
    e->arena = cf_arena_new(ARENA_MAX);
    e->notices = cf_calloc(PASS_RECORDS, sizeof *e->notices);
    e->steps = cf_calloc(PASS_RECORDS, sizeof *e->steps);
    while (pass(e))
        ;
    forget(e);
    free(e->steps);
    free(e->notices);
    cf_arena_free(e->arena);
}

int cardctl_bank_export(int argc, char **argv)
{
    const char *reference =
        cardctl_needed(argc, argv, "--reference-key-file", "CARDFLOW_REFERENCE_KEY_FILE");
    const char *sealing =
        cardctl_needed(argc, argv, "--sealing-key-file", "CARDFLOW_SEALING_KEY_FILE");
    struct exporting *e = cf_calloc(1, sizeof *e);
    char why[CF_SEAL_WHY];
    int code = reference && sealing ? bank_exchange_open(&e->x, argc, argv) : 2;
    if (!code && cf_seal_ring_load(reference, sealing, &e->ring, why))
        code = cardctl_fail("keys", why);
    if (!code && (!bank_orders_open(&e->log, &e->x) ||
                  !bank_exchange_audit(&e->x, "bank_files.export", 0)))
        code = 1;
    if (!code) {
        run(e);
        code = e->failed;
        printf("%u orders and %u notices in %u files\n", e->orders, e->told, e->files);
    }
    bank_orders_close(&e->log);
    bank_exchange_close(&e->x);
    cf_seal_ring_free(e->ring);
    free(e);
    return code;
}
