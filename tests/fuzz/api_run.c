/* An input is
 *   route, mode (1 byte each), then lines: what stands for the parameters of the path, the query,
 *   the Idempotency-Key, one more header; then the body
 * Mode:
 *   UUID      a good id stands for the parameters
 *   CLAIM     2 bits: new, same, conflict, database away
 *   AWAY_PG, AWAY_KAFKA, FOUND   what questions and messages come to
 *   VARIANT   2 bits: which of its rows the service answers with; 3: what is away refuses at once
 */
#include "tests/fuzz/api_run.h"

#include "common/io/http_internal.h"
#include "common/io/log.h"
#include "common/io/redis.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UUID = 1, CLAIM = 2, CLAIM_MASK = 3, AWAY_PG = 8, AWAY_KAFKA = 16, FOUND = 32 };
enum { VARIANT = 64 };
enum { NOW_S = 1774000000 };
#define A_GOOD_ID "01890000-0000-7000-8000-0123456789ab"

static struct cf_app app;
static struct fuzz_api api;
static unsigned mode, waits; /* waits: of this request */

/* ---- the world: what is asked is answered later, in order --------------------------------------
 */

enum what { CLAIMED, SENT, ASKED, WAITED };

struct later {
    struct later *next;
    enum what what;
    void *arg;
    cf_claimed *claimed;
    cf_front_sent *sent;
    cf_pgf_done *done;
    cf_waited *waited;
    struct cf_claim claim;
    size_t statement;
    struct cf_key key; /* the question's last parameter, when it is a key */
};

static struct later *first, **last = &first;

static struct later *put(enum what what, void *arg)
{
    struct later *l = cf_calloc(1, sizeof *l);
    l->what = what;
    l->arg = arg;
    *last = l;
    last = &l->next;
    return l;
}

/* A row in the making; of the first also the names of its columns. */
enum { COLUMNS = 32 };
struct fuzz_row {
    PGresult *res;
    int row, columns;
    PGresAttDesc names[COLUMNS];
    struct cf_str values[COLUMNS];
    struct cf_arena *arena;
    struct cf_key key;
};

bool fuzz_asked_for(const struct fuzz_row *row, const struct cf_key *key)
{
    return cf_key_eq(&row->key, key);
}

void fuzz_column(struct fuzz_row *row, const char *name, struct cf_str value)
{
    MUST(row->columns < COLUMNS);
    row->names[row->columns].name = (char *)(uintptr_t)name;
    row->names[row->columns].format = 1;
    row->values[row->columns++] = value.ptr ? cf_arena_str(row->arena, value) : value;
}

void fuzz_number(struct fuzz_row *row, const char *name, size_t bytes, int64_t value)
{
    char be[8];
    for (size_t i = 0; i < bytes; i++)
        be[i] = (char)((uint64_t)value >> 8 * (bytes - 1 - i));
    fuzz_column(row, name, (struct cf_str){be, bytes});
}

static void put_row(struct fuzz_row *r)
{
    if (r->row == 0) MUST(PQsetResultAttrs(r->res, r->columns, r->names));
    for (int i = 0; i < r->columns; i++) {
        struct cf_str v = r->values[i];
        MUST(PQsetvalue(r->res, r->row, i, (char *)(uintptr_t)v.ptr, v.ptr ? (int)v.len : -1));
    }
}

static PGresult *answer_of(size_t statement, const struct cf_key *key)
{
    struct cf_arena *a = cf_arena_new(1 << 20);
    PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    unsigned variant = mode / VARIANT;
    /* What moved on once is at its place then. */
    if (statement == FUZZ_WAITED && waits++) variant = 0;
    for (int n = 0; (mode & FOUND) && api.row; n++) {
        struct fuzz_row row = {.res = res, .row = n, .arena = a, .key = *key};
        api.row(&row, statement, n, variant);
        if (!row.columns) break;
        put_row(&row);
    }
    cf_arena_free(a);
    return res;
}

static void run_later(void)
{
    struct later *l = first;
    first = l->next;
    if (!first) last = &first;
    if (l->what == CLAIMED) {
        bool away = (mode / CLAIM & CLAIM_MASK) == 3;
        l->claimed(l->arg, away ? CF_E_DB : 0, away ? NULL : &l->claim);
    } else if (l->what == SENT) {
        l->sent(l->arg, mode & AWAY_KAFKA ? CF_E_NET : 0);
    } else if (l->what == WAITED) {
        PGresult *res = answer_of(FUZZ_WAITED, &l->key);
        l->waited(l->arg, PQntuples(res) ? res : NULL, 0);
        PQclear(res);
    } else {
        PGresult *res = mode & AWAY_PG ? NULL : answer_of(l->statement, &l->key);
        l->done(l->arg, res ? 0 : CF_E_DB, res);
        PQclear(res);
    }
    free(l);
}

