/* operate -- what the commands for parked records and dead letters share: filters, the service's
 * database, a producer that waits, audit entries, and how things are printed.
 *
 * Limits   metadata only: topic, place, type, reason, time, size, key. Values never leave the log
 *          or the table, not even sealed
 * Errors   functions return false after a message on standard error
 */
#pragma once
#include "common/io/json.h"
#include "common/pure/date.h"
#include "ops/cardctl/cardctl.h"

#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>

enum verb { VERB_LIST, VERB_SHOW, VERB_REDRIVE, VERB_DROP };

struct filter {
    enum verb verb;
    const char *service, *topic, *reason; /* NULL: any */
    const char *key;                      /* hexadecimal; NULL: any */
    char from[24], to[24];                /* ms since the epoch; empty: open */
    int limit, rate, wait_s;
    bool dry_run, json, handled;
    const char *brokers, *operator, *purpose;
};

static inline bool filter_changes(const struct filter *f)
{
    return (f->verb == VERB_REDRIVE || f->verb == VERB_DROP) && !f->dry_run;
}

/* False after a message: wrong use. An option that nobody knows is wrong, too. */
bool filter_read(int argc, char **argv, enum verb verb, bool dead_letters, struct filter *f);
bool filter_fits(const struct filter *f, struct cf_str key, struct cf_str reason, cf_ms at);

/* A header of a record; ptr NULL: there is none. */
struct cf_str operate_header(const rd_kafka_message_t *m, const char *name);
/* 1 to 200 bytes of UTF-8. */
bool operate_text_ok(const char *text);

/* The service's own database; NULL after a message. */
PGconn *operate_database(const struct filter *f);
/* One statement with text in and out; NULL after a message. */
PGresult *operate_ask(PGconn *pg, const char *sql, int n, const char *const *values);

/* A message that is on the log when send returns. */
struct message {
    const char *topic; /* "intake.internal" */
    int32_t part;      /* -1: by key */
    struct cf_str key, value;
    rd_kafka_headers_t *headers; /* taken over */
    int64_t offset;              /* where it is, afterwards */
    int32_t at_part;
};

/* Takes the settings; NULL after a message when no client can be made of them. */
rd_kafka_t *cardctl_kafka(rd_kafka_type_t type, rd_kafka_conf_t *conf);
rd_kafka_t *operate_producer(const struct filter *f);
bool operate_send(rd_kafka_t *rk, struct message *m);
/* ce_id (a new one), ce_type, ce_source, ce_time. */
rd_kafka_headers_t *operate_headers(const char *type);
/* Who does what to which records, and why; before it is done. */
bool operate_audit(rd_kafka_t *rk, const struct filter *f, const char *action, struct cf_str key,
                   const char *topic, int part, size_t records);

/* Holds the caller up so that at most rate things a second are done. */
struct pace {
    cf_ms since; /* monotonic */
    long done;
};
void pace_wait(struct pace *p, int rate, size_t n);

/* ---- printing -------------------------------------------------------------------------------- */

struct line {
    const char *topic, *reason, *type, *key, *note;
    int part;
    int64_t offset;
    int index;
    cf_ms at;
    int64_t bytes;
};

struct report {
    const struct filter *filter;
    struct cf_buf text;
    struct cf_out out; /* with --json */
    struct count {
        char topic[128], reason[300];
        size_t n;
    } *counts;
    size_t n_counts, cap;
};

void report_begin(struct report *r, const struct filter *f);
void report_line(struct report *r, const struct line *l);
/* One header of the record just printed (show). */
void report_header(struct report *r, const char *name, struct cf_str value);
void report_line_end(struct report *r);
/* Counts by topic and reason, then what was done: names and numbers, ended by NULL. */
struct fact {
    const char *name;
    long n;
};
int report_end(struct report *r, const struct fact *facts);
