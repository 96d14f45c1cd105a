/* toy -- the smallest service with everything the stage offers: an account that counts.
 *
 * Command toy.add{n} (value: decimal text) adds to the account; each addition is reported on
 * toy.events. 0 is refused by the codec, 666 by the rules, 777 sets off work, a text with a zero
 * byte is refused by PostgreSQL.
 *
 * watch reads toy.events and tells watch.events; "2+3" there is a record of two messages. 555 it
 * finds illegal until the variable TOY_CURED is set, 556 always; 554 PostgreSQL refuses.
 * last reads watch.events and keeps what came in which order.
 */
#pragma once
#include "common/io/stage/stage.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct toy_account {
    int64_t sum, count;
    struct cf_str note, ids;
};

struct toy_receipt {
    int64_t n, number;
};

enum { TOY_ADD, TOY_OUTCOME, TOY_SEEN };

static const struct cf_column toy_account_columns[] = {
    {"sum", CF_COL_INT8, offsetof(struct toy_account, sum)},
    {"count", CF_COL_INT8, offsetof(struct toy_account, count)},
    {"note", CF_COL_TEXT, offsetof(struct toy_account, note)},
    {"ids", CF_COL_BYTES, offsetof(struct toy_account, ids)},
};

static const struct cf_column toy_receipt_columns[] = {
    {"n", CF_COL_INT8, offsetof(struct toy_receipt, n)},
    {"number", CF_COL_INT8, offsetof(struct toy_receipt, number)},
};

static const struct cf_kind toy_kinds[] = {
    {"account", sizeof(struct toy_account), toy_account_columns, 4},
};
static const struct cf_aux toy_aux[] = {
    {"receipt", sizeof(struct toy_receipt), toy_receipt_columns, 2, true},
};
static const struct cf_number_kind toy_numbers[] = {{"receipt", 1}};

static inline int toy_decode(struct cf_decode *d, const struct cf_record *r)
{
    struct cf_msg *m = &d->msgs[0];
    if (!cf_key_bytes(r->key.ptr, r->key.len, &m->key)) return CF_E_WRONG_KEY;
    int64_t *n = cf_arena_zero(d->arena, sizeof *n);
    char text[32];
    if (r->value.len == 0 || r->value.len > 20) {
        d->reason = "n: 1 to 20 digits";
        return CF_E_DECODE;
    }
    snprintf(text, sizeof text, "%.*s", CF_ARG(r->value));
    *n = strtoll(text, NULL, 10);
    if (*n == 0) {
        d->reason = "n: not zero";
        return CF_E_DECODE;
    }
    m->body = n;
    m->type = TOY_ADD;
    m->is_command = true;
    if (!cf_uuid_parse(r->ce_id, m->id)) return CF_E_DECODE;
    m->sent_at = r->ce_time;
    d->n = 1;
    return 0;
}

static inline int toy_decide(struct cf_step *s, void *aggregate, bool exists, bool *changed)
{
    struct toy_account *a = aggregate;
    const int64_t *n = s->msg->body;
    (void)exists;
    if (cf_ids_known(a->ids, s->msg->id)) {
        cf_count(s, "duplicate_command");
        return 0;
    }
    struct toy_receipt receipt = {*n, (int64_t)cf_number(s, 0)};
    cf_aux_put(s, 0, s->msg->id, &receipt);
    cf_send_bytes(s, 1, &s->msg->key, "toy.added",
                  cf_arena_printf(s->arena, "%lld", (long long)*n));
    if (*n == 666 && !getenv("TOY_CURED")) return CF_E_ILLEGAL;
    a->sum += *n;
    a->count++;
    if (*n == 888) a->note = (struct cf_str){"a\0b", 3}; /* stays, so that folding keeps it */
    if (!cf_ids_add(s, &a->ids, s->msg->id, s->msg->sent_at)) return CF_E_ILLEGAL;
    *changed = true;
    return 0;
}

static const char *const toy_types[] = {"toy.add", NULL};
static const char *const no_types[] = {NULL};
static const struct cf_topic_in toy_in[] = {
    {"toy.commands", true, toy_types}, {"toy.internal", false, no_types}, {NULL, false, NULL}};