void __wrap_cf_requests_claim(struct cf_requests *r, const char *client, struct cf_str key,
                              struct cf_str meaning, const uint8_t id[16], cf_claimed *fn,
                              void *arg);
bool __wrap_cf_front_up(const struct cf_front_producer *p);
int __wrap_cf_front_send(struct cf_front_producer *p, const struct cf_front_message *m,
                         cf_front_sent *sent, void *arg);
int __wrap_cf_pgf_send(struct cf_pgf *pg, size_t statement, const struct cf_str *params, int n,
                       cf_pgf_done *done, void *arg);
void __wrap_cf_wait_for(struct cf_waits *w, int16_t part, const uint8_t id[16], cf_ms wait_ms,
                        cf_waited *fn, void *arg);
int __wrap_cf_redis_get(struct cf_redis_front *r, struct cf_str key, cf_redis_got *got, void *arg);

void __wrap_cf_requests_claim(struct cf_requests *r, const char *client, struct cf_str key,
                              struct cf_str meaning, const uint8_t id[16], cf_claimed *fn,
                              void *arg)
{
    (void)r;
    MUST(client && key.len && meaning.ptr);
    struct later *l = put(CLAIMED, arg);
    l->claimed = fn;
    l->claim.result = (enum cf_claim_result)(mode / CLAIM % 3);
    l->claim.at = (cf_ms)NOW_S * 1000;
    memcpy(l->claim.id, id, 16);
}

/* The stage must be able to read what the front has taken. */
static void check_command(const struct cf_front_message *m)
{
    struct cf_arena *a = cf_arena_new(64 << 20);
    struct cf_msg msgs[CF_MESSAGES_MAX] = {0};
    const struct cf_service *v = &api.service;
    char id[37];
    struct cf_record r = {.at = m->ce_time, .ce_time = m->ce_time, .key = m->key};
    struct cf_decode d = {.arena = a,
                          .env = v->env,
                          .partitions = app.partitions,
                          .msgs = msgs,
                          .max = CF_MESSAGES_MAX};
    while (v->in[r.topic].name && strcmp(v->in[r.topic].name, m->topic) != 0)
        r.topic++;
    MUST(m->key.len && m->value.len <= 65536 && m->ce_type);
    if (v->in[r.topic].name) {
        char *value = fuzz_exact(m->value);
        struct cf_key key;
        cf_uuid_text(m->ce_id, id);
        r.value = (struct cf_str){value, m->value.len};
        r.ce_id = cf_str_of(id);
        r.ce_type = cf_str_of(m->ce_type);
        r.ce_source = cf_str_of(m->ce_source);
        MUST(cf_key_bytes(m->key.ptr, m->key.len, &key));
        r.part = m->part >= 0 ? m->part : (int32_t)cf_key_partition(&key, (uint32_t)app.partitions);
        int e = v->decode(&d, &r);
        if (e) fprintf(stderr, "%s %s: %s\n", m->topic, m->ce_type, d.reason ? d.reason : "?");
        MUST(e == 0);
        free(value);
    }
    cf_arena_free(a);
}

/* Who is away may refuse at once, or be found out later. */
static bool refuses(unsigned who)
{
    return (mode & who) && mode / VARIANT == 3;
}

/* Known to be away, or found out by sending. */
bool __wrap_cf_front_up(const struct cf_front_producer *p)
{
    (void)p;
    return (mode & (AWAY_KAFKA | AWAY_PG)) != (AWAY_KAFKA | AWAY_PG);
}

int __wrap_cf_front_send(struct cf_front_producer *p, const struct cf_front_message *m,
                         cf_front_sent *sent, void *arg)
{
    (void)p;
    check_command(m);
    if (refuses(AWAY_KAFKA)) return CF_E_NET;
    put(SENT, arg)->sent = sent;
    return 0;
}

int __wrap_cf_pgf_send(struct cf_pgf *pg, size_t statement, const struct cf_str *params, int n,
                       cf_pgf_done *done, void *arg)
{
    (void)pg;
    MUST(n > 0);
    if (refuses(AWAY_PG)) return CF_E_NET;
    struct later *l = put(ASKED, arg);
    l->done = done;
    l->statement = statement;
    cf_key_bytes(params[n - 1].ptr, params[n - 1].len, &l->key);
    return 0;
}

void __wrap_cf_wait_for(struct cf_waits *w, int16_t part, const uint8_t id[16], cf_ms wait_ms,
                        cf_waited *fn, void *arg)
{
    (void)w, (void)part, (void)id;
    MUST(wait_ms > 0 && wait_ms <= CF_WAIT_MAX_MS);
    put(WAITED, arg)->waited = fn;
}

int __wrap_cf_redis_get(struct cf_redis_front *r, struct cf_str key, cf_redis_got *got, void *arg)
{
    (void)r, (void)key, (void)got, (void)arg;
    return CF_E_NET;
}

