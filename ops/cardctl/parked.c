/* parked list, show, redrive, drop: records that wait in a service's table `parked`.
 *
 * Nothing is changed here: commands on <service>.internal ask the stage that owns the shard, see
 * docs/decisions/0008. A redrive takes all that waits under a key, so that order is kept; a drop
 * takes exactly the records that were found. */
#include "cardflow/v1/stage.pb-c.h"
#include "common/io/clock.h"
#include "common/io/stage/journal.h"
#include "ops/cardctl/operate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PLACES_MAX = 500, TAKEN_BY_ONE = 500, LOOK_EVERY_MS = 100 };

#define FILTER                                                                          \
    "($1::text is null or topic = $1) and ($2::text is null or encode(key, 'hex') = $2)" \
    " and ($3::text is null or position($3 in reason) > 0)"                             \
    " and ($4::text is null or at >= to_timestamp($4::bigint / 1000.0))"                \
    " and ($5::text is null or at < to_timestamp($5::bigint / 1000.0))"

#define COLUMNS                                                                       \
    " part, topic, log_offset, index, encode(key, 'hex'), reason, ce_type,"           \
    " floor(extract(epoch from at) * 1000)::bigint, octet_length(record)"

static const char records_sql[] =
    "select" COLUMNS ", case when $7 = 'show' then encode(record, 'hex') end"
    " from parked where " FILTER
    " order by part, topic, key, log_offset, index limit $6::int";

/* Whole keys: all that waits under each key that has a record that fits. */
static const char keys_sql[] =
    "with hit as (select part, topic, key from parked where " FILTER
    " group by part, topic, key order by min(at) limit $6::int)"
    " select" COLUMNS ", $7 from parked join hit using (part, topic, key)"
    " order by part, topic, key, log_offset, index";

static PGresult *find(PGconn *pg, const struct filter *f)
{
    char limit[16];
    snprintf(limit, sizeof limit, "%d", f->limit);
    const char *values[] = {f->topic,
                            f->key,
                            f->reason,
                            *f->from ? f->from : NULL,
                            *f->to ? f->to : NULL,
                            limit,
                            f->verb == VERB_SHOW ? "show" : ""};
    return operate_ask(pg, f->verb == VERB_REDRIVE ? keys_sql : records_sql, 7, values);
}

static struct line line_of(const PGresult *r, int i)
{
    return (struct line){.part = atoi(PQgetvalue(r, i, 0)),
                         .topic = PQgetvalue(r, i, 1),
                         .offset = atoll(PQgetvalue(r, i, 2)),
                         .index = atoi(PQgetvalue(r, i, 3)),
                         .key = PQgetvalue(r, i, 4),
                         .reason = PQgetvalue(r, i, 5),
                         .type = PQgetvalue(r, i, 6),
                         .at = atoll(PQgetvalue(r, i, 7)),
                         .bytes = atoll(PQgetvalue(r, i, 8))};
}

/* The headers of the record: ids and types, no values. */
static void show_headers(struct report *report, const PGresult *r, int i)
{
    size_t n = (size_t)PQgetlength(r, i, 9) / 2;
    char *bytes = cf_malloc(n + 1);
    struct cf_journal_reader reader = {.rest = {bytes, n}};
    struct cf_out_message m = {0};
    struct cf_str topic, value;
    const char *name;
    if (cf_unhex((struct cf_str){PQgetvalue(r, i, 9), 2 * n}, bytes, n) &&
        cf_journal_next(&reader, &topic, &m) == 0 && m.type.ptr) {
        if (m.trace.len) report_header(report, "traceparent", m.trace);
        while (cf_extra_next(&m.extra, &name, &value))
            report_header(report, name, value);
    }
    free(bytes);
}

static void tell(struct report *report, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        const struct line l = line_of(r, i);
        report_line(report, &l);
        if (report->filter->verb == VERB_SHOW) show_headers(report, r, i);
        report_line_end(report);
    }
}

/* ---- commands -------------------------------------------------------------------------------- */

/* Rows first..end of a result, which wait under one key. */
struct group {
    const PGresult *rows;
    int first, end;
    struct line line; /* of the first */
    struct cf_str key;
    char key_bytes[256];
};

