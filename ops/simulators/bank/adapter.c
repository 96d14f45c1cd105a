/* Kafka: orders in, answers and activations out. */
#include "cardflow/v1/card.pb-c.h"
#include "common/io/clock.h"
#include "common/io/kafka_conf.h"
#include "common/io/log.h"
#include "common/io/stage/stage.h"
#include "common/pure/hash.h"
#include "ops/simulators/bank/bank.h"

#include <stdio.h>

#define ORDERS "cardflow.bank.orders.v1"
#define RESULTS "cardflow.bank.results.v1"
#define COMMANDS "cardflow.card.commands.v1"

enum { METADATA_MS = 60000, QUEUE_TRIES = 600, QUEUE_WAIT_MS = 100 };

/* ---- making -------------------------------------------------------------------------------- */

static rd_kafka_t *make(rd_kafka_type_t type, const char *brokers, const cf_kafka_setting *settings)
{
    char why[256];
    rd_kafka_conf_t *conf = cf_kafka_conf(brokers, settings);
    rd_kafka_conf_set_log_cb(conf, cf_kafka_log);
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
    if (!rk) {
        cf_log(LOG_ERROR, "bank.kafka_client", F("why", why));
        rd_kafka_conf_destroy(conf);
    }
    return rk;
}

/* Asks until the broker knows the topic: a stack starts its programs at the same time. */
static int wait_for_topics(rd_kafka_t *rk)
{
    const struct rd_kafka_metadata *meta;
    cf_ms until = cf_mono_ms() + METADATA_MS;
    while (cf_mono_ms() < until) {
        if (rd_kafka_metadata(rk, 1, NULL, &meta, 1000) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            bool found = false;
            for (int i = 0; i < meta->topic_cnt; i++)
                found = found || !strcmp(meta->topics[i].topic, ORDERS);
            rd_kafka_metadata_destroy(meta);
            if (found) return 0;
        }
    }
    cf_log(LOG_ERROR, "bank.no_topic", F("topic", ORDERS), F("cure", "create the topics first"));
    return CF_E_CONFIG;
}

/* From where the group stands; without a place from the beginning. No group is joined: this is the
 * only reader, and joining would take seconds. */
static int assign(struct bank *b)
{
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new((int)b->partitions);
    for (uint32_t i = 0; i < b->partitions; i++)
        rd_kafka_topic_partition_list_add(all, ORDERS, (int32_t)i);
    rd_kafka_resp_err_t e = rd_kafka_committed(b->consumer, all, METADATA_MS);
    for (int i = 0; i < all->cnt; i++)
        if (e || all->elems[i].offset < 0) all->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
    e = rd_kafka_assign(b->consumer, all);
    rd_kafka_topic_partition_list_destroy(all);
    if (e) cf_log(LOG_ERROR, "bank.assign", F("why", rd_kafka_err2str(e)));
    return e ? CF_E_NET : 0;
}

int bank_start(struct bank *b, const char *brokers, const char *group)
{
    const cf_kafka_setting consumer[] = {
        {"group.id",                   group     },
        {"enable.auto.commit",         "false"   },
        {"enable.auto.offset.store",   "false"   },
        {"auto.offset.reset",          "earliest"},
        {"queued.min.messages",        "1000000" },
        {"queued.max.messages.kbytes", "16384"   },
        {"fetch.wait.max.ms",          "100"     },
        {NULL,                         NULL      }
    };
    static const cf_kafka_setting producer[] = {
        {"enable.idempotence",           "true"  },
        {"acks",                         "all"   },
        {"linger.ms",                    "5"     },
        {"socket.nagle.disable",         "true"  },
        {"message.timeout.ms",           "0"     },
        {"queue.buffering.max.messages", "200000"},
        {"queue.buffering.max.kbytes",   "65536" },
        {NULL,                           NULL    }
    };
    b->consumer = make(RD_KAFKA_CONSUMER, brokers, consumer);
    b->producer = make(RD_KAFKA_PRODUCER, brokers, producer);
    if (!b->consumer || !b->producer) return CF_E_CONFIG;
    rd_kafka_poll_set_consumer(b->consumer);
    int e = wait_for_topics(b->producer);
    if (!e) e = assign(b);
    if (!e && pthread_create(&b->thread, NULL, bank_work, b)) e = CF_E_CONFIG;
    return e;
}

void bank_stop(struct bank *b)
{
    if (b->thread) {
        atomic_store(&b->stop, true);
        pthread_join(b->thread, NULL);
    }
    if (b->producer) {
        rd_kafka_flush(b->producer, 2000);
        rd_kafka_destroy(b->producer);
    }
    if (b->consumer) {
        rd_kafka_consumer_close(b->consumer);
        rd_kafka_destroy(b->consumer);
    }
}

/* ---- sending ------------------------------------------------------------------------------- */

