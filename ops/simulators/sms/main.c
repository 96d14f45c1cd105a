/* sim-sms: an SMS gateway that takes batches and can be made to misbehave.
 *
 * POST /sms [{"id", "to", "text"}, ...] -> 200 [{"id", "status": "accepted" | "rejected" | "busy",
 * "reason"}, ...]. An id that is known is answered as the first time and not sent again.
 * GET /sim/received?since=&limit= lists messages, with hashes instead of phones and texts;
 * GET /sim/stats counts. */
#include "common/io/ids.h"
#include "common/pure/hash.h"
#include "ops/simulators/common/sim.h"

#include <stdlib.h>

struct settings {
#define CONF CF_CONF_FIELD
#include "ops/simulators/sms/conf.def"
#undef CONF
};

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct settings, __VA_ARGS__)
#include "ops/simulators/sms/conf.def"
#undef CONF
};

static const struct cf_conf_table table = {"sim-sms", "simulated SMS gateway", rows,
                                           sizeof rows / sizeof *rows, sizeof(struct settings)};

enum status { FREE, ACCEPTED, REJECTED, BUSY };
static const char *const status_names[] = {"", "accepted", "rejected", "busy"};

/* What is known of an id; BUSY is not: the message is to come again. */
struct known {
    uint8_t id[16];
    uint8_t status;
};

struct received {
    uint8_t id[16], to[32], text[16];
    uint8_t parts, status;
};

struct sms {
    struct sim *sim;
    struct known *known; /* open addressing, power of two */
    size_t known_n, known_cap;
    struct received *received;
    size_t n, cap, max, batch_max;
    uint64_t first;
    uint64_t accepted, rejected, busy, duplicates, parts, batches;
};

/* ---- ids ---------------------------------------------------------------------------------------
 */

static struct known *slot_of(struct known *table_, size_t cap, const uint8_t id[16])
{
    size_t at = cf_hash64(id, 16) & (cap - 1);
    while (table_[at].status != FREE && memcmp(table_[at].id, id, 16) != 0)
        at = (at + 1) & (cap - 1);
    return &table_[at];
}

static void grow(struct sms *s)
{
    size_t cap = s->known_cap ? 2 * s->known_cap : 4096;
    struct known *bigger = cf_calloc(cap, sizeof *bigger);
    for (size_t i = 0; i < s->known_cap; i++)
        if (s->known[i].status != FREE) *slot_of(bigger, cap, s->known[i].id) = s->known[i];
    free(s->known);
    s->known = bigger;
    s->known_cap = cap;
}

static void remember(struct sms *s, const struct received *r)
{
    if (s->n == s->max) {
        size_t half = s->max / 2 + 1;
        memmove(s->received, s->received + half, (s->n - half) * sizeof *s->received);
        s->n -= half;
        s->first += half;
    }
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 1024;
        if (s->cap > s->max) s->cap = s->max;
        s->received = cf_realloc(s->received, s->cap * sizeof *s->received);
    }
    s->received[s->n++] = *r;
}

/* ---- taking messages ---------------------------------------------------------------------------
 */

struct message {
    uint8_t id[16];
    struct cf_str to, text;
};

/* UCS-2 counts a character outside the basic plane twice. */
static uint8_t parts_of(struct cf_str text)
{
    unsigned units = 0;
    for (int32_t c; (c = cf_utf8_next(&text)) >= 0;)
        units += c > 0xffff ? 2 : 1;
    unsigned parts = (units + 69) / 70;
    return parts > 255 ? 255 : (uint8_t)parts;
}

static enum status take(struct sms *s, const struct message *m)
{
    if (2 * s->known_n >= s->known_cap) grow(s);
    struct known *k = slot_of(s->known, s->known_cap, m->id);
    if (k->status != FREE) {
        s->duplicates++;
        return (enum status)k->status;
    }
    const struct sim_behaviour *b = &s->sim->behaviour;
    uint8_t again[24];
    memcpy(again, m->id, 16);
    memcpy(again + 16, &s->sim->calls, 8);
    if (sim_chance(s->sim, b->item_busy_rate, "item_busy", again, sizeof again)) {
        s->busy++;
        return BUSY;
    }
    bool reject = sim_chance(s->sim, b->reject_rate, "reject", m->id, 16);
    struct received r = {.parts = parts_of(m->text), .status = reject ? REJECTED : ACCEPTED};
    uint8_t digest[CF_SHA256_LEN];
    memcpy(r.id, m->id, 16);
    cf_sha256(m->to, r.to);
    cf_sha256(m->text, digest);
    memcpy(r.text, digest, 16);
    remember(s, &r);
    memcpy(k->id, m->id, 16);
    k->status = r.status;
    s->known_n++;
    s->accepted += !reject;
    s->rejected += reject;
    s->parts += reject ? 0 : r.parts;
    return (enum status)r.status;
}

