/* notices list: what banks were told of cards and have not acknowledged.
 *
 * Reads production's table page by page and changes nothing: production itself tells the bank
 * again. */
#include "common/pure/mask.h"
#include "ops/cardctl/operate.h"

#include <stdlib.h>

enum { PAGE = 1000 };

static const char open_sql[] =
    "select id, bank, what, card_no, told_at, again_at, overdue_at, sent"
    " from card_notice"
    " where acknowledged_at = 0 and (told_at, id) > ($1::bigint, $2::uuid)"
    "   and ($3::text is null or bank = $3) and ($4::text is null or overdue_at > 0)"
    " order by told_at, id limit $5::int";

enum column { ID, BANK, WHAT, CARD_NO, TOLD_AT, AGAIN_AT, OVERDUE_AT, SENT };

struct listing {
    bool json;
    long open, overdue;
    char told_at[24], id[37]; /* of the last row read */
};

static const char *time_of(const PGresult *r, int row, enum column c, char text[30])
{
    long long ms = atoll(PQgetvalue(r, row, (int)c));
    return ms ? cf_rfc3339_text(ms, text) : "";
}

static void tell(struct listing *l, const PGresult *r, int row)
{
    char masked[CF_MASK_MAX], told[30], again[30], overdue[30];
    cf_mask_cardnum(cf_str_of(PQgetvalue(r, row, CARD_NO)), masked);
    time_of(r, row, TOLD_AT, told);
    time_of(r, row, AGAIN_AT, again);
    const char *late = time_of(r, row, OVERDUE_AT, overdue);
    if (l->json)
        printf("%s{\"notice_id\":\"%s\",\"bank_code\":\"%s\",\"what\":\"%s\",\"card_no\":\"%s\","
               "\"told_at\":\"%s\",\"sent\":%s,\"again_at\":\"%s\",\"overdue\":%s}",
               l->open ? "," : "", PQgetvalue(r, row, ID), PQgetvalue(r, row, BANK),
               PQgetvalue(r, row, WHAT), masked, told, PQgetvalue(r, row, SENT), again,
               *late ? "true" : "false");
    else
        printf("%s  %s  %s  %s  told %s, %s times, again %s%s%s\n", PQgetvalue(r, row, ID),
               PQgetvalue(r, row, BANK), PQgetvalue(r, row, WHAT), masked, told,
               PQgetvalue(r, row, SENT), again, *late ? "  overdue since " : "", late);
    l->open++;
    if (*late) l->overdue++;
}

/* One page; the number of its rows, or -1 after a message. */
static int page(PGconn *pg, struct listing *l, const char *bank, bool overdue)
{
    char limit[8];
    snprintf(limit, sizeof limit, "%d", (int)PAGE);
    const char *values[] = {l->told_at, l->id, bank, overdue ? "overdue" : NULL, limit};
    PGresult *r = operate_ask(pg, open_sql, 5, values);
    if (!r) return -1;
    int n = PQntuples(r);
    for (int i = 0; i < n; i++)
        tell(l, r, i);
    if (n) {
        snprintf(l->told_at, sizeof l->told_at, "%s", PQgetvalue(r, n - 1, TOLD_AT));
        snprintf(l->id, sizeof l->id, "%s", PQgetvalue(r, n - 1, ID));
    }
    PQclear(r);
    return n;
}

int cardctl_notices_list(int argc, char **argv)
{
    struct filter f = {.service = "production"};
    struct listing l = {.json = cardctl_flag(argc, argv, "--json"),
                        .told_at = "-1",
                        .id = "00000000-0000-0000-0000-000000000000"};
    const char *bank = cardctl_option(argc, argv, "--bank");
    const char *dsn = cardctl_option(argc, argv, "--dsn-file");
    if (dsn) setenv("CARDFLOW_POSTGRES_DSN_FILE", dsn, 1);
    PGconn *pg = operate_database(&f);
    if (!pg) return 1;
    int n;
    if (l.json) printf("{\"notices\":[");
    do
        n = page(pg, &l, bank, cardctl_flag(argc, argv, "--overdue"));
    while (n == PAGE);
    printf(l.json ? "],\"open\":%ld,\"overdue\":%ld}\n" : "%ld open, %ld of them overdue\n", l.open,
           l.overdue);
    PQfinish(pg);
    return n < 0 ? 1 : 0;
}