static const char *const toy_out[] = {"toy.internal", "toy.events", NULL};

static const struct cf_service toy_service = {
    .name = "toy",
    .in = toy_in,
    .out = toy_out,
    .kinds = toy_kinds,
    .n_kinds = 1,
    .aux = toy_aux,
    .n_aux = 1,
    .numbers = toy_numbers,
    .n_numbers = 1,
    .decode = toy_decode,
    .decide = toy_decide,
};

/* Reads toy.events as a stage does: by stream numbers. */
static inline int watch_decode(struct cf_decode *d, const struct cf_record *r)
{
    int e = toy_decode(d, r);
    d->msgs[0].is_command = false;
    if (e) return e;
    for (const char *at = memchr(r->value.ptr, '+', r->value.len); at && d->n < d->max;
         at = memchr(at, '+', (size_t)(r->value.ptr + r->value.len - at))) {
        int64_t *n = cf_arena_zero(d->arena, sizeof *n);
        char text[32];
        at++;
        snprintf(text, sizeof text, "%.*s", (int)(r->value.ptr + r->value.len - at), at);
        *n = strtoll(text, NULL, 10);
        d->msgs[d->n] = d->msgs[0];
        d->msgs[d->n++].body = n;
    }
    return 0;
}

static inline int watch_decide(struct cf_step *s, void *aggregate, bool exists, bool *changed)
{
    struct toy_account *a = aggregate;
    const int64_t *n = s->msg->body;
    (void)exists;
    a->sum += *n;
    a->count++;
    if (*n == 554) a->note = (struct cf_str){"a\0b", 3};
    cf_send_bytes(s, 1, &s->msg->key, "watch.seen",
                  cf_arena_printf(s->arena, "%lld", (long long)*n));
    *changed = true;
    return *n == 556 || (*n == 555 && !getenv("TOY_CURED")) ? CF_E_ILLEGAL : 0;
}

static const char *const watch_types[] = {"toy.added", NULL};
static const char *const outcome_types[] = {CF_WORK_OUTCOME, NULL};
static const struct cf_topic_in watch_in[] = {{"toy.events", false, watch_types},
                                              {"watch.internal", false, outcome_types},
                                              {NULL, false, NULL}};
static const char *const watch_out[] = {"watch.internal", "watch.events", NULL};
static const struct cf_kind watch_kinds[] = {
    {"account", sizeof(struct toy_account), toy_account_columns, 4},
};

static const struct cf_service watch_service = {
    .name = "watch",
    .in = watch_in,
    .out = watch_out,
    .kinds = watch_kinds,
    .n_kinds = 1,
    .decode = watch_decode,
    .decide = watch_decide,
};

/* Keeps the order of what came per key, and each message under the id it came with. */
static inline int last_decide(struct cf_step *s, void *aggregate, bool exists, bool *changed)
{
    struct toy_account *a = aggregate;
    const int64_t *n = s->msg->body;
    const struct toy_receipt receipt = {*n, 0};
    (void)exists;
    a->sum += *n;
    a->count++;
    if (a->note.len < 200)
        a->note = cf_arena_printf(s->arena, "%.*s%lld,", CF_ARG(a->note), (long long)*n);
    cf_aux_put(s, 0, s->msg->id, &receipt);
    *changed = true;
    return 0;
}

static const char *const last_types[] = {"watch.seen", NULL};
static const struct cf_topic_in last_in[] = {{"watch.events", false, last_types},
                                             {NULL, false, NULL}};
static const char *const last_out[] = {"last.internal", NULL};
static const struct cf_aux last_aux[] = {
    {"receipt", sizeof(struct toy_receipt), toy_receipt_columns, 1, true},
};

static const struct cf_service last_service = {
    .name = "last",
    .in = last_in,
    .out = last_out,
    .kinds = watch_kinds,
    .n_kinds = 1,
    .aux = last_aux,
    .n_aux = 1,
    .decode = watch_decode,
    .decide = last_decide,
};
