/* deadlines recalculate: which open deadlines a new calendar, or new policies, move, and has production
 * move them.
 *
 * Reads intake's applications page by page. Open: accepted, and not yet ready for pickup (a temporary
 * card: not yet collected), as far as intake has heard. What moves is an entry of audit.events and a
 * message to production, which counts itself and moves the date only when it comes to the same one;
 * what has moved already is not found again. */
#include "cardflow/v1/card.pb-c.h"
#include "common/io/clock.h"
#include "common/pure/deadline.h"
#include "common/pure/keys.h"
#include "ops/cardctl/operate.h"

#include <stdlib.h>
#include <unistd.h>

enum { PAGE = 2000, FILE_MAX = 4 << 20, MOVED_MAX = 256 << 20, LOOK_EVERY_MS = 100 };

static const char open_sql[] =
    "select a.part, a.id, a.kind, a.accepted_on, a.due_on, a.provisional::int, a.working_days,"
    "       encode(a.holder, 'hex')"
    " from application a"
    " left join application_end e on e.part = a.part and e.id = a.id"
    " left join holder h on h.part = a.part and h.key = a.holder"
    " where (a.part, a.id) > ($1::smallint, $2::uuid) and a.moved_to is null and a.due_on > 0"
    "   and coalesce(e.state, case a.id when h.permanent_app then h.permanent_state"
    "                                   when h.temporary_app then h.temporary_state end, a.state)"
    "       between $3::int and $4::int"
    " order by a.part, a.id limit $5::int";

/* Of what was asked for, how many deadlines have not moved. */
static const char left_sql[] =
    "select count(*) from unnest($1::smallint[], $2::uuid[], $3::int[], $4::boolean[])"
    " v(part, id, due_on, provisional) join application a on a.part = v.part and a.id = v.id"
    " where (a.due_on, a.provisional) is distinct from (v.due_on, v.provisional)";

enum column { PART, ID, KIND, ACCEPTED_ON, DUE_ON, PROVISIONAL, WORKING_DAYS, HOLDER };

/* What was asked of production, as arrays of left_sql. */
enum { ASKED = 4 };

/* What is counted by. */
struct by {
    struct cf_calendar calendar;
    struct cf_policies policies;
};

struct run {
    const struct filter *filter;
    const struct by *by;
    rd_kafka_t *rk; /* NULL: a dry run */
    struct pace pace;
    struct cf_buf asked[ASKED];
    long open, changed;
    char part[8], id[37]; /* of the last row read */
};

static int read_file(const char *path, char *text, struct cf_str *out)
{
    FILE *f = fopen(path, "rbe");
    if (!f) return cardctl_fail(path, "cannot be opened");
    size_t n = fread(text, 1, FILE_MAX, f);
    bool good = !ferror(f) && n < FILE_MAX;
    fclose(f);
    *out = (struct cf_str){text, n};
    return good ? 0 : cardctl_fail(path, "cannot be read, or is larger than 4 MiB");
}

static int wrong_line(const char *path, unsigned line, const char *why)
{
    char text[160];
    snprintf(text, sizeof text, "line %u: %s", line, why);
    return cardctl_fail(path, line ? text : why);
}

static int load(const char *path, const char *policies_path, struct cf_arena *a, struct by *out)
{
    struct cf_calendar_error wrong;
    struct cf_policies_error wrong_policy;
    struct cf_str csv;
    char *text = cf_arena_alloc(a, FILE_MAX);
    int e = read_file(path, text, &csv);
    if (e) return e;
    if (cf_calendar_load(a, csv, &out->calendar, &wrong))
        return wrong_line(path, wrong.line, wrong.why);
    e = read_file(policies_path, text, &csv);
    if (e) return e;
    if (cf_policies_load(a, csv, &out->policies, &wrong_policy))
        return wrong_line(policies_path, wrong_policy.line, wrong_policy.why);
    return 0;
}

static void tell(const struct run *m, const PGresult *r, int row, const struct cf_deadline *d)
{
    char was[11], now[11], accepted[11];
    bool json = m->filter->json;
    cf_day_text(atoi(PQgetvalue(r, row, DUE_ON)), was);
    cf_day_text(d->due_on, now);
    cf_day_text(d->accepted_on, accepted);
    printf(json ? "%s{\"application_id\":\"%s\",\"policy\":\"%s\",\"accepted_on\":\"%s\","
                  "\"due_on\":\"%s\",\"would_be\":\"%s\",\"provisional\":%s}"
                : "%s%s  %s  accepted %s  due %s -> %s%s\n",
           json && m->changed ? "," : "", PQgetvalue(r, row, ID), d->policy->id, accepted, was, now,
           json ? (d->provisional ? "true" : "false") : (d->provisional ? "  provisional" : ""));
}

