/* app_inside -- what app.c (life) and app_health.c (heart-beat, readiness, figures) share. */
#pragma once
#include "common/io/app.h"
#include "common/io/operator.h"
#include "common/io/work_pool.h"

enum { PARKED_REASONS = 50 };

/* What waits for a person, as the service's table says. */
struct parked_view {
    struct parked_reason {
        char reason[128];
        struct cf_gauge *waiting;
    } reasons[PARKED_REASONS];
    size_t n;
    struct cf_gauge *other, *oldest;
    cf_ms oldest_ms; /* age of the oldest one, when last asked */
    cf_ms next;      /* monotonic: to be asked again */
    bool asking;
};

struct frame {
    struct cf_app app; /* first: a struct cf_app is its frame */
    struct cf_http *operator_http;
    struct cf_api_keys *api_keys;
    struct cf_arena *long_lived, *changes;
    struct cf_calendar calendar;
    struct cf_policies policies;
    struct cf_service service;
    struct cf_pgf_statement *statements;
    size_t s_request, s_work, s_wait, s_beat, s_beat_end, s_parked;
    struct cf_work_world world;
    struct parked_view parked;
    struct cf_watch *work_watch;
    struct cf_timer *beat, *ending;
    struct cf_signal *term, *interrupt;
    int pg_state; /* 0 up, else as cf_pgf_changed says */
    bool pg_said;
    uint64_t turns;
    cf_ms turned_at, beat_at; /* monotonic */
    bool beating;             /* a beat is on its way */
    bool stopping;
    int shards_stopped; /* as last told */
    cf_ms stop_by;
    int exit_code;
};

/* Ends the process in order; the first exit code that is not 0 counts. */
void app_stop(struct frame *f, int exit_code);

/* app_health.c */
void health_start(struct frame *f);
/* app_parked.c: asks for it now and then. */
void parked_measure(struct frame *f);
void parked_look(struct frame *f, cf_ms now);
/* Once a second, and as soon as PostgreSQL is there. */
void health_beat(struct frame *f);
void health_measure(struct frame *f);
void health_reasons(struct cf_reasons *r, void *frame);
