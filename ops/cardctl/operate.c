#include "ops/cardctl/operate.h"

#include "cardflow/v1/audit.pb-c.h"
#include "common/io/clock.h"
#include "common/io/ids.h"
#include "common/io/kafka_conf.h"
#include "common/pure/keys.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALL_MS = 10000, TEXT_MAX = 200, ANY_MAX = 1000000, DSN_MAX = 2000 };

/* ---- filters --------------------------------------------------------------------------------- */

static bool known(int argc, char **argv)
{
    static const char *const valued[] = {"--service", "--topic",    "--key",     "--reason",
                                         "--from",    "--to",       "--limit",   "--rate",
                                         "--brokers", "--operator", "--purpose", "--dsn-file",
                                         "--wait"};
    static const char *const flags[] = {"--dry-run", "--json", "--all", "--handled"};
    for (int i = 0; i < argc; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof valued / sizeof *valued && !found; k++)
            if (strcmp(argv[i], valued[k]) == 0) {
                found = i + 1 < argc;
                i++;
                break;
            }
        for (size_t k = 0; i < argc && k < sizeof flags / sizeof *flags && !found; k++)
            found = strcmp(argv[i], flags[k]) == 0;
        if (found) continue;
        fprintf(stderr, "cardctl: %s is no option here, or lacks its value\n",
                argv[i < argc ? i : argc - 1]);
        return false;
    }
    return true;
}

static bool time_of(int argc, char **argv, const char *name, char out[24])
{
    const char *text = cardctl_option(argc, argv, name);
    cf_ms ms;
    out[0] = 0;
    if (!text) return true;
    if (!cf_rfc3339_parse(cf_str_of(text), &ms))
        return cardctl_fail(name, "must be a time of RFC 3339, as 2026-03-02T09:00:00+08:00") == 0;
    snprintf(out, 24, "%lld", (long long)ms);
    return true;
}

struct cf_str operate_header(const rd_kafka_message_t *m, const char *name)
{
    rd_kafka_headers_t *h;
    const void *v = NULL;
    size_t n = 0;
    if (rd_kafka_message_headers(m, &h) || rd_kafka_header_get_last(h, name, &v, &n))
        return (struct cf_str){0};
    return (struct cf_str){v, n};
}

bool operate_text_ok(const char *text)
{
    size_t n = text ? strlen(text) : 0;
    return n > 0 && n <= TEXT_MAX && cf_utf8_valid(cf_str_of(text));
}

static bool key_ok(const char *key)
{
    size_t n = key ? strlen(key) : 0;
    return !key || (n % 2 == 0 && n <= 2 * CF_KEY_MAX && strspn(key, "0123456789abcdef") == n);
}

static bool names_somebody(int argc, char **argv, struct filter *f)
{
    f->operator = cardctl_option(argc, argv, "--operator");
    f->purpose = cardctl_option(argc, argv, "--purpose");
    if (f->verb != VERB_REDRIVE && f->verb != VERB_DROP) return true;
    if (!f->topic && !f->key && !f->reason && !*f->from && !*f->to &&
        !cardctl_flag(argc, argv, "--all"))
        return cardctl_fail("what", "name a filter, or --all") == 0;
    if (f->dry_run || (operate_text_ok(f->operator) && operate_text_ok(f->purpose))) return true;
    return cardctl_fail("audit", "--operator NAME and --purpose TEXT are needed") == 0;
}

