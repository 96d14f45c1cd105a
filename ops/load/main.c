/* cardflow-load -- a city's worth of invented persons: enrols them, applies for them through the
 * command topic, and watches card.events until every card is activated. Used by ops/bench.
 *
 * Prints one JSON object: seconds, rates of the first and last tenth, latencies.
 */
#include "common/io/clock.h"
#include "common/io/conf.h"
#include "common/io/ids.h"
#include "common/io/kafka_conf.h"
#include "common/io/seal.h"
#include "common/io/stage/stage.h"
#include "common/pure/hash.h"

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/enrolment.pb-c.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct load_settings {
#define CONF CF_CONF_FIELD
#include "ops/load/conf.def"
#undef CONF
};

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct load_settings, __VA_ARGS__)
#include "ops/load/conf.def"
#undef CONF
};

static const struct cf_conf_table table = {"cardflow-load", "invented persons and applications",
                                           rows, sizeof rows / sizeof *rows,
                                           sizeof(struct load_settings)};

struct load {
    struct load_settings conf;
    struct cf_seal_ring *ring;
    struct cf_arena *arena;
    rd_kafka_t *producer, *consumer;
    struct unsent *unsent;
    uint64_t *ids;    /* hash of application ids and card numbers -> number + 1 */
    uint32_t *slots;
    size_t mask;
    cf_ms *sent, *done;
    long n_done;
};

enum { FLUSH_MS = 60000 };

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "cardflow-load: %s: %s\n", what, why);
    exit(1);
}

static cf_ms mono(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (cf_ms)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- persons -------------------------------------------------------------------------------- */

struct person {
    char number[19], name[16], birth[12], phone[12], address[64];
};

/* The i-th invented person: sequence codes 900 to 995 do not clash with real ones. */
static void person_make(uint32_t i, struct person *p)
{
    static const char *const given[] = {"安", "博", "晨", "丹", "恩", "帆", "光", "浩",
                                        "佳", "凯", "兰", "明", "宁", "平", "琪", "瑞"};
    cf_day day = cf_day_of_date(1950, 1, 1) + (cf_day)(i / 96);
    struct cf_date date = cf_date_of_day(day);
    snprintf(p->number, sizeof p->number, "370202%04u%02u%02u%03u",
             (unsigned)date.year % 10000, (unsigned)date.month % 100, (unsigned)date.day % 100,
             900 + i % 96);
    p->number[17] = cf_gb11643_check(p->number);
    p->number[18] = 0;
    snprintf(p->name, sizeof p->name, "李%s%s", given[i % 16], given[i / 16 % 16]);
    cf_day_text(day, p->birth);
    snprintf(p->phone, sizeof p->phone, "199%08u", i % 100000000);
    snprintf(p->address, sizeof p->address, "青岛市市南区示例路%u号", i % 997 + 1);
}

/* Its reference, and it sealed for it. */
static struct cf_str person_seal(struct load *l, const struct person *p, struct cf_key *key)
{
    Cardflow__V1__Person m = CARDFLOW__V1__PERSON__INIT;
    uint8_t ref[CF_REF_LEN];
    struct cf_str sealed;
    static char type[] = "resident_id", male[] = "male", female[] = "female";
    m.document_type = type;
    m.document_number = (char *)(uintptr_t)p->number;
    m.name = (char *)(uintptr_t)p->name;
    m.sex = (p->number[16] - '0') % 2 ? male : female;
    m.birth_date = (char *)(uintptr_t)p->birth;
    m.phone = (char *)(uintptr_t)p->phone;
    m.address = (char *)(uintptr_t)p->address;
    if (!cf_holder_ref(l->ring, CF_DOC_RESIDENT_ID, cf_str_of(p->number), ref))
        die("person", "number has no reference");
    *key = cf_key_holder(ref);
    if (cf_seal(l->ring, cf_pack(l->arena, &m.base), cf_key_str(key), 1, l->arena, &sealed))
        die("person", "cannot be sealed");
    return sealed;
}

/* The same persons as the list of a unit. */
static void roster(const struct load *l)
{
    puts("name,document_type,document_number,sex,birth_date,phone,address,unit_code");
    for (int64_t i = 0; i < l->conf.count; i++) {
        struct person p;
        person_make((uint32_t)(l->conf.first + i), &p);
        printf("%s,resident_id,%s,%s,%s,%s,%s,U370200099\n", p.name, p.number,
               (p.number[16] - '0') % 2 ? "male" : "female", p.birth, p.phone, p.address);
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

/* A message that was not acknowledged, to be sent again: whoever has it already knows it by its id. */
struct unsent {
    struct unsent *next;
    const char *topic;
    int32_t part;
    int64_t at;
    rd_kafka_headers_t *headers;
    size_t key_len, len;
    char bytes[]; /* key, value */
};

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg)
{
    struct load *l = arg;
    rd_kafka_headers_t *headers;
    (void)rk;
    if (!m->err) return;
    struct unsent *u = cf_malloc(sizeof *u + m->key_len + m->len);
    if (rd_kafka_message_headers(m, &headers)) die("produce", "a message without headers");
    *u = (struct unsent){.next = l->unsent,
                         .topic = m->_private,
                         .part = m->partition,
                         .at = rd_kafka_message_timestamp(m, NULL),
                         .headers = rd_kafka_headers_copy(headers),
                         .key_len = m->key_len,
                         .len = m->len};
    memcpy(u->bytes, m->key, m->key_len);
    memcpy(u->bytes + m->key_len, m->payload, m->len);
    l->unsent = u;
}

static void make_producer(struct load *l)
{
    const cf_kafka_setting settings[] = {{"enable.idempotence", "true"},
                                         {"linger.ms", l->conf.rate ? "0" : "5"},
                                         {"queue.buffering.max.messages", "200000"},
                                         {0}};
    char why[256];
    rd_kafka_conf_t *conf = cf_kafka_conf(l->conf.kafka_brokers, settings);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, l);
    l->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!l->producer) die("producer", why);
    /* Known before the first message, which else waits up to a second for it. */
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_resp_err_t err = rd_kafka_metadata(l->producer, 1, NULL, &md, 10000);
    if (err) die("metadata", rd_kafka_err2name(err));
    rd_kafka_metadata_destroy(md);
}

