/* Vouchers that nobody has signed yet, and how long papers are kept. */
#include "common/io/clock.h"
#include "common/io/retention.h"
#include "common/io/stage/pgbin.h"
#include "common/pure/mask.h"
#include "common/pure/receipt.h"
#include "services/production/api_inside.h"

/* Columns of sql/unsigned.sql. */
enum column { VOUCHER_NO, OPERATION, CHANNEL, OUTLET, CARD_NO, AT };

static void write_voucher(struct cf_out *o, const PGresult *res, int row)
{
    char masked[CF_MASK_MAX], at[30];
    struct cf_str card_no = cf_pgf_get(res, row, CARD_NO);
    cf_out_object(o, NULL);
    cf_out_text(o, "voucher_no", cf_pgf_get(res, row, VOUCHER_NO));
    cf_out_text(o, "operation", cf_pgf_get(res, row, OPERATION));
    cf_out_text(o, "channel", cf_pgf_get(res, row, CHANNEL));
    cf_out_text(o, "outlet_code", cf_pgf_get(res, row, OUTLET));
    if (card_no.len) cf_mask_cardnum(card_no, masked);
    cf_out_z(o, "card_no", card_no.len ? masked : NULL);
    cf_out_z(o, "issued_at", cf_rfc3339_text(strtoll(PQgetvalue(res, row, AT), NULL, 10), at));
    cf_out_end(o);
}

static bool read_after(struct cf_str after, int64_t *at, struct cf_str *no)
{
    return production_page_after(after, at, no) &&
           cf_receipt_check_prefixed(*no, CF_VOUCHER_LETTER);
}

/* The query's limit and after; false: it was answered. */
static bool read_query(struct production_page *page, int64_t *at, struct cf_str *no)
{
    struct cf_request *req = page->req;
    struct cf_str after = cf_request_query(req, "after");
    if ((page->limit = cf_request_limit(req)) < 0) return false;
    if (after.ptr && !read_after(after, at, no)) {
        cf_problem_field(req, 400, "invalid_query", "after", "the next_after of a page before",
                         "Leave it out for the first page.");
        return false;
    }
    return true;
}

/* text[] of the client's channels; a NULL ptr where it may speak for all. */
static struct cf_str channels_of(const struct cf_client *client, struct cf_pgarray *a)
{
    cf_pgarray_begin(a, CF_OID_TEXT);
    for (const char *const *c = client->channels; c && *c; c++)
        cf_pgarray_bytes(a, *c, strlen(*c));
    return client->channels ? cf_pgarray_end(a) : (struct cf_str){0};
}

static void get_unsigned(struct cf_request *req, void *arg)
{
    struct production_front *front = arg;
    struct production_page *page = cf_arena_zero(req->arena, sizeof *page);
    struct cf_str no = CF_STR(""), outlet = cf_request_query(req, "outlet_code");
    struct cf_pgarray channels = {.count = 0};
    int64_t after = -1;
    char at[8], limit[4];
    *page = (struct production_page){req, 0, "vouchers", AT, VOUCHER_NO, write_voucher};
    if (!cf_str_is(cf_request_query(req, "signed"), "false")) {
        cf_problem_field(req, 400, "invalid_query", "signed", "must be false",
                         "Ask for ?signed=false; a signed voucher is found by its number.");
        return;
    }
    if (!read_query(page, &after, &no)) return;
    cf_put64(at, (uint64_t)after);
    cf_put32(limit, (uint32_t)page->limit);
    const struct cf_str params[] = {
        channels_of(req->client, &channels), outlet, {at, 8}, no, {limit, 4}};
    if (cf_pgf_send(front->app->pg, PRODUCTION_UNSIGNED, params, 5, production_page_show, page))
        cf_problem_away(req, "postgres");
    cf_buf_free(&channels.buf);
}

void production_api_unsigned(struct production_front *front)
{
    static const struct cf_route list = {
        .method = "GET", .pattern = "/v1/vouchers", .scope = "vouchers:read"};
    cf_http_route(front->app->http, &list, get_unsigned, front);
    cf_retention_new(front->app, PRODUCTION_RETENTION, front->settings.voucher_days,
                     front->settings.retention_every, CF_STR(""));
}