/* ---- applying -------------------------------------------------------------------------------- */

static struct cf_str packed(const struct run *m, const uint8_t id[16], const struct cf_deadline *d,
                            uint8_t bytes[1024])
{
    Cardflow__V1__ProductionInternal out = CARDFLOW__V1__PRODUCTION_INTERNAL__INIT;
    Cardflow__V1__ProductionInternal__Recalculate x =
        CARDFLOW__V1__PRODUCTION_INTERNAL__RECALCULATE__INIT;
    x.application_id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)id};
    x.due_on = d->due_on;
    x.provisional = d->provisional;
    x.reason = (char *)(uintptr_t)m->filter->reason;
    out.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_RECALCULATE;
    out.recalculate = &x;
    return (struct cf_str){(char *)bytes, cardflow__v1__production_internal__pack(&out, bytes)};
}

static void remember(struct run *m, const PGresult *r, int row, const struct cf_deadline *d)
{
    char due[12];
    snprintf(due, sizeof due, "%d", d->due_on);
    const char *const values[ASKED] = {PQgetvalue(r, row, PART), PQgetvalue(r, row, ID), due,
                                       d->provisional ? "t" : "f"};
    for (int i = 0; i < ASKED; i++)
        cf_buf_printf(&m->asked[i], "%c%s", m->asked[i].len ? ',' : '{', values[i]);
}

/* The entry of the audit first, then the message to production, under the holder's key. */
static bool ask(struct run *m, const PGresult *r, int row, const struct cf_deadline *d)
{
    uint8_t id[16], key[CF_REF_LEN], bytes[1024];
    const char *hex = PQgetvalue(r, row, HOLDER);
    if (!cf_uuid_parse(cf_str_of(PQgetvalue(r, row, ID)), id) ||
        !cf_unhex(cf_str_of(hex), key, sizeof key))
        return cardctl_fail("database", "a row of application cannot be read") == 0;
    struct message message = {.topic = "production.internal",
                              .part = -1,
                              .key = {(char *)key, sizeof key},
                              .value = packed(m, id, d, bytes)};
    pace_wait(&m->pace, m->filter->rate, 1);
    if (!operate_audit(m->rk, m->filter, "deadlines.recalculate", message.key, "application",
                       atoi(PQgetvalue(r, row, PART)), 1))
        return false;
    message.headers = operate_headers("production.recalculate");
    if (!operate_send(m->rk, &message)) return false;
    remember(m, r, row, d);
    return true;
}

/* -1 after a message. */
static long count_left(PGconn *pg, struct run *m)
{
    if (!m->asked[0].len) return 0;
    const char *values[ASKED];
    for (int i = 0; i < ASKED; i++)
        values[i] = m->asked[i].ptr;
    PGresult *r = operate_ask(pg, left_sql, ASKED, values);
    long n = r ? atol(PQgetvalue(r, 0, 0)) : -1;
    PQclear(r);
    return n;
}

static long wait_moved(PGconn *pg, struct run *m)
{
    cf_ms until = cf_mono_ms() + m->filter->wait_s * (cf_ms)1000;
    for (int i = 0; i < ASKED && m->asked[0].len; i++)
        cf_buf_add(&m->asked[i], "}", 2);
    long left = count_left(pg, m);
    while (left > 0 && cf_mono_ms() < until) {
        usleep(LOOK_EVERY_MS * 1000);
        left = count_left(pg, m);
    }
    if (left > 0)
        cardctl_fail("deadlines", "some have not moved: production counts by another calendar, is "
                                  "behind, or the card is ready meanwhile");
    return left;
}

/* ---- looking --------------------------------------------------------------------------------- */

static bool look(struct run *m, const PGresult *r, int row)
{
    enum cf_app_kind kind = (enum cf_app_kind)atoi(PQgetvalue(r, row, KIND));
    cf_day accepted_on = atoi(PQgetvalue(r, row, ACCEPTED_ON));
    m->open++;
    struct cf_deadline d = cf_deadline_recount(&m->by->calendar, &m->by->policies, kind, accepted_on,
                                               atoi(PQgetvalue(r, row, WORKING_DAYS)));
    if (!d.policy || (d.due_on == atoi(PQgetvalue(r, row, DUE_ON)) &&
                      d.provisional == (atoi(PQgetvalue(r, row, PROVISIONAL)) != 0)))
        return true;
    tell(m, r, row, &d);
    m->changed++;
    return !m->rk || ask(m, r, row, &d);
}

