/* bank-files import: results of a bank's files become records of bank.results, as an adapter would
 * write them. A file is checked to its end before its first line is sent; ids derive from bank,
 * content and line, so that a run that broke off can be repeated. */
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "common/io/clock.h"
#include "common/io/ids.h"
#include "common/io/kafka_conf.h"
#include "common/io/stage/stage.h"
#include "ops/cardctl/bank_exchange.h"

#include <stdlib.h>

#define RESULTS "cardflow.bank.results.v1"

enum { FLUSH_MS = 60000, ARENA_MAX = 1 << 30, QUEUE_TRIES = 600, QUEUE_WAIT_MS = 100 };

struct importing {
    struct bank_exchange x;
    struct bank_manifest manifest;
    struct cf_buf csv;
    struct cf_arena *arena, *each;
    struct bank_result_line *lines;
    size_t n;
    struct bank_faults faults;
    rd_kafka_t *producer;
    size_t delivered;
};

/* ---- sending --------------------------------------------------------------------------------- */

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct importing *i = opaque;
    (void)rk;
    if (!m->err) i->delivered++;
}

static rd_kafka_t *sender(struct importing *i)
{
    /* Answers of one line stay in their order. */
    static const cf_kafka_setting settings[] = {{"acks", "all"},
                                              {"enable.idempotence", "true"},
                                              {"partitioner", "murmur2"},
                                              {"message.timeout.ms", "30000"},
                                              {"log_level", "2"},
                                              {"client.id", "cardctl"},
                                              {0}};
    rd_kafka_conf_t *conf = cf_kafka_conf(i->x.filter.brokers, settings);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, i);
    return cardctl_kafka(RD_KAFKA_PRODUCER, conf);
}

static char *z(struct cf_arena *a, struct cf_str s)
{
    return (char *)(uintptr_t)cf_arena_str(a, s.len ? s : CF_STR("")).ptr;
}

static ProtobufCBinaryData id_or_none(const uint8_t id[16])
{
    static const uint8_t none[16];
    return memcmp(id, none, 16) ? cf_data_id(id) : (ProtobufCBinaryData){0};
}

static struct cf_str pack(const struct importing *i, const struct bank_result_line *l,
                          const uint8_t id[16])
{
    Cardflow__V1__BankResult r = CARDFLOW__V1__BANK_RESULT__INIT;
    Cardflow__V1__Fee fee = CARDFLOW__V1__FEE__INIT, *fees[1] = {&fee};
    r.result_id = cf_data_id(id);
    r.bank_code = z(i->each, i->x.folder.bank);
    r.batch_id = id_or_none(l->batch_id);
    r.line_no = l->line_no;
    r.application_id = id_or_none(l->app_id);
    r.card_no = z(i->each, l->card_no);
    r.step = z(i->each, l->step);
    r.reason = z(i->each, l->reason);
    r.at_ms = l->at;
    r.notice_id = id_or_none(l->notice_id);
    r.password_kind = z(i->each, l->password_kind);
    r.tries = l->tries;
    fee.type = z(i->each, l->fee_type);
    fee.amount_cents = l->fee_cents;
    r.n_fees = l->fee_cents > 0;
    r.fees = fees;
    return cf_pack(i->each, &r.base);
}

static rd_kafka_headers_t *headers(const uint8_t id[16])
{
    char text[37], now[30];
    rd_kafka_headers_t *h = rd_kafka_headers_new(5);
    cf_uuid_text(id, text);
    rd_kafka_header_add(h, "ce_id", -1, text, -1);
    rd_kafka_header_add(h, "ce_type", -1, "bank.result", -1);
    rd_kafka_header_add(h, "ce_source", -1, "cardctl/bank-files", -1);
    rd_kafka_header_add(h, "ce_time", -1, cf_rfc3339_text(cf_now_ms(), now), -1);
    rd_kafka_header_add(h, "ce_specversion", -1, "1.0", -1);
    return h;
}

