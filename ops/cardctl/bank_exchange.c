#include "ops/cardctl/bank_exchange.h"

#include "common/io/clock.h"
#include "common/io/kafka_conf.h"
#include "common/pure/keys.h"

#include <stdlib.h>

#define ORDERS "cardflow.bank.orders.v1"

enum { CALL_MS = 10000, STATE_MAX = 1 << 20 };

/* ---- options --------------------------------------------------------------------------------- */

int bank_exchange_open(struct bank_exchange *x, int argc, char **argv)
{
    const char *bank = cardctl_needed(argc, argv, "--bank", NULL);
    const char *dir = cardctl_needed(argc, argv, "--dir", NULL);
    x->folder.dir = x->folder.lock = -1;
    x->filter = (struct filter){.service = "production"};
    x->filter.brokers = cardctl_needed(argc, argv, "--brokers", "CARDFLOW_KAFKA_BROKERS");
    x->filter.operator = cardctl_needed(argc, argv, "--operator", NULL);
    x->filter.purpose = cardctl_needed(argc, argv, "--purpose", NULL);
    if (!bank || !dir || !x->filter.brokers || !x->filter.operator || !x->filter.purpose) return 2;
    if (!bank_code_good(cf_str_of(bank))) {
        fprintf(stderr, "cardctl: --bank must be 1 to 20 letters, digits, - and _\n");
        return 2;
    }
    if (!bank_folder_open(&x->folder, dir, cf_str_of(bank))) return 1;
    x->producer = operate_producer(&x->filter);
    return x->producer ? 0 : 1;
}

void bank_exchange_close(struct bank_exchange *x)
{
    if (x->producer) rd_kafka_destroy(x->producer);
    bank_folder_close(&x->folder);
}

bool bank_exchange_audit(struct bank_exchange *x, const char *action, size_t lines)
{
    struct cf_key key;
    if (!cf_key_bank(x->folder.bank, &key)) return false;
    return operate_audit(x->producer, &x->filter, action, cf_key_str(&key), "bank files", 0, lines);
}

/* ---- the place ------------------------------------------------------------------------------- */

static void place_name(const struct bank_exchange *x, char name[64])
{
    snprintf(name, 64, ".place-%.*s.json", CF_ARG(x->folder.bank));
}

static bool take_place(struct bank_place *p, const json_t *root)
{
    const char *source;
    json_t *last;
    json_t *sources = json_object_get(root, "sources");
    p->next = json_integer_value(json_object_get(root, "next"));
    p->to = json_integer_value(json_object_get(root, "to"));
    json_object_foreach(sources, source, last)
    {
        if (p->n_sources == BANK_SOURCES || strlen(source) >= BANK_SOURCE_MAX) return false;
        strcpy(p->sources[p->n_sources], source);
        p->last[p->n_sources++] = json_integer_value(last);
    }
    p->known = true;
    return json_is_object(sources) && json_is_integer(json_object_get(root, "next")) &&
           p->to >= p->next;
}

bool bank_place_read(struct bank_exchange *x)
{
    char name[64];
    struct cf_json_error wrong;
    struct cf_buf text;
    place_name(x, name);
    cf_buf_init(&text, STATE_MAX);
    if (!bank_folder_read(&x->folder, name, &text)) {
        cf_buf_free(&text);
        return true; /* the first export */
    }
    json_t *root = cf_json_parse(cf_buf_str(&text), &wrong);
    bool good = root && take_place(&x->place, root);
    json_decref(root);
    cf_buf_free(&text);
    return good || cardctl_fail(name, "cannot be read: take it from a backup") == 0;
}

bool bank_place_write(const struct bank_exchange *x)
{
    char name[64];
    struct cf_buf text;
    place_name(x, name);
    cf_buf_init(&text, STATE_MAX);
    struct cf_out o = cf_out_to(&text);
    cf_out_object(&o, NULL);
    cf_out_int(&o, "next", x->place.next);
    cf_out_int(&o, "to", x->place.to);
    cf_out_object(&o, "sources");
    for (size_t i = 0; i < x->place.n_sources; i++)
        cf_out_int(&o, x->place.sources[i], x->place.last[i]);
    cf_out_end(&o);
    cf_out_end(&o);
    bool good = !text.full && bank_folder_write(&x->folder, name, cf_buf_str(&text));
    cf_buf_free(&text);
    return good;
}

static size_t source_of(struct bank_place *p, struct cf_str source)
{
    size_t i = 0;
    while (i < p->n_sources && !cf_str_is(source, p->sources[i]))
        i++;
    if (i < p->n_sources) return i;
    if (i == BANK_SOURCES || source.len >= BANK_SOURCE_MAX) return BANK_SOURCES;
    memcpy(p->sources[i], source.ptr, source.len);
    p->sources[i][source.len] = 0;
    p->last[i] = 0;
    p->n_sources++;
    return i;
}

struct bank_step bank_step_of(struct bank_exchange *x, const struct bank_record *r)
{
    return (struct bank_step){r->offset, r->no, source_of(&x->place, r->source)};
}