bool filter_read(int argc, char **argv, enum verb verb, bool dead_letters, struct filter *f)
{
    *f = (struct filter){.verb = verb,
                         .topic = cardctl_option(argc, argv, "--topic"),
                         .key = cardctl_option(argc, argv, "--key"),
                         .reason = cardctl_option(argc, argv, "--reason"),
                         .limit = cardctl_number(argc, argv, "--limit", ANY_MAX, ANY_MAX),
                         .rate = cardctl_number(argc, argv, "--rate", 1000, ANY_MAX),
                         .wait_s = cardctl_number(argc, argv, "--wait", 30, 3600),
                         .dry_run = cardctl_flag(argc, argv, "--dry-run"),
                         .json = cardctl_flag(argc, argv, "--json"),
                         .handled = cardctl_flag(argc, argv, "--handled")};
    if (!known(argc, argv) || f->limit < 0 || f->rate < 0 || f->wait_s < 0) return false;
    f->service = cardctl_needed(argc, argv, "--service", NULL);
    if (dead_letters) f->topic = cardctl_needed(argc, argv, "--topic", NULL);
    if (!f->service || (dead_letters && !f->topic)) return false;
    if (dead_letters || filter_changes(f))
        f->brokers = cardctl_needed(argc, argv, "--brokers", "CARDFLOW_KAFKA_BROKERS");
    if ((dead_letters || filter_changes(f)) && !f->brokers) return false;
    if (!key_ok(f->key))
        return cardctl_fail("--key", "must be lower-case hexadecimal digits") == 0;
    const char *file = cardctl_option(argc, argv, "--dsn-file");
    if (file && setenv("CARDFLOW_POSTGRES_DSN_FILE", file, 1)) return false;
    return time_of(argc, argv, "--from", f->from) && time_of(argc, argv, "--to", f->to) &&
           names_somebody(argc, argv, f);
}

bool filter_fits(const struct filter *f, struct cf_str key, struct cf_str reason, cf_ms at)
{
    char hex[2 * 256 + 1] = "";
    if (key.len <= 256) cf_hex(key.ptr, key.len, hex);
    if (f->key && strcmp(f->key, hex) != 0) return false;
    if (f->reason && !memmem(reason.ptr, reason.len, f->reason, strlen(f->reason))) return false;
    if (*f->from && at < atoll(f->from)) return false;
    return !*f->to || at < atoll(f->to);
}

/* ---- the database ---------------------------------------------------------------------------- */

/* The DSN holds a password: never an argument. */
static bool read_dsn(char dsn[DSN_MAX])
{
    const char *file = getenv("CARDFLOW_POSTGRES_DSN_FILE");
    const char *value = getenv("CARDFLOW_POSTGRES_DSN");
    if (file && *file) {
        FILE *f = fopen(file, "rbe");
        size_t n = f ? fread(dsn, 1, DSN_MAX - 1, f) : 0;
        if (f) fclose(f);
        dsn[n] = 0;
        dsn[strcspn(dsn, "\r\n")] = 0;
    } else {
        snprintf(dsn, DSN_MAX, "%s", value ? value : "");
    }
    if (*dsn) return true;
    return cardctl_fail("database", "--dsn-file or CARDFLOW_POSTGRES_DSN is missing") == 0;
}

static bool is_of_service(PGconn *pg, const char *service)
{
    char schema[64];
    snprintf(schema, sizeof schema, "%s", service);
    for (char *c = schema; *c; c++)
        if (*c == '-') *c = '_';
    PGresult *r = operate_ask(pg, "select current_schema()", 0, NULL);
    bool same = r && strcmp(PQgetvalue(r, 0, 0), schema) == 0;
    PQclear(r);
    return same || (r && cardctl_fail(service, "the database is another service's") == 0);
}

PGconn *operate_database(const struct filter *f)
{
    char dsn[DSN_MAX];
    if (!read_dsn(dsn)) return NULL;
    PGconn *pg = PQconnectdb(dsn);
    if (PQstatus(pg) == CONNECTION_OK && is_of_service(pg, f->service)) return pg;
    if (PQstatus(pg) != CONNECTION_OK) cardctl_fail("database", "cannot be reached");
    PQfinish(pg);
    return NULL;
}

PGresult *operate_ask(PGconn *pg, const char *sql, int n, const char *const *values)
{
    PGresult *r = PQexecParams(pg, sql, n, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK) return r;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    cardctl_fail("database", state ? state : "connection lost");
    PQclear(r);
    return NULL;
}

/* ---- the log --------------------------------------------------------------------------------- */

struct delivery {
    bool done;
    rd_kafka_resp_err_t e;
    int64_t offset;
    int32_t part;
};

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct delivery *d = m->_private;
    (void)rk;
    (void)opaque;
    *d = (struct delivery){true, m->err, m->offset, m->partition};
}

rd_kafka_t *cardctl_kafka(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char why[256];
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
    if (rk) return rk;
    rd_kafka_conf_destroy(conf);
    cardctl_fail("brokers", why);
    return NULL;
}

