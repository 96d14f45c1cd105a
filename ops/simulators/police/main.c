/* sim-police: a police photo gateway that can be made to misbehave.
 *
 * POST /photo {"document_type", "document_number", "name"} -> 200 image/jpeg, another picture for
 * each person, the same each time; 404 {"code": "no_photo" | "person_unknown"}; 503; 500.
 * GET /sim/received?since=&limit= lists what came, with hashes instead of numbers; /sim/stats. */
#include "common/io/ids.h"
#include "common/pure/hash.h"
#include "ops/simulators/common/sim.h"
#include "ops/simulators/police/faces.h"

#include <stdlib.h>

struct settings {
#define CONF CF_CONF_FIELD
#include "ops/simulators/police/conf.def"
#undef CONF
};

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct settings, __VA_ARGS__)
#include "ops/simulators/police/conf.def"
#undef CONF
};

static const struct cf_conf_table table = {"sim-police", "simulated police photo gateway", rows,
                                           sizeof rows / sizeof *rows, sizeof(struct settings)};

#define ANSWERS(X) X(PHOTO, "photo") X(DAMAGED, "damaged") X(NONE, "none") X(UNKNOWN, "unknown")
enum answer {
#define X(value, name) ANSWER_##value,
    ANSWERS(X)
#undef X
        ANSWER_COUNT
};
static const char *const answer_names[] = {
#define X(value, name) name,
    ANSWERS(X)
#undef X
};

struct received {
    uint8_t person[16]; /* of SHA-256(type, number) */
    uint8_t key[16];    /* the Idempotency-Key, when it is a UUID */
    uint8_t answer;
};

struct police {
    struct sim *sim;
    struct police_faces faces;
    struct cf_arena *arena;
    struct received *received;
    size_t n, cap, max;
    uint64_t first; /* number of received[0] */
    uint64_t counts[ANSWER_COUNT];
    char *picture; /* room for one */
};

/* Half of what is kept is forgotten at once, so that forgetting costs nothing each time. */
static void remember(struct police *p, const struct received *r)
{
    if (p->n == p->max) {
        size_t half = p->max / 2 + 1;
        memmove(p->received, p->received + half, (p->n - half) * sizeof *p->received);
        p->n -= half;
        p->first += half;
    }
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 1024;
        if (p->cap > p->max) p->cap = p->max;
        p->received = cf_realloc(p->received, p->cap * sizeof *p->received);
    }
    p->received[p->n++] = *r;
}

static enum answer choose(const struct sim *sim, const uint8_t person[16])
{
    const struct sim_behaviour *b = &sim->behaviour;
    if (sim_chance(sim, b->unknown_rate, "unknown", person, 16)) return ANSWER_UNKNOWN;
    if (sim_chance(sim, b->none_rate, "none", person, 16)) return ANSWER_NONE;
    if (sim_chance(sim, b->wrong_bytes_rate, "wrong", person, 16)) return ANSWER_DAMAGED;
    return ANSWER_PHOTO;
}

static void answer_photo(struct police *p, struct cf_request *req, const uint8_t person[16],
                         bool damaged)
{
    char mark[41];
    uint64_t which = cf_hash64(person, 16);
    cf_hex(person, 16, mark);
    memcpy(mark + 32, "synth\0\0\0", 8);
    struct cf_str face = p->faces.list[which % p->faces.n];
    size_t n = police_face_for(face, mark, p->picture);
    if (damaged) n = n * 3 / 5;
    sim_answer(p->sim, req, 200, "image/jpeg", (struct cf_str){p->picture, n});
}

