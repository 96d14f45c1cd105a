/* sim -- what the partner simulators share: their frame, and how they can be made to misbehave.
 *
 * Every simulator has
 *   PUT /sim/behaviour       changes what is named, leaves the rest; answers with all of it
 *   GET /sim/behaviour
 * and lists of its own under /sim/received and /sim/stats.
 *
 * Shapes   rates are shares of one, 0 to 1; the same seed gives the same choices
 * Owns     one struct sim a process; everything lives until the end
 */
#pragma once
#include "common/io/conf.h"
#include "common/io/http_server.h"
#include "common/io/metrics.h"

struct sim_behaviour {
    cf_ms delay_ms;
    double error_rate;       /* of calls answered 500, nothing done */
    double busy_rate;        /* of calls answered 503, nothing done */
    double duplicates;       /* of calls done and then answered 500, so that they come again */
    double none_rate;        /* police: of persons without a photo */
    double unknown_rate;     /* police: of persons nobody knows */
    double wrong_bytes_rate; /* police: of persons whose photo is damaged */
    double reject_rate;      /* sms: of messages refused for good */
    double item_busy_rate;   /* sms: of messages of a batch that are to come again */
    bool off;                /* every call is answered 500 */
    int64_t seed;
};

struct sim {
    struct cf_loop *loop;
    struct cf_http *http, *op;
    struct cf_metrics *metrics;
    struct sim_behaviour behaviour;
    uint64_t calls; /* of the partner's own route; choices for a call go by its number */
    void *own;
};

/* Loads settings (which begin with conf_base.def), serves until SIGTERM; the exit code. */
int sim_run(const struct cf_conf_table *table, void *settings, int argc, char **argv,
            void (*begin)(struct sim *sim, void *settings), const char *name, void *own);

/* A choice with probability `rate` about `subject`, stable for the same seed and purpose. */
bool sim_chance(const struct sim *sim, double rate, const char *purpose, const void *subject,
                size_t n);
/* The same about the call that is being handled. */
bool sim_chance_call(const struct sim *sim, double rate, const char *purpose);

/* Begins a call of the partner's own route. False: it has been answered (off, error, busy). */
bool sim_begin_call(struct sim *sim, struct cf_request *req);
/* Answers after the delay; an answer is 500 instead when the call is to be a duplicate. */
void sim_answer(struct sim *sim, struct cf_request *req, int status, const char *type,
                struct cf_str body);
/* A number of the query, at most `max`; `fallback` when absent or no number. */
uint64_t sim_query_number(const struct cf_request *req, const char *name, uint64_t fallback,
                          uint64_t max);
