/* The worker: takes orders and plays each line step by step. */
#include "cardflow/v1/card.pb-c.h"
#include "common/io/clock.h"
#include "common/io/ids.h"
#include "common/io/log.h"
#include "common/io/stage/stage.h"
#include "ops/simulators/bank/bank.h"

#include <stdlib.h>

enum { BATCH = 2000, IDLE_MS = 20, COMMIT_MS = 1000, ARENA = 64 << 20, BANKS = 64 };

const char *const bank_step_names[BANK_STEPS] = {"account_opened", "produced",  "shipped",
                                                 "arrived",        "collected", "activate"};
const char *const bank_notice_answer_names[BANK_NOTICE_ANSWERS] = {"acknowledged", "double", "late",
                                                                   "silent"};

/* A line on its way. */
struct job {
    cf_ms due;
    uint64_t no; /* lines that are due together go in the order in which they came */
    enum bank_step next;
    struct bank_line line;
    bool notice; /* no line: a card notice that is acknowledged late */
    uint8_t notice_id[16];
};

/* The batch of a bank that is being read, for its manifest. */
struct reading {
    char code[24];
    uint8_t batch_id[16];
    struct cf_buf bytes;
    uint32_t lines;
};

struct worker {
    struct bank *b;
    struct cf_arena *arena;
    struct bank_behaviour how; /* as it stands this turn */
    struct bank_stats done;    /* of this turn */
    struct job *jobs;          /* a heap by (due, no) */
    size_t n_jobs, cap_jobs;
    struct job *held;
    size_t n_held, cap_held;
    uint64_t jobs_ever;
    struct reading reading[BANKS];
    size_t n_reading;
    cf_ms committed_at;
    bool dirty; /* read on since the last commit */
};

/* ---- the heap ------------------------------------------------------------------------------ */

static bool before(const struct job *a, const struct job *b)
{
    return a->due != b->due ? a->due < b->due : a->no < b->no;
}