static void producer_again(struct load *l);

/* Takes the headers. */
static void produce(struct load *l, const char *topic, int32_t part, int64_t at, struct cf_str key,
                    struct cf_str value, rd_kafka_headers_t *headers)
{
    for (;;) {
        rd_kafka_resp_err_t err = rd_kafka_producev(
            l->producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(part),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY((void *)(uintptr_t)key.ptr, key.len),
            RD_KAFKA_V_VALUE((void *)(uintptr_t)value.ptr, value.len), RD_KAFKA_V_TIMESTAMP(at),
            RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE((void *)(uintptr_t)topic),
            RD_KAFKA_V_END);
        if (!err) return;
        if (err == RD_KAFKA_RESP_ERR__FATAL)
            producer_again(l);
        else if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            die("produce", rd_kafka_err2name(err));
        rd_kafka_poll(l->producer, 20);
    }
}

/* An idempotent producer whose numbers have come out of order (a leader that has lost records) takes
 * nothing more: another one sends what was not acknowledged. */
static void producer_again(struct load *l)
{
    rd_kafka_purge(l->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(l->producer, FLUSH_MS);
    rd_kafka_destroy(l->producer);
    make_producer(l);
    struct unsent *list = l->unsent, *next;
    l->unsent = NULL;
    for (; list; list = next) {
        next = list->next;
        struct cf_str value = {list->bytes + list->key_len, list->len};
        produce(l, list->topic, list->part, list->at, (struct cf_str){list->bytes, list->key_len},
                value, list->headers);
        free(list);
    }
}

/* topic: a literal. */
static void send_message(struct load *l, const char *topic, const char *type,
                         const struct cf_key *key, const uint8_t id[16], struct cf_str value)
{
    char text[37], at[30];
    cf_uuid_text(id, text);
    cf_rfc3339_text(cf_now_ms(), at);
    const char *const pairs[][2] = {{"ce_id", text},
                                    {"ce_type", type},
                                    {"ce_time", at},
                                    {"ce_source", "load"},
                                    {"ce_specversion", "1.0"}};
    rd_kafka_headers_t *headers = rd_kafka_headers_new(5);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        rd_kafka_header_add(headers, pairs[i][0], -1, pairs[i][1], -1);
    int32_t part = (int32_t)cf_key_partition(key, (uint32_t)l->conf.partitions);
    produce(l, topic, part, cf_now_ms(), cf_key_str(key), value, headers);
}

static void flush(struct load *l)
{
    cf_ms until = mono() + FLUSH_MS;
    do {
        bool all = !rd_kafka_flush(l->producer, FLUSH_MS / 100);
        if (l->unsent || rd_kafka_fatal_error(l->producer, NULL, 0))
            producer_again(l);
        else if (all)
            return;
    } while (mono() < until);
    die("produce", "not acknowledged");
}

static void enrol(struct load *l)
{
    for (int i = 0; i < l->conf.count; i++) {
        Cardflow__V1__EnrolmentEvent m = CARDFLOW__V1__ENROLMENT_EVENT__INIT;
        Cardflow__V1__EnrolmentEvent__Enrolment e =
            CARDFLOW__V1__ENROLMENT_EVENT__ENROLMENT__INIT;
        static char unit[] = "U370200001";
        struct person p;
        struct cf_key key;
        uint8_t id[16];
        cf_arena_reset(l->arena);
        person_make((uint32_t)(l->conf.first + i), &p);
        e.person = cf_data(person_seal(l, &p, &key));
        e.revision = 1;
        e.unit_code = unit;
        m.body_case = CARDFLOW__V1__ENROLMENT_EVENT__BODY_REGISTERED;
        m.registered = &e;
        cf_uuid4(id);
        send_message(l, "cardflow.enrolment.events.v1", "enrolment.registered", &key, id,
             cf_pack(l->arena, &m.base));
        if (i % 1024 == 0) rd_kafka_poll(l->producer, 0);
    }
    flush(l);
    printf("{\"enrolled\": %d}\n", l->conf.count);
}

/* ---- applying and watching ------------------------------------------------------------------- */

static void keep_id(struct load *l, const void *id, size_t len, uint32_t number)
{
    uint64_t h = cf_hash64(id, len);
    size_t i = h & l->mask;
    while (l->slots[i])
        i = (i + 1) & l->mask;
    l->ids[i] = h;
    l->slots[i] = number + 1;
}

static long find_id(const struct load *l, const void *id, size_t len)
{
    uint64_t h = cf_hash64(id, len);
    for (size_t i = h & l->mask; l->slots[i]; i = (i + 1) & l->mask)
        if (l->ids[i] == h) return (long)l->slots[i] - 1;
    return -1;
}

static void apply_one(struct load *l, uint32_t i)
{
    static char channel[] = "bank_outlet", kind[] = "first_issue", police[] = "public_security",
                upload[] = "upload";
    Cardflow__V1__ApplicationCommand m = CARDFLOW__V1__APPLICATION_COMMAND__INIT;
    Cardflow__V1__ApplicationCommand__Submit s = CARDFLOW__V1__APPLICATION_COMMAND__SUBMIT__INIT;
    char request[32], bank[16], outlet[24];
    uint8_t id[16], photo[16];
    struct person p;
    struct cf_key key;
    cf_arena_reset(l->arena);
    person_make((uint32_t)l->conf.first + i, &p);
    snprintf(request, sizeof request, "load-%u", (unsigned)l->conf.first + i);
    snprintf(bank, sizeof bank, "B%02d", (int)(i % (uint32_t)l->conf.banks) + 1);
    snprintf(outlet, sizeof outlet, "%s001", bank);
    cf_uuid8_of(id, CF_STR("load"), cf_str_of(request));
    s.application_id = cf_data_id(id);
    s.request_id = request;
    s.channel = channel;
    s.kind = kind;
    s.person = cf_data(person_seal(l, &p, &key));
    s.bank_code = bank;
    s.outlet_code = outlet;
    s.photo_choice = police;
    if (!strcmp(l->conf.photos, "on-file")) {
        cf_uuid8_of(photo, CF_STR("load photo"), cf_str_of(request));
        s.photo_choice = upload;
        s.photo_ref = cf_data_id(photo);
    }
    s.submitted_at_ms = cf_now_ms();
    m.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUBMIT;
    m.submit = &s;
    keep_id(l, id, 16, i);
    l->sent[i] = mono();
    send_message(l, "cardflow.application.commands.v1", "application.submit", &key, id,
         cf_pack(l->arena, &m.base));
}

static void make_consumer(struct load *l)
{
    static const cf_kafka_setting settings[] = {{"group.id", "cardflow-load"},
                                                {"enable.auto.commit", "false"},
                                                {"fetch.wait.max.ms", "100"},
                                                {"queued.min.messages", "1000000"},
                                                {"queued.max.messages.kbytes", "32768"},
                                                {0}};
    char why[256];
    l->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, cf_kafka_conf(l->conf.kafka_brokers, settings),
                               why, sizeof why);
    if (!l->consumer) die("consumer", why);
    rd_kafka_poll_set_consumer(l->consumer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(l->conf.partitions);
    for (int i = 0; i < l->conf.partitions; i++) {
        int64_t low, high;
        rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(
            l->consumer, "cardflow.card.events.v1", i, &low, &high, 10000);
        if (err) die("card.events", rd_kafka_err2name(err));
        rd_kafka_topic_partition_list_add(list, "cardflow.card.events.v1", i)->offset = high;
    }
    rd_kafka_resp_err_t err = rd_kafka_assign(l->consumer, list);
    if (err) die("assign", rd_kafka_err2name(err));
    rd_kafka_topic_partition_list_destroy(list);
}

static bool is_type(const rd_kafka_message_t *m, const char *want)
{
    rd_kafka_headers_t *h;
    const void *v;
    size_t n;
    return !rd_kafka_message_headers(m, &h) && !rd_kafka_header_get_last(h, "ce_type", &v, &n) &&
           n == strlen(want) && !memcmp(v, want, n);
}

static void see(struct load *l, const rd_kafka_message_t *m)
{
    if (m->err || !is_type(m, "card.changed")) return;
    cf_arena_reset(l->arena);
    const Cardflow__V1__CardEvent *e = cf_unpack(l->arena, &cardflow__v1__card_event__descriptor,
                                                 (struct cf_str){m->payload, m->len});
    if (!e || !e->card_changed) return;
    /* A card is made for an application, and activated by an operation on the card. */
    if (!strcmp(e->card_changed->state, "sealed") && e->application_id.len == 16) {
        long made = find_id(l, e->application_id.data, 16);
        if (made >= 0) keep_id(l, e->card_no, strlen(e->card_no), (uint32_t)made);
    }
    if (strcmp(e->card_changed->state, "normal")) return;
    long i = find_id(l, e->card_no, strlen(e->card_no));
    if (i < 0 || l->done[i]) return;
    l->done[i] = mono();
    l->n_done++;
}

static void watch(struct load *l, int wait_ms)
{
    rd_kafka_message_t *m = rd_kafka_consumer_poll(l->consumer, wait_ms);
    for (; m; m = rd_kafka_consumer_poll(l->consumer, 0)) {
        see(l, m);
        rd_kafka_message_destroy(m);
    }
}

static int by_time(const void *a, const void *b)
{
    cf_ms x = *(const cf_ms *)a, y = *(const cf_ms *)b;
    return (x > y) - (x < y);
}

static double rate(const cf_ms *done, long from, long to)
{
    double ms = (double)(done[to - 1] - done[from]);
    return ms > 0 ? 1000.0 * (double)(to - from - 1) / ms : 0;
}

static void report(struct load *l, cf_ms began, cf_ms produced)
{
    long n = l->n_done, tenth = n / 10;
    cf_ms *took = cf_calloc((size_t)n + 1, sizeof *took), last = began;
    long k = 0;
    for (long i = 0; i < l->conf.count; i++)
        if (l->done[i]) {
            took[k++] = l->done[i] - l->sent[i];
            if (l->done[i] > last) last = l->done[i];
        }
    qsort(took, (size_t)n, sizeof *took, by_time);
    qsort(l->done, (size_t)l->conf.count, sizeof *l->done, by_time);
    const cf_ms *done = l->done + (l->conf.count - n);
    printf("{\"applications\": %d, \"activated\": %ld, \"seconds\": %.3f, "
           "\"produced_seconds\": %.3f, \"applications_per_second\": %.1f",
           l->conf.count, n, (double)(last - began) / 1000, (double)(produced - began) / 1000,
           1000.0 * (double)n / (double)(last > began ? last - began : 1));
    if (tenth > 1)
        printf(", \"first_tenth_rate\": %.1f, \"last_tenth_rate\": %.1f", rate(done, 0, tenth),
               rate(done, n - tenth, n));
    if (n)
        printf(", \"p50_ms\": %lld, \"p99_ms\": %lld", (long long)took[n / 2],
               (long long)took[n * 99 / 100]);
    printf("}\n");
    free(took);
}

static int apply(struct load *l)
{
    size_t n = (size_t)l->conf.count, cap = 1024;
    while (cap < 4 * n)
        cap *= 2;
    l->mask = cap - 1;
    l->ids = cf_calloc(cap, sizeof *l->ids);
    l->slots = cf_calloc(cap, sizeof *l->slots);
    l->sent = cf_calloc(n, sizeof *l->sent);
    l->done = cf_calloc(n, sizeof *l->done);
    make_consumer(l);
    cf_ms began = mono(), until = began + l->conf.timeout;
    for (uint32_t i = 0; i < n; i++) {
        while (l->conf.rate && mono() < began + (cf_ms)i * 1000 / l->conf.rate)
            watch(l, 1);
        apply_one(l, i);
        if (i % 256 == 0) rd_kafka_poll(l->producer, 0);
        if (i % 256 == 0) watch(l, 0);
    }
    flush(l);
    cf_ms produced = mono();
    while (l->n_done < l->conf.count && mono() < until)
        watch(l, 50);
    report(l, began, produced);
    return l->n_done == l->conf.count ? 0 : 1;
}

static void load_free(struct load *l)
{
    rd_kafka_destroy(l->producer);
    if (l->consumer) rd_kafka_destroy(l->consumer);
    cf_arena_free(l->arena);
    cf_seal_ring_free(l->ring);
    free(l->ids);
    free(l->slots);
    free(l->sent);
    free(l->done);
}

int main(int argc, char **argv)
{
    struct load l = {0};
    char why[CF_SEAL_WHY];
    enum cf_conf_end end = cf_conf_load(&table, &l.conf, argc, argv, environ, stdout, stderr);
    if (end != CF_CONF_RUN) return end == CF_CONF_EXIT ? 0 : 2;
    if (!strcmp(l.conf.what, "roster")) { /* needs neither keys nor brokers */
        roster(&l);
        return 0;
    }
    if (cf_seal_ring_load(l.conf.reference_key_file, l.conf.sealing_key_file, &l.ring, why))
        die("keys", why);
    l.arena = cf_arena_new(64u << 20);
    make_producer(&l);
    int code = 0;
    if (!strcmp(l.conf.what, "enrol"))
        enrol(&l);
    else if (!strcmp(l.conf.what, "apply"))
        code = apply(&l);
    else
        die("--what", "enrol, apply or roster");
    load_free(&l);
    cf_conf_free(&table, &l.conf);
    return code;
}
