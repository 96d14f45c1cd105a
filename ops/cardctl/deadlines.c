/* deadlines recalculate --dry-run: which open deadlines another calendar would move.
 *
 * Reads intake's applications page by page and changes nothing. Open: accepted, and not yet ready
 * for pickup (a temporary card: not yet collected), as far as intake has heard. */
#include "common/pure/deadline.h"
#include "ops/cardctl/operate.h"

#include <stdlib.h>

enum { PAGE = 2000, CALENDAR_MAX = 4 << 20 };

static const char open_sql[] =
    "select a.part, a.id, a.kind, a.accepted_on, a.due_on, a.provisional::int"
    " from application a"
    " left join application_end e on e.part = a.part and e.id = a.id"
    " left join holder h on h.part = a.part and h.key = a.holder"
    " where (a.part, a.id) > ($1::smallint, $2::uuid) and a.moved_to is null and a.due_on > 0"
    "   and coalesce(e.state, case a.id when h.permanent_app then h.permanent_state"
    "                                   when h.temporary_app then h.temporary_state end, a.state)"
    "       between $3::int and $4::int"
    " order by a.part, a.id limit $5::int";

enum column { PART, ID, KIND, ACCEPTED_ON, DUE_ON, PROVISIONAL };

struct moved {
    bool json;
    long open, changed;
    char part[8], id[37]; /* of the last row read */
};

static int load(const char *path, struct cf_arena *a, struct cf_calendar *out)
{
    struct cf_calendar_error wrong = {0};
    char why[160];
    FILE *f = fopen(path, "rbe");
    if (!f) return cardctl_fail(path, "cannot be opened");
    char *text = cf_malloc(CALENDAR_MAX);
    size_t n = fread(text, 1, CALENDAR_MAX, f);
    bool good = !ferror(f) && n < CALENDAR_MAX;
    fclose(f);
    int e = good ? cf_calendar_load(a, (struct cf_str){text, n}, out, &wrong) : CF_E_CONFIG;
    free(text);
    if (!e) return 0;
    snprintf(why, sizeof why, "line %u: %s", wrong.line,
             wrong.why ? wrong.why : "cannot be read, or is larger than 4 MiB");
    return cardctl_fail(path, why);
}

static void tell(struct moved *m, const PGresult *r, int row, const struct cf_deadline *d)
{
    char was[11], now[11], accepted[11];
    cf_day_text(atoi(PQgetvalue(r, row, DUE_ON)), was);
    cf_day_text(d->due_on, now);
    cf_day_text(d->accepted_on, accepted);
    printf(m->json ? "%s{\"application_id\":\"%s\",\"policy\":\"%s\",\"accepted_on\":\"%s\","
                     "\"due_on\":\"%s\",\"would_be\":\"%s\",\"provisional\":%s}"
                   : "%s%s  %s  accepted %s  due %s -> %s%s\n",
           m->json && m->changed ? "," : "", PQgetvalue(r, row, ID), d->policy->id, accepted, was,
           now,
           m->json ? (d->provisional ? "true" : "false") : (d->provisional ? "  provisional" : ""));
    m->changed++;
}

static void look(struct moved *m, const struct cf_calendar *calendar, const PGresult *r, int row)
{
    int kind = atoi(PQgetvalue(r, row, KIND));
    cf_day accepted_on = atoi(PQgetvalue(r, row, ACCEPTED_ON));
    m->open++;
    struct cf_deadline d = cf_deadline_compute(calendar, (enum cf_app_kind)kind, accepted_on);
    if (!d.policy) return;
    if (d.due_on != atoi(PQgetvalue(r, row, DUE_ON)) ||
        d.provisional != (atoi(PQgetvalue(r, row, PROVISIONAL)) != 0))
        tell(m, r, row, &d);
}

/* One page; the number of its rows, or -1 after a message. */
static int page(PGconn *pg, struct moved *m, const struct cf_calendar *calendar)
{
    char first[8], last[8], limit[8];
    snprintf(first, sizeof first, "%d", (int)CF_APP_ACCEPTED);
    snprintf(last, sizeof last, "%d", (int)CF_APP_SHIPPED);
    snprintf(limit, sizeof limit, "%d", (int)PAGE);
    const char *values[] = {m->part, m->id, first, last, limit};
    PGresult *r = operate_ask(pg, open_sql, 5, values);
    if (!r) return -1;
    int n = PQntuples(r);
    for (int i = 0; i < n; i++)
        look(m, calendar, r, i);
    if (n) {
        snprintf(m->part, sizeof m->part, "%s", PQgetvalue(r, n - 1, PART));
        snprintf(m->id, sizeof m->id, "%s", PQgetvalue(r, n - 1, ID));
    }
    PQclear(r);
    return n;
}

static int list(PGconn *pg, const struct cf_calendar *calendar, bool json)
{
    struct moved m = {.json = json,
                      .part = "-1",
                      .id = "00000000-0000-0000-0000-000000000000"};
    int n;
    if (json) printf("{\"deadlines\":[");
    do
        n = page(pg, &m, calendar);
    while (n == PAGE);
    printf(json ? "],\"open\":%ld,\"changed\":%ld}\n" : "%ld open, %ld would change\n", m.open,
           m.changed);
    return n < 0 ? 1 : 0;
}

int cardctl_deadlines_recalculate(int argc, char **argv)
{
    struct filter f = {.service = "intake"};
    struct cf_calendar calendar;
    const char *path = cardctl_needed(argc, argv, "--calendar", "CARDFLOW_CALENDAR_FILE");
    const char *dsn = cardctl_option(argc, argv, "--dsn-file");
    if (!path) return 2;
    if (!cardctl_flag(argc, argv, "--dry-run")) {
        fprintf(stderr, "cardctl: only --dry-run is there: dates that were told are not changed\n");
        return 2;
    }
    if (dsn) setenv("CARDFLOW_POSTGRES_DSN_FILE", dsn, 1);
    struct cf_arena *a = cf_arena_new(2 * CALENDAR_MAX);
    int e = load(path, a, &calendar);
    PGconn *pg = e ? NULL : operate_database(&f);
    if (pg)
        e = list(pg, &calendar, cardctl_flag(argc, argv, "--json"));
    else
        e = 1;
    PQfinish(pg);
    cf_arena_free(a);
    return e;
}