static void push(struct worker *w, struct job job)
{
    if (w->n_jobs == w->cap_jobs) {
        w->cap_jobs = w->cap_jobs ? 2 * w->cap_jobs : 1024;
        w->jobs = cf_realloc(w->jobs, w->cap_jobs * sizeof *w->jobs);
    }
    size_t i = w->n_jobs++;
    while (i && before(&job, &w->jobs[(i - 1) / 2])) {
        w->jobs[i] = w->jobs[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    w->jobs[i] = job;
}

static struct job pop(struct worker *w)
{
    struct job top = w->jobs[0], last = w->jobs[--w->n_jobs];
    size_t i = 0;
    for (size_t k; (k = 2 * i + 1) < w->n_jobs; i = k) {
        if (k + 1 < w->n_jobs && before(&w->jobs[k + 1], &w->jobs[k])) k++;
        if (!before(&w->jobs[k], &last)) break;
        w->jobs[i] = w->jobs[k];
    }
    if (w->n_jobs) w->jobs[i] = last;
    return top;
}

static void hold(struct worker *w, const struct job *job)
{
    if (w->n_held == w->cap_held) {
        w->cap_held = w->cap_held ? 2 * w->cap_held : 1024;
        w->held = cf_realloc(w->held, w->cap_held * sizeof *w->held);
    }
    w->held[w->n_held++] = *job;
}

/* ---- playing a line ------------------------------------------------------------------------ */

static bool is_held(const struct worker *w, enum bank_step next)
{
    return w->how.hold_after >= 0 && (int)next > w->how.hold_after;
}

static void say(struct worker *w, const struct bank_line *line, enum bank_step step)
{
    struct bank_answer answer = {*line, bank_step_names[step], NULL, 0};
    if (step == BANK_ACTIVATE) {
        bank_send_activate(w->b, w->arena, line);
        w->done.commands++;
        return;
    }
    bank_send_answer(w->b, w->arena, &answer);
    w->done.answers++;
    if (bank_chance(w->how.seed, w->how.duplicates, answer.step, line)) {
        bank_send_answer(w->b, w->arena, &answer);
        w->done.answers++;
    }
}

/* True when the line has failed at this step, and is told so. */
static bool fails(struct worker *w, const struct bank_line *line, enum bank_step step)
{
    if (!bank_chance(w->how.seed, w->how.error_rate, "error", line)) return false;
    bool at_account = bank_chance(w->how.seed, 0.5, "where", line);
    struct bank_answer answer = {*line, "account_failed", "account_refused", 0};
    if (step != (at_account ? BANK_ACCOUNT_OPENED : BANK_PRODUCED)) return false;
    if (!at_account) {
        answer.step = "failed";
        answer.reason = "bank_rejected";
    }
    bank_send_answer(w->b, w->arena, &answer);
    w->done.answers++;
    return true;
}

/* Does what may be done now, and puts the rest off. */
static void play(struct worker *w, struct job job)
{
    cf_ms now = cf_mono_ms();
    while (job.next < BANK_STEPS) {
        if (is_held(w, job.next)) {
            hold(w, &job);
            return;
        }
        if (job.due > now) {
            push(w, job);
            return;
        }
        if (fails(w, &job.line, job.next)) return;
        say(w, &job.line, job.next);
        job.next = (enum bank_step)(job.next + 1);
        job.due = w->how.delay_ms > 0 ? now + w->how.delay_ms : 0;
    }
}

static void release_held(struct worker *w)
{
    size_t n = w->n_held;
    struct job *held = w->held;
    if (n == 0) return;
    w->held = NULL;
    w->n_held = w->cap_held = 0;
    for (size_t i = 0; i < n; i++)
        play(w, held[i]);
    free(held);
}

/* ---- orders -------------------------------------------------------------------------------- */

static struct reading *reading_of(struct worker *w, const char *code)
{
    for (size_t i = 0; i < w->n_reading; i++)
        if (!strcmp(w->reading[i].code, code)) return &w->reading[i];
    if (w->n_reading == BANKS) return NULL;
    struct reading *r = &w->reading[w->n_reading++];
    memcpy(r->code, code, strlen(code) + 1);
    cf_buf_init(&r->bytes, 1 << 20);
    return r;
}

static void read_for_manifest(struct worker *w, const struct bank_line *line)
{
    struct reading *r = reading_of(w, line->code);
    if (!r) return;
    if (memcmp(r->batch_id, line->batch_id, 16) != 0 || line->line_no == 1) {
        memcpy(r->batch_id, line->batch_id, 16);
        cf_buf_reset(&r->bytes);
        r->lines = 0;
    }
    if (line->line_no != r->lines + 1) return; /* sent again after a restart: counted already */
    r->lines++;
    cf_buf_add(&r->bytes, line->app_id, 16);
    cf_buf_adds(&r->bytes, cf_str_of(line->card_no));
}

static bool take_bytes(ProtobufCBinaryData b, uint8_t out[16])
{
    if (b.len != 16) return false;
    memcpy(out, b.data, 16);
    return true;
}

static bool take_text(const char *z, char *out, size_t size)
{
    size_t n = strlen(z);
    if (n >= size) return false;
    memcpy(out, z, n + 1);
    return true;
}

static bool take_line(struct worker *w, const Cardflow__V1__BankOrder *o)
{
    struct job job = {.no = w->jobs_ever++};
    struct bank_line *line = &job.line;
    const Cardflow__V1__BankOrder__Line *in = o->line;
    if (!take_bytes(in->routing_key, line->routing_key) ||
        !take_bytes(in->application_id, line->app_id) || !take_bytes(o->batch_id, line->batch_id) ||
        !take_text(in->card_no, line->card_no, sizeof line->card_no) ||
        !take_text(o->bank_code, line->code, sizeof line->code))
        return false;
    line->line_no = in->line_no;
    read_for_manifest(w, line);
    w->done.lines++;
    pthread_mutex_lock(&w->b->lock);
    bank_remember(w->b, line);
    pthread_mutex_unlock(&w->b->lock);
    if (w->how.delay_ms > 0) job.due = cf_mono_ms() + w->how.delay_ms;
    play(w, job);
    return true;
}

static bool take_manifest(struct worker *w, const Cardflow__V1__BankOrder *o)
{
    uint8_t hash[CF_SHA256_LEN];
    struct reading *r = strlen(o->bank_code) < 24 ? reading_of(w, o->bank_code) : NULL;
    w->done.batches++;
    /* After a restart in the middle of a batch its beginning is not known. */
    if (!r || o->batch_id.len != 16 || memcmp(r->batch_id, o->batch_id.data, 16) != 0) return true;
    cf_sha256(cf_buf_str(&r->bytes), hash);
    bool right = r->lines == o->manifest->lines && o->manifest->hash.len == sizeof hash &&
                 !memcmp(hash, o->manifest->hash.data, sizeof hash);
    if (!right) {
        w->done.wrong_manifests++;
        cf_log(LOG_WARN, "bank.wrong_manifest", F("lines", r->lines),
               F("told", o->manifest->lines));
    }
    return true;
}

static void acknowledge(struct worker *w, const struct bank_line *line, const uint8_t id[16])
{
    bank_send_acknowledgement(w->b, w->arena, line, id);
    w->done.acknowledged++;
}

static void answer_notice(struct worker *w, const struct bank_line *line, const uint8_t id[16])
{
    struct job late = {.no = w->jobs_ever++, .line = *line, .notice = true};
    switch (w->how.notices) {
    case BANK_NOTICE_DOUBLE:
        acknowledge(w, line, id);
        acknowledge(w, line, id);
        break;
    case BANK_NOTICE_ACKNOWLEDGED:
        acknowledge(w, line, id);
        break;
    case BANK_NOTICE_LATE:
        memcpy(late.notice_id, id, 16);
        late.due = cf_mono_ms() + w->how.notice_delay_ms;
        push(w, late);
        break;
    case BANK_NOTICE_SILENT:
    case BANK_NOTICE_ANSWERS:
        break;
    }
}

static bool take_notice(struct worker *w, const Cardflow__V1__BankOrder *o)
{
    struct bank_line line = {0};
    uint8_t id[16];
    const Cardflow__V1__BankOrder__CardNotice *n = o->card_notice;
    if (!take_bytes(n->routing_key, line.routing_key) || !take_bytes(n->notice_id, id) ||
        !take_text(n->card_no, line.card_no, sizeof line.card_no) ||
        !take_text(o->bank_code, line.code, sizeof line.code))
        return false;
    w->done.notices++;
    answer_notice(w, &line, id);
    return true;
}

static void take(struct worker *w, const rd_kafka_message_t *m)
{
    const Cardflow__V1__BankOrder *o = cf_unpack(w->arena, &cardflow__v1__bank_order__descriptor,
                                                 (struct cf_str){m->payload, m->len});
    bool good = false;
    if (o && o->body_case == CARDFLOW__V1__BANK_ORDER__BODY_LINE)
        good = take_line(w, o);
    else if (o && o->body_case == CARDFLOW__V1__BANK_ORDER__BODY_MANIFEST)
        good = take_manifest(w, o);
    else if (o && o->body_case == CARDFLOW__V1__BANK_ORDER__BODY_CARD_NOTICE)
        good = take_notice(w, o);
    if (good) return;
    w->done.unreadable++;
    cf_log(LOG_WARN, "bank.unreadable_order", F("part", m->partition), F("offset", m->offset));
}

/* ---- turns --------------------------------------------------------------------------------- */

static void store_place(struct worker *w, const rd_kafka_message_t *m)
{
    rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(one, rd_kafka_topic_name(m->rkt), m->partition)->offset =
        m->offset + 1;
    rd_kafka_offsets_store(w->b->consumer, one);
    rd_kafka_topic_partition_list_destroy(one);
    w->dirty = true;
}

/* The place in the orders is kept only when nothing is on its way: after a restart lines are then
 * answered again rather than forgotten. */
static void keep_place(struct worker *w)
{
    cf_ms now = cf_mono_ms();
    if (!w->dirty || now - w->committed_at < COMMIT_MS || w->n_jobs || w->n_held ||
        rd_kafka_outq_len(w->b->producer) > 0)
        return;
    w->committed_at = now;
    w->dirty = rd_kafka_commit(w->b->consumer, NULL, 1) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void read_orders(struct worker *w)
{
    cf_ms wait = IDLE_MS;
    if (w->n_jobs) {
        cf_ms left = w->jobs[0].due - cf_mono_ms();
        wait = left < 0 ? 0 : left < IDLE_MS ? left : IDLE_MS;
    }
    for (int i = 0; i < BATCH; i++) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(w->b->consumer, i ? 0 : (int)wait);
        if (!m) return;
        if (m->err) {
            cf_log(LOG_WARN, "bank.consumer", F("why", rd_kafka_message_errstr(m)));
        } else {
            take(w, m);
            store_place(w, m);
        }
        rd_kafka_message_destroy(m);
    }
}

static void read_behaviour(struct worker *w)
{
    struct bank *b = w->b;
    int held_before = w->how.hold_after;
    pthread_mutex_lock(&b->lock);
    w->how = b->behaviour;
    b->stats.lines += w->done.lines;
    b->stats.batches += w->done.batches;
    b->stats.wrong_manifests += w->done.wrong_manifests;
    b->stats.notices += w->done.notices;
    b->stats.acknowledged += w->done.acknowledged;
    b->stats.answers += w->done.answers;
    b->stats.commands += w->done.commands;
    b->stats.unreadable += w->done.unreadable;
    pthread_mutex_unlock(&b->lock);
    memset(&w->done, 0, sizeof w->done);
    if (w->how.hold_after != held_before && !w->how.off) release_held(w);
}

static void play_due(struct worker *w)
{
    cf_ms now = cf_mono_ms();
    while (w->n_jobs && w->jobs[0].due <= now) {
        struct job job = pop(w);
        if (job.notice)
            acknowledge(w, &job.line, job.notice_id);
        else
            play(w, job);
    }
}

void *bank_work(void *bank)
{
    struct worker w = {.b = bank, .how = {.hold_after = -1}};
    w.arena = cf_arena_new(ARENA);
    while (!atomic_load(&w.b->stop)) {
        read_behaviour(&w);
        if (w.how.off) {
            /* Orders lie in the log; only the timer of the consumer is fed. */
            rd_kafka_poll(w.b->producer, IDLE_MS);
            continue;
        }
        read_orders(&w);
        play_due(&w);
        rd_kafka_poll(w.b->producer, 0);
        keep_place(&w);
        cf_arena_reset(w.arena);
    }
    for (size_t i = 0; i < w.n_reading; i++)
        cf_buf_free(&w.reading[i].bytes);
    cf_arena_free(w.arena);
    free(w.jobs);
    free(w.held);
    return NULL;
}