static bool send_line(struct importing *i, const struct bank_result_line *l)
{
    char no[12];
    uint8_t id[16];
    snprintf(no, sizeof no, "%u", l->no);
    cf_uuid8_of(id, CF_STR("bank.file"), i->x.folder.bank,
                ((struct cf_str){(const char *)i->manifest.sha256, 32}), cf_str_of(no));
    struct cf_str value = pack(i, l, id);
    rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    for (int try = 0; e == RD_KAFKA_RESP_ERR__QUEUE_FULL && try < QUEUE_TRIES; try++) {
        rd_kafka_headers_t *h = headers(id);
        e = __extension__ rd_kafka_producev(
            i->producer, RD_KAFKA_V_TOPIC(RESULTS), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY((void *)(uintptr_t)l->routing_key, 16),
            RD_KAFKA_V_VALUE((void *)(uintptr_t)value.ptr, value.len),
            RD_KAFKA_V_TIMESTAMP(cf_now_ms()), RD_KAFKA_V_HEADERS(h), RD_KAFKA_V_END);
        if (e) rd_kafka_headers_destroy(h);
        rd_kafka_poll(i->producer, e ? QUEUE_WAIT_MS : 0);
    }
    cf_arena_reset(i->each);
    return !e || cardctl_fail(RESULTS, rd_kafka_err2str(e)) == 0;
}

static bool send_all(struct importing *i)
{
    bool good = true;
    i->producer = sender(i);
    if (!i->producer) return false;
    for (size_t k = 0; k < i->n && good; k++)
        good = send_line(i, &i->lines[k]);
    rd_kafka_flush(i->producer, FLUSH_MS);
    rd_kafka_destroy(i->producer);
    if (good && i->delivered == i->n) return true;
    fprintf(stderr, "cardctl: %zu of %zu lines were sent; import the file again, what was sent has "
                    "no second effect\n", i->delivered, i->n);
    return false;
}

/* ---- saying what became of it ---------------------------------------------------------------- */

static void report_line_out(struct cf_buf *b, unsigned line, unsigned no, const char *outcome,
                            const struct bank_fault *f)
{
    char text[12];
    snprintf(text, sizeof text, "%u", line);
    bank_csv_field(b, cf_str_of(text), false);
    snprintf(text, sizeof text, "%u", no);
    bank_csv_field(b, cf_str_of(no ? text : ""), false);
    bank_csv_field(b, cf_str_of(outcome), false);
    bank_csv_field(b, cf_str_of(f ? f->column : ""), false);
    bank_csv_field(b, cf_str_of(f ? f->rule : ""), false);
    bank_csv_field(b, cf_str_of(f ? f->cure : ""), true);
}

/* <file>.report.csv: each line sent; or each fault, and every other line as not sent. */
static bool report_write(struct importing *i, const char *name)
{
    char file[BANK_NAME_MAX + 16];
    struct cf_buf b;
    size_t faults = i->faults.n < BANK_FAULTS ? i->faults.n : BANK_FAULTS;
    cf_buf_init(&b, 2 * BANK_FILE_MAX);
    bank_csv_header(&b, bank_report_columns);
    for (size_t k = 0; k < faults; k++)
        report_line_out(&b, i->faults.list[k].line, 0, "refused", &i->faults.list[k]);
    for (size_t k = 0; k < i->n; k++) {
        const struct bank_result_line *l = &i->lines[k];
        bool wrong = false;
        for (size_t j = 0; j < faults && !wrong; j++)
            wrong = i->faults.list[j].line == l->line;
        if (!wrong) report_line_out(&b, l->line, l->no, faults ? "not_sent" : "sent", NULL);
    }
    snprintf(file, sizeof file, "%.*s.report.csv", (int)(strlen(name) - 4), name);
    bool good = !b.full && bank_folder_write(&i->x.folder, file, cf_buf_str(&b));
    cf_buf_free(&b);
    return good;
}