static bool read_message(struct cf_in *in, struct message *m)
{
    struct cf_str id = cf_in_text(in, "id", CF_NEEDED, 36, 36);
    m->to = cf_in_text(in, "to", CF_NEEDED, 5, 20);
    m->text = cf_in_text(in, "text", CF_NEEDED, 1, 1000);
    if (in->errors->n) return false;
    if (!cf_uuid_parse(id, m->id)) cf_in_wrong(in, "id", "a UUID", "Give the message's own id.");
    return in->errors->n == 0;
}

static void write_answer(struct cf_out *o, const struct message *m, enum status status)
{
    char id[37];
    cf_uuid_text(m->id, id);
    cf_out_object(o, NULL);
    cf_out_z(o, "id", id);
    cf_out_z(o, "status", status_names[status]);
    if (status == REJECTED) cf_out_z(o, "reason", "number_not_reachable");
    cf_out_end(o);
}

static void post_sms(struct cf_request *req, void *arg)
{
    struct sms *s = arg;
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_field_errors errors = {0};
    size_t n = json_is_array(root) ? json_array_size(root) : 0;
    if (n == 0 || n > s->batch_max) {
        cf_problem_field(req, 400, "invalid_body", "body", "an array of messages",
                         "Send at least one message and no more than a batch holds.");
        return;
    }
    struct message *messages = cf_arena_zero(req->arena, n * sizeof *messages);
    struct cf_in top = {.path = "", .arena = req->arena, .errors = &errors};
    for (size_t i = 0; i < n; i++) {
        struct cf_in in = cf_in_item(&top, NULL, root, i);
        read_message(&in, &messages[i]);
    }
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    if (!sim_begin_call(s->sim, req)) return;
    s->batches++;
    struct cf_buf body;
    cf_buf_init(&body, 4u << 20);
    struct cf_out o = cf_out_to(&body);
    cf_out_array(&o, NULL);
    for (size_t i = 0; i < n; i++)
        write_answer(&o, &messages[i], take(s, &messages[i]));
    cf_out_end(&o);
    sim_answer(s->sim, req, 200, CF_JSON, cf_buf_str(&body));
    cf_buf_free(&body);
}

/* ---- telling what came -------------------------------------------------------------------------
 */

static void write_item(struct cf_out *o, const struct received *r, uint64_t no)
{
    char id[37], to[65], text[33];
    cf_uuid_text(r->id, id);
    cf_hex(r->to, 32, to);
    cf_hex(r->text, 16, text);
    cf_out_object(o, NULL);
    cf_out_uint(o, "no", no);
    cf_out_z(o, "id", id);
    cf_out_z(o, "to_sha256", to);
    cf_out_z(o, "text_sha256_16", text);
    cf_out_uint(o, "parts", r->parts);
    cf_out_z(o, "status", status_names[r->status]);
    cf_out_end(o);
}

static void get_received(struct cf_request *req, void *arg)
{
    const struct sms *s = arg;
    uint64_t since = sim_query_number(req, "since", 0, UINT64_MAX);
    uint64_t limit = sim_query_number(req, "limit", 1000, 10000);
    uint64_t from = since > s->first ? since - s->first : 0;
    struct cf_buf body;
    cf_buf_init(&body, 8u << 20);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_array(&o, "items");
    uint64_t i = from;
    for (; i < s->n && i - from < limit; i++)
        write_item(&o, &s->received[i], s->first + i + 1);
    cf_out_end(&o);
    cf_out_uint(&o, "next", s->first + (i < s->n ? i : s->n));
    cf_out_uint(&o, "total", s->first + s->n);
    cf_out_end(&o);
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}

static void get_stats(struct cf_request *req, void *arg)
{
    const struct sms *s = arg;
    struct cf_buf body;
    cf_buf_init(&body, 4096);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_uint(&o, "calls", s->sim->calls);
    cf_out_uint(&o, "batches", s->batches);
    cf_out_uint(&o, "distinct", s->known_n);
    cf_out_uint(&o, "accepted", s->accepted);
    cf_out_uint(&o, "rejected", s->rejected);
    cf_out_uint(&o, "busy", s->busy);
    cf_out_uint(&o, "duplicates", s->duplicates);
    cf_out_uint(&o, "parts", s->parts);
    cf_out_end(&o);
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}

static void begin(struct sim *sim, void *settings)
{
    const struct settings *conf = settings;
    struct sms *s = sim->own;
    s->sim = sim;
    s->max = (size_t)conf->remembered;
    s->batch_max = (size_t)conf->batch_max;
    static const struct cf_route sms = {.method = "POST",
                                        .pattern = "/sms",
                                        .body_max = 2u << 20,
                                        .type = CF_JSON,
                                        .answer_ms = 120000};
    static const struct cf_route received = {.method = "GET", .pattern = "/sim/received"};
    static const struct cf_route stats = {.method = "GET", .pattern = "/sim/stats"};
    cf_http_route(sim->http, &sms, post_sms, s);
    cf_http_route(sim->http, &received, get_received, s);
    cf_http_route(sim->http, &stats, get_stats, s);
}

int main(int argc, char **argv)
{
    static struct sms sms;
    static struct settings settings;
    int code = sim_run(&table, &settings, argc, argv, begin, "sim-sms", &sms);
    free(sms.known);
    free(sms.received);
    return code;
}