/* One page; the number of its rows, or -1 after a message. */
static int page(PGconn *pg, struct run *m)
{
    char first[8], last[8], limit[8];
    snprintf(first, sizeof first, "%d", (int)CF_APP_ACCEPTED);
    snprintf(last, sizeof last, "%d", (int)CF_APP_SHIPPED);
    snprintf(limit, sizeof limit, "%d", (int)PAGE);
    const char *values[] = {m->part, m->id, first, last, limit};
    PGresult *r = operate_ask(pg, open_sql, 5, values);
    if (!r) return -1;
    int n = PQntuples(r);
    bool good = true;
    for (int i = 0; i < n && good; i++)
        good = look(m, r, i);
    if (n) {
        snprintf(m->part, sizeof m->part, "%s", PQgetvalue(r, n - 1, PART));
        snprintf(m->id, sizeof m->id, "%s", PQgetvalue(r, n - 1, ID));
    }
    PQclear(r);
    return good ? n : -1;
}

/* `left`: of what was asked for; below 0: not known. */
static void tell_counts(const struct run *m, long left)
{
    bool json = m->filter->json;
    printf(json ? "],\"open\":%ld,\"changed\":%ld"
           : m->rk ? "%ld open, %ld changed"
                   : "%ld open, %ld would change",
           m->open, m->changed);
    if (m->rk && left >= 0)
        printf(json ? ",\"applied\":%ld,\"left\":%ld" : ": %ld applied, %ld left",
               m->changed - left, left);
    puts(json ? "}" : "");
}

static int list(PGconn *pg, struct run *m)
{
    int n;
    if (m->filter->json) printf("{\"deadlines\":[");
    do
        n = page(pg, m);
    while (n == PAGE);
    long left = m->rk && n >= 0 ? wait_moved(pg, m) : n < 0 ? -1 : 0;
    tell_counts(m, left);
    return n < 0 || left != 0 ? 1 : 0;
}

static int work(const struct filter *f, const struct by *by)
{
    struct run m = {.filter = f,
                    .by = by,
                    .part = "-1",
                    .id = "00000000-0000-0000-0000-000000000000"};
    PGconn *pg = operate_database(f);
    bool good = pg != NULL;
    if (good && !f->dry_run) good = (m.rk = operate_producer(f)) != NULL;
    for (int i = 0; i < ASKED; i++)
        cf_buf_init(&m.asked[i], MOVED_MAX);
    int code = good ? list(pg, &m) : 1;
    for (int i = 0; i < ASKED; i++)
        cf_buf_free(&m.asked[i]);
    if (m.rk) rd_kafka_destroy(m.rk);
    PQfinish(pg);
    return code;
}

/* Who and why, for what is not only looked at. */
static bool read_change(int argc, char **argv, struct filter *f)
{
    f->brokers = cardctl_needed(argc, argv, "--brokers", "CARDFLOW_KAFKA_BROKERS");
    f->reason = f->purpose = cardctl_option(argc, argv, "--reason");
    f->operator = cardctl_option(argc, argv, "--operator");
    f->rate = cardctl_number(argc, argv, "--rate", 1000, 1000000);
    f->wait_s = cardctl_number(argc, argv, "--wait", 30, 3600);
    if (!f->brokers || f->rate < 0 || f->wait_s < 0) return false;
    if (operate_text_ok(f->reason) && operate_text_ok(f->operator)) return true;
    return cardctl_fail("deadlines", "--reason TEXT and --operator NAME are needed for a change; "
                                     "--dry-run only shows it") == 0;
}

int cardctl_deadlines_recalculate(int argc, char **argv)
{
    struct filter f = {.service = "intake",
                       .json = cardctl_flag(argc, argv, "--json"),
                       .dry_run = cardctl_flag(argc, argv, "--dry-run")};
    struct by by;
    const char *path = cardctl_needed(argc, argv, "--calendar", "CARDFLOW_CALENDAR_FILE");
    const char *policies = cardctl_needed(argc, argv, "--policies", "CARDFLOW_POLICIES_FILE");
    const char *dsn = cardctl_option(argc, argv, "--dsn-file");
    if (!path || !policies || (!f.dry_run && !read_change(argc, argv, &f))) return 2;
    if (dsn) setenv("CARDFLOW_POSTGRES_DSN_FILE", dsn, 1);
    struct cf_arena *a = cf_arena_new(8 * FILE_MAX);
    int e = load(path, policies, a, &by);
    if (!e) e = work(&f, &by);
    cf_arena_free(a);
    return e;
}