static bool group_next(const PGresult *rows, int first, struct group *g)
{
    if (first >= PQntuples(rows)) return false;
    *g = (struct group){.rows = rows, .first = first, .line = line_of(rows, first)};
    g->key = (struct cf_str){g->key_bytes, strlen(g->line.key) / 2};
    if (g->key.len > sizeof g->key_bytes ||
        !cf_unhex(cf_str_of(g->line.key), g->key_bytes, g->key.len))
        g->key.len = 0;
    for (g->end = first + 1; g->end < PQntuples(rows); g->end++) {
        const struct line l = line_of(rows, g->end);
        if (l.part != g->line.part || strcmp(l.topic, g->line.topic) || strcmp(l.key, g->line.key))
            break;
    }
    return true;
}

struct asked {
    rd_kafka_t *rk;
    const struct filter *filter;
    struct pace pace;
    int64_t newest[256]; /* offset of the last command, by partition; -1 none */
    long commands;
};

/* With the places of rows first..end, or none. */
static bool ask_stage(struct asked *a, const struct group *g, int first, int end)
{
    static Cardflow__V1__ParkedPlace places[PLACES_MAX], *list[PLACES_MAX];
    Cardflow__V1__StageCommand c = CARDFLOW__V1__STAGE_COMMAND__INIT;
    char topic[128];
    c.topic = (char *)(uintptr_t)g->line.topic;
    c.key = (ProtobufCBinaryData){g->key.len, (uint8_t *)(uintptr_t)g->key.ptr};
    for (int i = first; i < end; i++) {
        const struct line l = line_of(g->rows, i);
        Cardflow__V1__ParkedPlace *p = &places[i - first];
        cardflow__v1__parked_place__init(p);
        p->log_offset = l.offset;
        p->index = l.index;
        list[i - first] = p;
    }
    c.drop = list;
    c.n_drop = (size_t)(end - first);
    size_t n = cardflow__v1__stage_command__get_packed_size(&c);
    uint8_t *bytes = cf_malloc(n + 1);
    cardflow__v1__stage_command__pack(&c, bytes);
    snprintf(topic, sizeof topic, "%s.internal", a->filter->service);
    struct message m = {
        .topic = topic,
        .part = g->line.part,
        .key = g->key,
        .value = {(char *)bytes, n},
        .headers = operate_headers(a->filter->verb == VERB_DROP ? "stage.drop" : "stage.redrive")};
    bool good = operate_send(a->rk, &m);
    free(bytes);
    if (good) a->newest[g->line.part & 255] = m.offset;
    a->commands += good;
    return good;
}

static bool ask_group(struct asked *a, const struct group *g)
{
    bool drop = a->filter->verb == VERB_DROP;
    size_t n = (size_t)(g->end - g->first);
    if (!operate_audit(a->rk, a->filter, drop ? "parked.drop" : "parked.redrive", g->key,
                       g->line.topic, g->line.part, n))
        return false;
    bool good = true;
    if (drop)
        for (int i = g->first; i < g->end && good; i += PLACES_MAX) {
            int end = g->end - i < PLACES_MAX ? g->end : i + PLACES_MAX;
            pace_wait(&a->pace, a->filter->rate, (size_t)(end - i));
            good = ask_stage(a, g, i, end);
        }
    else
        for (size_t i = 0; i < n && good; i += TAKEN_BY_ONE) {
            pace_wait(&a->pace, a->filter->rate, n - i < TAKEN_BY_ONE ? n - i : TAKEN_BY_ONE);
            good = ask_stage(a, g, 0, 0);
        }
    return good;
}

/* ---- what came of it ------------------------------------------------------------------------- */

static bool applied(PGconn *pg, const struct asked *a, bool *good)
{
    char topic[128], part[16];
    snprintf(topic, sizeof topic, "%s.internal", a->filter->service);
    for (int i = 0; i < 256; i++) {
        if (a->newest[i] < 0) continue;
        snprintf(part, sizeof part, "%d", i);
        const char *values[] = {topic, part};
        PGresult *r = operate_ask(pg,
                                  "select last_offset from cursor"
                                  " where topic = $1 and part = $2::smallint",
                                  2, values);
        *good = r != NULL;
        bool done = r && PQntuples(r) == 1 && atoll(PQgetvalue(r, 0, 0)) >= a->newest[i];
        PQclear(r);
        if (!done) return false;
    }
    return true;
}