/* ---- a request --------------------------------------------------------------------------------
 */

static void begin(void)
{
    static const char clients[] = "[{\"name\":\"a\",\"key\":\"secret-secret-secret-secret-1234\","
                                  "\"scopes\":[\"*\"],\"may_backdate\":true}]";
    struct cf_api_keys *keys;
    char why[200];
    cf_log_fd(-1);
    MUST(!cf_api_keys_parse(cf_str_of(clients), &keys, why));
    app.loop = cf_loop_new();
    app.metrics = cf_metrics_new();
    app.api_keys = keys;
    app.ring = (struct cf_seal_ring *)(uintptr_t)fuzz_ring();
    app.calendar = fuzz_calendar();
    app.policies = fuzz_policies();
    app.partitions = 4;
    app.common.redis_url = "unix:///nowhere/redis.sock";
    const struct cf_http_conf conf = {
        .listen = "127.0.0.1:0", .label = "public", .keys = keys, .metrics = app.metrics};
    MUST(!cf_http_new(app.loop, &conf, &app.http));
    fuzz_api(&app, &api);
}

static void write_path(struct cf_buf *b, const char *pattern, struct cf_str param)
{
    for (const char *p = pattern; *p; p++) {
        if (*p != '{')
            cf_buf_add(b, p, 1);
        else {
            cf_buf_adds(b, mode & UUID ? cf_str_of(api.id ? api.id : A_GOOD_ID) : param);
            p = strchr(p, '}');
        }
    }
}

static void write_request(struct cf_buf *b, struct cf_str in)
{
    const struct cf_route *route = &app.http->routes[fuzz_byte(&in) % app.http->n_routes].route;
    mode = fuzz_byte(&in);
    waits = 0;
    struct cf_str param = fuzz_line(&in), query = fuzz_line(&in), key = fuzz_line(&in),
                  header = fuzz_line(&in);
    if (in.len > route->body_max) in.len = route->body_max;
    cf_buf_printf(b, "%s ", route->method);
    write_path(b, route->pattern, param);
    if (query.len) cf_buf_add(b, "?", 1);
    cf_buf_adds(b, query);
    cf_buf_printf(b, " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                     "secret-secret-secret-secret-1234\r\nIdempotency-Key: ");
    cf_buf_adds(b, key);
    if (header.len) cf_buf_adds(b, CF_STR("\r\n"));
    cf_buf_adds(b, header);
    if (route->type)
        cf_buf_printf(b, "\r\nContent-Type: %s%s", route->type,
                      strstr(route->type, "multipart") ? "; boundary=xx" : "");
    cf_buf_printf(b, "\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", in.len);
    cf_buf_adds(b, in);
}

static void check_answer(struct cf_str answer)
{
    struct cf_json_error e;
    const char *body = answer.len ? memmem(answer.ptr, answer.len, "\r\n\r\n", 4) : NULL;
    MUST(body && memcmp(answer.ptr, "HTTP/1.1 ", 9) == 0);
    long status = strtol(answer.ptr + 9, NULL, 10);
    MUST(status >= 200 && status < 600 && status != 500);
    struct cf_str head = {answer.ptr, (size_t)(body - answer.ptr)};
    struct cf_str rest = {body + 4, answer.len - head.len - 4};
    if (!memmem(head.ptr, head.len, "json", 4)) return;
    json_t *root = cf_json_parse(rest, &e);
    MUST(root);
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cf_buf request, answer;
    int pair[2];
    if (!app.loop) begin();
    cf_buf_init(&request, 8 << 20);
    cf_buf_init(&answer, 8 << 20);
    write_request(&request, fuzz_str(data, size));
    MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
    cf_conn_open(app.http, pair[0], "192.0.2.1");
    size_t sent = 0;
    bool ended = false;
    for (int turn = 0; turn < 20000 && !ended; turn++) {
        if (sent < request.len) {
            ssize_t n = send(pair[1], request.ptr + sent, request.len - sent, MSG_NOSIGNAL);
            if (n > 0) sent += (size_t)n;
            if (sent == request.len) shutdown(pair[1], SHUT_WR);
        }
        cf_loop_turn(app.loop, false);
        while (first)
            run_later();
        for (;;) {
            char *room = cf_buf_room(&answer, 65536);
            ssize_t n = recv(pair[1], room, 65536, 0);
            if (n > 0) answer.len += (size_t)n;
            if (n == 0) ended = true;
            if (n <= 0) break;
        }
    }
    MUST(ended && cf_http_open(app.http) == 0);
    if (getenv("FUZZ_TELL")) fprintf(stderr, "%.*s\n", CF_ARG(cf_buf_str(&answer)));
    check_answer(cf_buf_str(&answer));
    close(pair[1]);
    cf_buf_free(&request);
    cf_buf_free(&answer);
    return 0;
}