rd_kafka_t *operate_producer(const struct filter *f)
{
    /* The rules of a front: acks=all, by murmur2 of the key, not idempotent (decision 0005). */
    static const cf_kafka_setting settings[] = {{"acks", "all"},
                                              {"enable.idempotence", "false"},
                                              {"partitioner", "murmur2"},
                                              {"linger.ms", "0"},
                                              {"message.timeout.ms", "8000"},
                                              {"log_level", "2"},
                                              {"client.id", "cardctl"},
                                              {0}};
    rd_kafka_conf_t *conf = cf_kafka_conf(f->brokers, settings);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    return cardctl_kafka(RD_KAFKA_PRODUCER, conf);
}

bool operate_send(rd_kafka_t *rk, struct message *m)
{
    struct delivery d = {0};
    char topic[160];
    snprintf(topic, sizeof topic, "cardflow.%s.v1", m->topic);
    rd_kafka_resp_err_t e = __extension__ rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(m->part),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY((void *)(uintptr_t)m->key.ptr, m->key.len),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)m->value.ptr, m->value.len),
        RD_KAFKA_V_TIMESTAMP(cf_now_ms()), RD_KAFKA_V_HEADERS(m->headers), RD_KAFKA_V_OPAQUE(&d),
        RD_KAFKA_V_END);
    if (e) {
        rd_kafka_headers_destroy(m->headers);
        return cardctl_fail(topic, rd_kafka_err2str(e)) == 0;
    }
    cf_ms until = cf_mono_ms() + CALL_MS;
    while (!d.done && cf_mono_ms() < until)
        rd_kafka_poll(rk, 100);
    if (!d.done) { /* d must not be written to later */
        rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        while (!d.done)
            rd_kafka_poll(rk, 100);
    }
    m->offset = d.offset;
    m->at_part = d.part;
    return !d.e || cardctl_fail(topic, rd_kafka_err2str(d.e)) == 0;
}

rd_kafka_headers_t *operate_headers(const char *type)
{
    uint8_t raw[16];
    char id[37], time[30];
    rd_kafka_headers_t *h = rd_kafka_headers_new(5);
    cf_uuid4(raw);
    cf_uuid_text(raw, id);
    rd_kafka_header_add(h, "ce_id", -1, id, -1);
    rd_kafka_header_add(h, "ce_type", -1, type, -1);
    rd_kafka_header_add(h, "ce_source", -1, "cardctl", -1);
    rd_kafka_header_add(h, "ce_time", -1, cf_rfc3339_text(cf_now_ms(), time), -1);
    rd_kafka_header_add(h, "ce_specversion", -1, "1.0", -1);
    return h;
}

bool operate_audit(rd_kafka_t *rk, const struct filter *f, const char *action, struct cf_str key,
                   const char *topic, int part, size_t records)
{
    Cardflow__V1__AuditEvent a = CARDFLOW__V1__AUDIT_EVENT__INIT;
    uint8_t bytes[2048];
    char outcome[256];
    snprintf(outcome, sizeof outcome, "%s: %zu of %s/%d", f->service, records, topic, part);
    a.client = (char *)(uintptr_t) "cardctl";
    a.scope = (char *)(uintptr_t) "operator";
    a.operator_ = (char *)(uintptr_t)f->operator;
    a.purpose = (char *)(uintptr_t)f->purpose;
    a.action = (char *)(uintptr_t)action;
    a.outcome = outcome;
    a.at_ms = cf_now_ms();
    if (key.len == CF_REF_LEN)
        a.holder_ref = (ProtobufCBinaryData){key.len, (uint8_t *)(uintptr_t)key.ptr};
    if (cardflow__v1__audit_event__get_packed_size(&a) > sizeof bytes)
        return cardctl_fail("audit", "entry is too long") == 0;
    size_t n = cardflow__v1__audit_event__pack(&a, bytes);
    struct message m = {.topic = "audit.events",
                        .part = -1,
                        .key = CF_STR("cardctl"),
                        .value = {(char *)bytes, n},
                        .headers = operate_headers("audit")};
    return operate_send(rk, &m);
}

void pace_wait(struct pace *p, int rate, size_t n)
{
    if (!p->since) p->since = cf_mono_ms();
    cf_ms due = p->since + p->done * 1000 / rate;
    p->done += (long)n;
    while (cf_mono_ms() < due)
        usleep(1000);
}