static bool wait_applied(PGconn *pg, const struct asked *a)
{
    cf_ms until = cf_mono_ms() + a->filter->wait_s * (cf_ms)1000;
    bool good = true;
    while (!applied(pg, a, &good)) {
        if (!good || cf_mono_ms() > until)
            return cardctl_fail(a->filter->service, "has not followed the commands yet") == 0;
        usleep(LOOK_EVERY_MS * 1000);
    }
    return true;
}

/* Of the rows that were found, how many still wait; of a whole record, any of its messages. Names
 * of topics need no quoting in an array. -1 after a message. */
static long still_parked(PGconn *pg, const PGresult *rows)
{
    struct cf_buf places[4]; /* as in line_of */
    for (int c = 0; c < 4; c++) {
        cf_buf_init(&places[c], 256u << 20);
        for (int i = 0; i < PQntuples(rows); i++)
            cf_buf_printf(&places[c], "%c%s", i ? ',' : '{', PQgetvalue(rows, i, c));
        cf_buf_add(&places[c], PQntuples(rows) ? "}" : "{}", PQntuples(rows) ? 2 : 3);
    }
    const char *values[] = {places[0].ptr, places[1].ptr, places[2].ptr, places[3].ptr};
    PGresult *r = operate_ask(
        pg,
        "select count(*) from unnest($1::smallint[], $2::text[], $3::bigint[], $4::int[])"
        " v(part, topic, log_offset, index) where exists (select 1 from parked p"
        " where p.part = v.part and p.topic = v.topic and p.log_offset = v.log_offset"
        " and (v.index = -1 or p.index = v.index))",
        4, values);
    long n = r ? atol(PQgetvalue(r, 0, 0)) : -1;
    PQclear(r);
    for (int c = 0; c < 4; c++)
        cf_buf_free(&places[c]);
    return n;
}

static int change(PGconn *pg, const struct filter *f, const PGresult *rows, struct report *report)
{
    struct asked a = {.rk = operate_producer(f), .filter = f};
    struct group g;
    long keys = 0;
    memset(a.newest, 0xFF, sizeof a.newest);
    bool good = a.rk != NULL;
    for (int i = 0; good && group_next(rows, i, &g); i = g.end) {
        good = ask_group(&a, &g);
        keys += good;
    }
    if (a.rk) rd_kafka_destroy(a.rk);
    if (good) good = wait_applied(pg, &a);
    long left = good ? still_parked(pg, rows) : 0;
    if (left < 0) good = false;
    const struct fact facts[] = {
        {"keys",                                             keys                   },
        {"commands",                                         a.commands             },
        {f->verb == VERB_DROP ? "dropped" : "redriven",      PQntuples(rows) - left },
        {"still_parked",                                     left                   },
        {NULL,                                               0                      }
    };
    int code = report_end(report, good ? facts : facts + 4);
    return good && left == 0 ? code : 1;
}

static int run(int argc, char **argv, enum verb verb)
{
    struct filter f;
    struct report report;
    if (!filter_read(argc, argv, verb, false, &f)) return 2;
    PGconn *pg = operate_database(&f);
    PGresult *rows = pg ? find(pg, &f) : NULL;
    int code = 1;
    if (rows) {
        report_begin(&report, &f);
        tell(&report, rows);
        code = filter_changes(&f) ? change(pg, &f, rows, &report) : report_end(&report, NULL);
    }
    PQclear(rows);
    PQfinish(pg);
    return code;
}

int cardctl_parked_list(int argc, char **argv)
{
    return run(argc, argv, VERB_LIST);
}

int cardctl_parked_show(int argc, char **argv)
{
    return run(argc, argv, VERB_SHOW);
}

int cardctl_parked_redrive(int argc, char **argv)
{
    return run(argc, argv, VERB_REDRIVE);
}

int cardctl_parked_drop(int argc, char **argv)
{
    return run(argc, argv, VERB_DROP);
}