/* ---- bank.orders ----------------------------------------------------------------------------- */

static int partitions_of(rd_kafka_t *rk)
{
    const struct rd_kafka_metadata *md;
    int n = 0;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, ORDERS, NULL);
    if (rd_kafka_metadata(rk, 0, topic, &md, CALL_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (md->topic_cnt == 1 && !md->topics[0].err) n = md->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(md);
    }
    rd_kafka_topic_destroy(topic);
    if (n == 0) cardctl_fail(ORDERS, "there is no such topic, or no broker answers");
    return n;
}

bool bank_orders_open(struct bank_orders *o, struct bank_exchange *x)
{
    static const cf_kafka_setting settings[] = {{"group.id", "cardctl"},
                                              {"enable.auto.commit", "false"},
                                              {"enable.partition.eof", "true"},
                                              {"log_level", "2"},
                                              {"client.id", "cardctl"},
                                              {0}};
    struct cf_key key;
    if (!cf_key_bank(x->folder.bank, &key) || !bank_place_read(x)) return false;
    o->consumer = cardctl_kafka(RD_KAFKA_CONSUMER, cf_kafka_conf(x->filter.brokers, settings));
    int n = o->consumer ? partitions_of(o->consumer) : 0;
    if (n == 0) return false;
    o->part = (int32_t)cf_key_partition(&key, (uint32_t)n);
    if (rd_kafka_query_watermark_offsets(o->consumer, ORDERS, o->part, &o->low, &o->high, CALL_MS))
        return cardctl_fail(ORDERS, "its ends cannot be read") == 0;
    if (!x->place.known) x->place.next = x->place.to = o->low;
    if (x->place.next >= o->low && x->place.next <= o->high) return true;
    return cardctl_fail(ORDERS, "the log does not hold the place of the last export any more: "
                                "orders may be lost, a person must look") == 0;
}

void bank_orders_close(struct bank_orders *o)
{
    if (!o->consumer) return;
    rd_kafka_consumer_close(o->consumer);
    rd_kafka_destroy(o->consumer);
}

static int64_t number_of(struct cf_str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.len && i < 18 && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
        n = 10 * n + (s.ptr[i] - '0');
    return n;
}

/* seen[]: the newest number of each source in this reading. */
static bool is_repeat(struct bank_exchange *x, const struct bank_record *r, int64_t *seen,
                      const char **why)
{
    if (!r->source.len) return false;
    size_t i = source_of(&x->place, r->source);
    if (i == BANK_SOURCES) {
        *why = "more writers than there can be";
        return true;
    }
    int64_t last = seen[i] > x->place.last[i] ? seen[i] : x->place.last[i];
    if (r->no <= last) return true;
    if (last && r->no > last + 1) *why = "the log has lost records before this one";
    seen[i] = r->no;
    return false;
}

static bool assign(struct bank_orders *o, int64_t from)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, ORDERS, o->part)->offset = from;
    rd_kafka_resp_err_t e = rd_kafka_assign(o->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return !e || cardctl_fail(ORDERS, rd_kafka_err2str(e)) == 0;
}

static bool hand(struct bank_exchange *x, const rd_kafka_message_t *m, int64_t *seen,
                 bool (*each)(void *arg, const struct bank_record *r), void *arg)
{
    struct cf_key key;
    const char *why = NULL;
    struct bank_record r = {.offset = m->offset,
                            .no = number_of(operate_header(m, "cf_no")),
                            .value = {m->payload, m->len},
                            .source = operate_header(m, "cf_src")};
    r.ours = cf_key_bank(x->folder.bank, &key) &&
             cf_str_eq(cf_key_str(&key), (struct cf_str){m->key, m->key_len});
    bool repeat = is_repeat(x, &r, seen, &why);
    if (why) return cardctl_fail(ORDERS, why) == 0;
    return repeat || each(arg, &r);
}

int64_t bank_orders_read(struct bank_orders *o, struct bank_exchange *x, int64_t limit, size_t most,
                         bool (*each)(void *arg, const struct bank_record *r), void *arg)
{
    int64_t at = x->place.next, seen[BANK_SOURCES] = {0};
    bool good = at >= limit || assign(o, at);
    cf_ms until = cf_mono_ms() + CALL_MS;
    for (size_t n = 0; good && at < limit && n < most;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(o->consumer, 200);
        if (!m && cf_mono_ms() > until) good = cardctl_fail(ORDERS, "no answer") == 0;
        if (!m) continue;
        until = cf_mono_ms() + CALL_MS;
        if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            at = m->offset > at ? m->offset : at;
        } else if (m->err) {
            good = cardctl_fail(ORDERS, rd_kafka_err2str(m->err)) == 0;
        } else if (m->offset < limit) {
            good = hand(x, m, seen, each, arg);
            at = m->offset + 1;
            n++;
        } else {
            at = limit;
        }
        rd_kafka_message_destroy(m);
    }
    return good ? at : -1;
}