static void post_photo(struct cf_request *req, void *arg)
{
    struct police *p = arg;
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_field_errors errors = {0};
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    struct cf_str type = cf_in_text(&in, "document_type", CF_NEEDED, 1, 40);
    struct cf_str number = cf_in_text(&in, "document_number", CF_NEEDED, 1, 64);
    cf_in_text(&in, "name", CF_NEEDED, 1, 200);
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    if (!sim_begin_call(p->sim, req)) return;
    struct received r = {0};
    uint8_t digest[CF_SHA256_LEN];
    cf_sha256_parts(
        (const struct cf_str[]){
            type, {"", 1},
             number
    },
        3, digest);
    memcpy(r.person, digest, 16);
    cf_uuid_parse(cf_request_header(req, "Idempotency-Key"), r.key);
    enum answer answer = choose(p->sim, r.person);
    r.answer = (uint8_t)answer;
    remember(p, &r);
    p->counts[answer]++;
    if (answer == ANSWER_NONE)
        sim_answer(p->sim, req, 404, CF_JSON, CF_STR("{\"code\": \"no_photo\"}"));
    else if (answer == ANSWER_UNKNOWN)
        sim_answer(p->sim, req, 404, CF_JSON, CF_STR("{\"code\": \"person_unknown\"}"));
    else
        answer_photo(p, req, r.person, answer == ANSWER_DAMAGED);
}

static void write_item(struct cf_out *o, const struct received *r, uint64_t no)
{
    char person[33], key[37];
    cf_hex(r->person, 16, person);
    cf_uuid_text(r->key, key);
    cf_out_object(o, NULL);
    cf_out_uint(o, "no", no);
    cf_out_z(o, "person", person);
    cf_out_z(o, "idempotency_key", key);
    cf_out_z(o, "answer", answer_names[r->answer]);
    cf_out_end(o);
}

static void get_received(struct cf_request *req, void *arg)
{
    const struct police *p = arg;
    uint64_t since = sim_query_number(req, "since", 0, UINT64_MAX);
    uint64_t limit = sim_query_number(req, "limit", 1000, 10000);
    uint64_t from = since > p->first ? since - p->first : 0;
    struct cf_buf body;
    cf_buf_init(&body, 8u << 20);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_array(&o, "items");
    uint64_t i = from;
    for (; i < p->n && i - from < limit; i++)
        write_item(&o, &p->received[i], p->first + i + 1);
    cf_out_end(&o);
    cf_out_uint(&o, "next", p->first + (i < p->n ? i : p->n));
    cf_out_uint(&o, "total", p->first + p->n);
    cf_out_end(&o);
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}

static void get_stats(struct cf_request *req, void *arg)
{
    const struct police *p = arg;
    struct cf_buf body;
    cf_buf_init(&body, 4096);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_uint(&o, "calls", p->sim->calls);
    cf_out_uint(&o, "answered", p->first + p->n);
    for (int i = 0; i < ANSWER_COUNT; i++)
        cf_out_uint(&o, answer_names[i], p->counts[i]);
    cf_out_end(&o);
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}

static void begin(struct sim *sim, void *settings)
{
    const struct settings *s = settings;
    struct police *p = sim->own;
    p->sim = sim;
    p->max = (size_t)s->remembered;
    p->arena = cf_arena_new(256u << 20);
    police_faces_draw(&p->faces, (size_t)s->faces, p->arena);
    p->picture = cf_malloc(32768);
    static const struct cf_route photo = {.method = "POST",
                                          .pattern = "/photo",
                                          .body_max = 8192,
                                          .type = CF_JSON,
                                          .answer_ms = 120000};
    static const struct cf_route received = {.method = "GET", .pattern = "/sim/received"};
    static const struct cf_route stats = {.method = "GET", .pattern = "/sim/stats"};
    cf_http_route(sim->http, &photo, post_photo, p);
    cf_http_route(sim->http, &received, get_received, p);
    cf_http_route(sim->http, &stats, get_stats, p);
}

int main(int argc, char **argv)
{
    static struct police police;
    static struct settings settings;
    int code = sim_run(&table, &settings, argc, argv, begin, "sim-police", &police);
    cf_arena_free(police.arena);
    free(police.received);
    free(police.picture);
    return code;
}