/* The same answer always has the same id, so that a repeat is known as one. */
static void id_of(const struct bank_line *line, const char *what, uint8_t id[16])
{
    uint64_t h[2];
    h[0] = cf_hash64_seed(line->app_id, 16, 1);
    h[0] = cf_hash64_seed(line->card_no, strlen(line->card_no), h[0]);
    h[0] = cf_hash64_seed(what, strlen(what), h[0]);
    h[1] = cf_hash64_seed(line->app_id, 16, ~h[0]);
    memcpy(id, h, 16);
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x80); /* version 8, variant of RFC 9562 */
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}

static bool produce(struct bank *b, const char *topic, const struct bank_line *line,
                    const char *type, const uint8_t id[16], struct cf_str value)
{
    char id_text[37], now[30];
    int32_t part = (int32_t)cf_partition_of(line->routing_key, 16, b->partitions);
    cf_uuid_text(id, id_text);
    cf_rfc3339_text(cf_now_ms(), now);
    for (int i = 0; i < QUEUE_TRIES && !atomic_load(&b->stop); i++) {
        rd_kafka_resp_err_t e = rd_kafka_producev(
            b->producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(part),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY((void *)(uintptr_t)line->routing_key, 16),
            RD_KAFKA_V_VALUE((void *)(uintptr_t)value.ptr, value.len),
            RD_KAFKA_V_TIMESTAMP(cf_now_ms()), RD_KAFKA_V_HEADER("ce_id", id_text, 36),
            RD_KAFKA_V_HEADER("ce_type", type, -1), RD_KAFKA_V_HEADER("ce_source", "sim-bank", 8),
            RD_KAFKA_V_HEADER("ce_time", now, -1), RD_KAFKA_V_HEADER("ce_specversion", "1.0", 3),
            RD_KAFKA_V_END);
        if (e == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
        if (e != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            cf_log(LOG_ERROR, "bank.cannot_send", F("why", rd_kafka_err2str(e)));
            return false;
        }
        rd_kafka_poll(b->producer, QUEUE_WAIT_MS);
    }
    return false;
}

static char *lit(const char *z)
{
    return (char *)(uintptr_t)z; /* protobuf-c only reads it */
}

static struct cf_str pack_result(struct cf_arena *a, const struct bank_line *line, const char *step,
                                 const char *reason, int64_t fee_cents, const uint8_t *notice_id,
                                 const uint8_t id[16])
{
    Cardflow__V1__BankResult r;
    cardflow__v1__bank_result__init(&r);
    Cardflow__V1__Fee fee, *fees[1] = {&fee};
    cardflow__v1__fee__init(&fee);
    r.result_id = cf_data_id(id);
    r.bank_code = lit(line->code);
    r.card_no = lit(line->card_no);
    r.step = lit(step);
    r.reason = lit(reason ? reason : "");
    r.at_ms = cf_now_ms();
    if (notice_id) {
        r.notice_id = cf_data_id(notice_id);
    } else {
        r.batch_id = cf_data_id(line->batch_id);
        r.line_no = line->line_no;
        r.application_id = cf_data_id(line->app_id);
    }
    if (fee_cents > 0) {
        fee.type = lit("card");
        fee.amount_cents = fee_cents;
        r.n_fees = 1;
        r.fees = fees;
    }
    return cf_pack(a, &r.base);
}

bool bank_send_answer(struct bank *b, struct cf_arena *a, const struct bank_answer *answer)
{
    uint8_t id[16];
    id_of(&answer->line, answer->step, id);
    return produce(
        b, RESULTS, &answer->line, "bank.result", id,
        pack_result(a, &answer->line, answer->step, answer->reason, answer->fee_cents, NULL, id));
}

bool bank_send_acknowledgement(struct bank *b, struct cf_arena *a, const struct bank_line *line,
                               const uint8_t notice_id[16])
{
    return produce(b, RESULTS, line, "bank.result", notice_id,
                   pack_result(a, line, "notice_acknowledged", NULL, 0, notice_id, notice_id));
}

bool bank_send_activate(struct bank *b, struct cf_arena *a, const struct bank_line *line)
{
    Cardflow__V1__CardCommand c;
    cardflow__v1__card_command__init(&c);
    Cardflow__V1__Operator op;
    cardflow__v1__operator__init(&op);
    uint8_t id[16];
    id_of(line, "activate", id);
    c.operation_id = cf_data_id(id);
    c.operation = lit("activate");
    c.card_no = lit(line->card_no);
    c.channel = lit("bank_outlet");
    c.actor_role = lit("holder");
    op.bank_code = lit(line->code);
    op.staff_id = lit("sim");
    c.operator_ = &op;
    c.requested_at_ms = cf_now_ms();
    return produce(b, COMMANDS, line, "card.operation", id, cf_pack(a, &c.base));
}
