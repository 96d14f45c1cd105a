/* What partners answer: the police gateway, the SMS gateway, and inquiry to complaint-handling.
 * Every piece of work gets exactly one outcome, whatever comes.
 *
 * The first byte says who is asked, and what is wrong on our side (see enum). */
#include "cardflow/v1/common.pb-c.h"
#include "common/io/json.h"
#include "common/io/log.h"
#include "common/io/metrics.h"
#include "common/io/stage/stage.h"
#include "services/complaint-handling/ask.h"
#include "services/notification/codec.h"
#include "services/notification/sms.h"
#include "services/photo-fetch/gateway.h"
#include "tests/fuzz/codec_run.h"
#include "tests/fuzz/fuzz.h"

enum { ITEMS = 4, WHO = 3 };
enum { FULL = 1, STORE_AWAY = 2, UNREADABLE = 4, NOBODY = 8 };

static struct cf_loop *loop;
static struct cf_metrics *metrics;
static struct photo_fetch_gateway *police;
static struct photo_fetch_vault *vault;
static struct notification_sms *sms;
static struct complaint_asker *asker;

/* ---- the world ------------------------------------------------------------------------------- */

static struct cf_work work[ITEMS];
static unsigned outcomes[ITEMS];
static size_t n_items;
static void *own;
static struct {
    cf_call_done *done;
    void *arg;
} calls[2 * ITEMS];
static size_t n_calls;
static unsigned wrong; /* with this input, on our side */
static cf_pgf_done *asked;
static void *asked_arg;
static struct cf_str sealed_person;

int __wrap_cf_partner_new(struct cf_loop *l, const struct cf_partner_conf *conf,
                          struct cf_partner **out);
void __wrap_cf_partner_free(struct cf_partner *p);
int __wrap_cf_partner_call(struct cf_partner *p, const struct cf_call *call, cf_call_done *done,
                           void *arg);
size_t __wrap_cf_work_count(const struct cf_work_call *call);
const struct cf_work *__wrap_cf_work_item(const struct cf_work_call *call, size_t i);
void **__wrap_cf_work_own(struct cf_work_call *call);
void __wrap_cf_work_done(struct cf_work_call *call, size_t i, enum cf_work_result result,
                         const char *reason, struct cf_str payload);
int __wrap_cf_pgf_send(struct cf_pgf *pg, size_t statement, const struct cf_str *params, int n,
                       cf_pgf_done *done, void *arg);

int __wrap_cf_partner_new(struct cf_loop *l, const struct cf_partner_conf *conf,
                          struct cf_partner **out)
{
    static char partner;
    (void)l, (void)conf;
    *out = (struct cf_partner *)(void *)&partner;
    return 0;
}

void __wrap_cf_partner_free(struct cf_partner *p)
{
    (void)p;
}

int __wrap_cf_partner_call(struct cf_partner *p, const struct cf_call *call, cf_call_done *done,
                           void *arg)
{
    (void)p;
    struct cf_json_error e;
    json_t *root = cf_json_parse(call->body, &e);
    MUST(root && n_calls < 2 * ITEMS);
    json_decref(root);
    if (wrong & FULL) return CF_E_NET;
    calls[n_calls].done = done;
    calls[n_calls++].arg = arg;
    return 0;
}

size_t __wrap_cf_work_count(const struct cf_work_call *call)
{
    (void)call;
    return n_items;
}

const struct cf_work *__wrap_cf_work_item(const struct cf_work_call *call, size_t i)
{
    (void)call;
    MUST(i < n_items);
    return &work[i];
}

void **__wrap_cf_work_own(struct cf_work_call *call)
{
    (void)call;
    return &own;
}

void __wrap_cf_work_done(struct cf_work_call *call, size_t i, enum cf_work_result result,
                         const char *reason, struct cf_str payload)
{
    (void)call, (void)result;
    MUST(i < n_items && reason && cf_utf8_valid(cf_str_of(reason)) && strlen(reason) < 64);
    MUST(payload.len < 65536);
    outcomes[i]++;
}

int __wrap_cf_pgf_send(struct cf_pgf *pg, size_t statement, const struct cf_str *params, int n,
                       cf_pgf_done *done, void *arg)
{
    (void)pg, (void)statement, (void)params, (void)n;
    MUST(!asked);
    asked = done;
    asked_arg = arg;
    return 0;
}

static void value(PGresult *res, int row, int column, struct cf_str s)
{
    char *copy = fuzz_exact(s);
    MUST(PQsetvalue(res, row, column, copy, (int)s.len));
    free(copy);
}

/* Contacts of all; a photo's store looks at no result. */
static void answer_asked(void)
{
    PGresAttDesc columns[3] = {
        {.name = (char *)(uintptr_t) "key",    .format = 1},
        {.name = (char *)(uintptr_t) "person", .format = 1},
        {.name = (char *)(uintptr_t) "died",   .format = 1}
    };
    PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    cf_pgf_done *done = asked;
    asked = NULL;
    if (wrong & STORE_AWAY) {
        PQclear(res);
        done(asked_arg, CF_E_DB, NULL);
        return;
    }
    MUST(PQsetResultAttrs(res, 3, columns));
    value(res, 0, 0, cf_key_str(&work[0].key));
    value(res, 0, 1, wrong & UNREADABLE ? CF_STR("nothing sealed") : sealed_person);
    value(res, 0, 2, (struct cf_str){"\0", 1});
    done(asked_arg, 0, res);
    PQclear(res);
}