static void say_faults(const struct importing *i, const char *name)
{
    for (size_t k = 0; k < i->faults.n && k < BANK_FAULTS; k++) {
        const struct bank_fault *f = &i->faults.list[k];
        if (f->line)
            fprintf(stderr, "cardctl: %s: line %u, %s: %s. %s\n", name, f->line, f->column, f->rule,
                    f->cure);
        else
            fprintf(stderr, "cardctl: %s: manifest, %s: %s. %s\n", name, f->column, f->rule,
                    f->cure);
    }
    fprintf(stderr, "cardctl: %s: %zu faults; nothing was sent\n", name, i->faults.n);
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool read_manifest(struct importing *i, const char *name)
{
    char manifest[BANK_NAME_MAX + 32];
    struct cf_buf text;
    snprintf(manifest, sizeof manifest, "%.*s.manifest.json", (int)(strlen(name) - 4), name);
    cf_buf_init(&text, 1 << 20);
    bool there = bank_folder_read(&i->x.folder, manifest, &text);
    if (!there)
        bank_fault_add(&i->faults, 0, "manifest", "a manifest beside the file",
                       "Put it there, named as the file with .manifest.json for .csv.");
    bool good = there && bank_manifest_read(cf_buf_str(&text), i->arena, &i->manifest, &i->faults);
    cf_buf_free(&text);
    if (good && strcmp(i->manifest.file, name) != 0)
        bank_fault_add(&i->faults, 0, "file", "the name of the file", "Give each file its own manifest.");
    return good;
}

/* A name stands for one content. */
static bool is_new(struct importing *i, const char *name)
{
    switch (bank_folder_known(&i->x.folder, "taken", name, i->manifest.sha256)) {
    case BANK_SAME_CONTENT:
        bank_fault_add(&i->faults, 0, "sha256", "a file that was not imported before",
                       "It was taken already: nothing is to be done.");
        return false;
    case BANK_SAME_NAME:
        bank_fault_add(&i->faults, 0, "file", "a name that was not used before",
                       "Name the corrected file anew.");
        return false;
    case BANK_NEW:
        break;
    }
    return true;
}

static void check(struct importing *i, const char *name)
{
    if (!bank_folder_read(&i->x.folder, name, &i->csv)) {
        bank_fault_add(&i->faults, 0, "file", "a file in the folder", "Put it there.");
        return;
    }
    if (!read_manifest(i, name)) return;
    (void)bank_results_read(cf_buf_str(&i->csv), &i->manifest, i->x.folder.bank, i->arena,
                            &i->lines, &i->n, &i->faults);
    if (i->faults.n == 0) (void)is_new(i, name);
}

static int import(struct importing *i, const char *name)
{
    check(i, name);
    if (i->faults.n) {
        say_faults(i, name);
        /* The report of a file that was taken stays as it was. */
        bool kept = bank_folder_known(&i->x.folder, "taken", name, i->manifest.sha256) != BANK_NEW;
        if (!kept) (void)report_write(i, name);
        return 1;
    }
    if (!bank_exchange_audit(&i->x, "bank_files.import", i->n) || !send_all(i)) return 1;
    if (!bank_folder_enter(&i->x.folder, "taken", &i->manifest) || !report_write(i, name)) return 1;
    printf("%zu results sent\n", i->n);
    return 0;
}

/* In the folder, and named so that its manifest and report can be. */
static bool name_good(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    if (n > 4 && n <= BANK_NAME_MAX && name[0] != '.' && !strchr(name, '/') &&
        strcmp(name + n - 4, ".csv") == 0)
        return true;
    fprintf(stderr, "cardctl: --file must be the name of a .csv file in the folder\n");
    return false;
}

int cardctl_bank_import(int argc, char **argv)
{
    const char *name = cardctl_needed(argc, argv, "--file", NULL);
    struct importing *i = cf_calloc(1, sizeof *i);
    int code = name_good(name) ? bank_exchange_open(&i->x, argc, argv) : 2;
    if (!code) {
        cf_buf_init(&i->csv, BANK_FILE_MAX);
        i->arena = cf_arena_new(ARENA_MAX);
        i->each = cf_arena_new(1 << 20);
        code = import(i, name);
        cf_arena_free(i->each);
        cf_arena_free(i->arena);
        cf_buf_free(&i->csv);
    }
    bank_exchange_close(&i->x);
    free(i);
    return code;
}