/* ---- the target -------------------------------------------------------------------------------
 */

static void begin(struct cf_arena *a)
{
    static struct photo_fetch_settings p;
    static struct notification_settings n;
    const struct complaint_ask_conf ask = {"http://x", "k", 1000, 1};
    Cardflow__V1__Person person;
    cf_log_fd(-1);
    loop = cf_loop_new();
    metrics = cf_metrics_new();
    p.police_url = p.police_authorization = n.sms_url = n.sms_authorization = "";
    p.police_in_flight = n.sms_in_flight = 4;
    p.police_breaker_failures = n.sms_breaker_failures = 1 << 30;
    p.photo_width = 48;
    p.photo_height = 40;
    p.photo_dpi = 350;
    p.photo_min_bytes = 10;
    p.photo_max_bytes = 20480;
    n.sms_signature = "x";
    vault = photo_fetch_vault_new(loop, NULL, fuzz_ring());
    MUST(!photo_fetch_gateway_new(loop, &p, vault, fuzz_ring(), metrics, &police));
    MUST(!notification_sms_new(loop, &n, NULL, fuzz_ring(), metrics, &sms));
    MUST(!complaint_asker_new(loop, fuzz_ring(), &ask, &asker));
    cardflow__v1__person__init(&person);
    person.document_type = (char *)(uintptr_t) "resident_id";
    person.document_number = (char *)(uintptr_t) "370222197409309228";
    person.phone = (char *)(uintptr_t) "19900004310";
    static const uint8_t ref[16] = "a key of sixteen";
    struct cf_key key = cf_key_holder(ref);
    MUST(!cf_seal(fuzz_ring(), cf_pack(a, &person.base), cf_key_str(&key), 1, a, &sealed_person));
    struct notification_job job = {.template = (enum notification_template)1,
                                   .at = 1,
                                   .due_on = 20550,
                                   .respond_by = 20560,
                                   .receipt_no = CF_STR("123456789014"),
                                   .notice_no = CF_STR("N123456789014"),
                                   .outlet_code = CF_STR("B01001"),
                                   .card_no_masked = CF_STR("B0****019"),
                                   .order_no = CF_STR("A1")};
    struct cf_str args = notification_codec_job(a, &job);
    for (int i = 0; i < ITEMS; i++) {
        work[i] = (struct cf_work){.key = key, .args = args};
        memcpy(work[i].id, ref, 16);
        work[i].id[0] = (uint8_t)('a' + i);
    }
}

static void end(void)
{
    struct cf_buf text;
    cf_buf_init(&text, 1 << 20);
    cf_metrics_render(metrics, &text);
    MUST(text.len && !text.full);
    cf_buf_free(&text);
    photo_fetch_gateway_free(police);
    photo_fetch_gateway_free(NULL);
    notification_sms_free(sms);
    notification_sms_free(NULL);
    complaint_asker_free(asker);
    complaint_asker_free(NULL);
    photo_fetch_vault_free(vault);
    cf_loop_free(loop);
}

static void check_outcomes(void)
{
    for (size_t i = 0; i < n_items; i++)
        MUST(outcomes[i] == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 404, 503, 0, 400, 422, 500, 429};
    static struct cf_arena *a;
    static struct cf_str args;
    struct cf_str in = fuzz_str(data, size);
    uint8_t first = fuzz_byte(&in), status = fuzz_byte(&in), items = fuzz_byte(&in);
    uint8_t which = first % WHO;
    wrong = first / WHO;
    if (!a) {
        a = cf_arena_new(8 << 20);
        begin(a);
        atexit(end);
        args = work[0].args;
    }
    char *body = fuzz_exact(in);
    struct cf_call_result r = {
        .status = statuses[status % 8],
        .type = status & 0x80 ? CF_STR("text/html") : CF_STR("image/jpeg"),
        .body = {body, in.len}
    };
    if (!r.status) r.why = "timeout";
    n_items = which == 1 ? 1 + items % ITEMS : 1;
    memset(outcomes, 0, sizeof outcomes);
    n_calls = 0;
    struct cf_work_call *call = (struct cf_work_call *)(void *)&n_items;
    work[0].args = which == 0 ? sealed_person : which == 1 ? args : CF_STR("0123456789abcdef");
    if (which != 1 && (wrong & UNREADABLE)) work[0].args = CF_STR("odd");
    if (which == 0)
        photo_fetch_gateway_run(police, call);
    else if (which == 1)
        notification_sms_run(sms, call);
    else
        complaint_asker_run(wrong & NOBODY ? NULL : asker, call);
    for (int turn = 0; turn < 50; turn++) {
        if (asked) answer_asked();
        for (size_t i = 0; i < n_calls; i++) {
            cf_call_done *done = calls[i].done;
            calls[i].done = NULL;
            if (done) done(calls[i].arg, &r);
        }
        cf_loop_turn(loop, false);
        bool all = !asked;
        for (size_t i = 0; i < n_items; i++)
            all &= outcomes[i] > 0;
        if (all) break;
    }
    check_outcomes();
    if (which != 1) free(own);
    own = NULL;
    free(body);
    return 0;
}
