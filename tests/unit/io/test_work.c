/* The pool with doubles for its two doors: pages are answered, and messages acknowledged, when
 * the test says so. */
#include "cardflow/v1/common.pb-c.h"
#include "common/io/clock.h"
#include "common/io/stage/bundle.h"
#include "common/io/work_inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { PARTS = 4, ASKED_MAX = 64, SENT_MAX = 256, CALLS_MAX = 256 };
enum { TIMER = 1, CALL = 2, BATCH = 3, SLOW_BATCH = 4 };

struct asked {
    struct cf_work_page page;
    cf_work_loaded *loaded;
    void *arg;
};

struct sent_message {
    struct cf_front_message m; /* texts are not kept, but for the value */
    char key[16];
    struct cf_buf value;
    cf_front_sent *sent;
    void *arg;
};

static struct world {
    struct cf_loop *loop;
    struct cf_work_pool *pool;
    struct asked asked[ASKED_MAX];
    struct sent_message sent[SENT_MAX];
    struct cf_work_call *calls[CALLS_MAX];
    size_t n_asked, n_sent, n_calls;
    int refuse_load, refuse_send;
    bool hold_send; /* else acknowledged at once, in the next turn */
    size_t n_acked;
} w;

/* ---- doubles ---------------------------------------------------------------------------------- */

static int load(void *self, const struct cf_work_page *page, cf_work_loaded *loaded, void *arg)
{
    (void)self;
    if (w.refuse_load) return w.refuse_load;
    assert_true(w.n_asked < ASKED_MAX);
    w.asked[w.n_asked++] = (struct asked){*page, loaded, arg};
    return 0;
}

static int send(void *self, const struct cf_front_message *m, cf_front_sent *sent, void *arg)
{
    (void)self;
    if (w.refuse_send) return w.refuse_send;
    assert_true(w.n_sent < SENT_MAX);
    struct sent_message *s = &w.sent[w.n_sent++];
    *s = (struct sent_message){.m = *m, .sent = sent, .arg = arg};
    snprintf(s->key, sizeof s->key, "%.*s", CF_ARG(m->key));
    cf_buf_init(&s->value, 1 << 20);
    cf_buf_adds(&s->value, m->value);
    return 0;
}

static void run(void *own, struct cf_work_call *call)
{
    assert_ptr_equal(own, &w);
    assert_true(w.n_calls < CALLS_MAX);
    w.calls[w.n_calls++] = call;
}

static const struct cf_worker workers[] = {
    {.kind = TIMER, .timer = true},
    {.kind = CALL, .max_calls = 2, .run = run, .name = "call"},
    {.kind = BATCH, .max_calls = 2, .batch_max = 3, .run = run, .name = "batch"},
    {.kind = SLOW_BATCH, .max_calls = 2, .batch_max = 3, .linger_ms = 60, .run = run},
};

static void turns(int n)
{
    for (int i = 0; i < n; i++) {
        cf_loop_turn(w.loop, false);
        while (!w.hold_send && w.n_acked < w.n_sent) {
            struct sent_message *s = &w.sent[w.n_acked++];
            s->sent(s->arg, 0);
        }
    }
}

static void turns_for(cf_ms ms)
{
    for (cf_ms until = cf_mono_ms() + ms; cf_mono_ms() < until; usleep(500))
        turns(1);
}

static void apply(int what, struct cf_work work)
{
    struct cf_work_change c = {.work = work};
    c.what = (__typeof__(c.what))what;
    cf_work_pool_apply(w.pool, &c, 1);
}

static struct cf_work row(int16_t part, uint16_t kind, uint32_t number, cf_ms in)
{
    struct cf_work work = {.part = part, .kind = kind, .due = cf_now_ms() + in,
                           .args = CF_STR("some args")};
    memcpy(work.id, &number, sizeof number);
    cf_key_bytes("key", 3, &work.key);
    return work;
}

static void answer(size_t i, const struct cf_work *rows, size_t n)
{
    w.asked[i].loaded(w.asked[i].arg, 0, rows, n);
    turns(3);
}

/* A shard that has been taken and has no rows in the table. */
static void take_empty(int16_t part)
{
    size_t i = w.n_asked;
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = part});
    turns(2);
    assert_int_equal(w.n_asked, i + 1);
    assert_int_equal(w.asked[i].page.part, part);
    answer(i, NULL, 0);
}

static int make_with(size_t items_max)
{
    static const struct cf_work_doors doors = {.self = &w, .load = load, .send = send};
    w = (struct world){.loop = cf_loop_new()};
    const struct cf_work_conf conf = {.loop = w.loop,
                                      .doors = &doors,
                                      .service = "photo-fetch",
                                      .partitions = PARTS,
                                      .workers = workers,
                                      .n_workers = sizeof workers / sizeof *workers,
                                      .own = &w,
                                      .items_max = items_max};
    w.pool = cf_work_pool_new(&conf);
    return 0;
}

static int make(void **state)
{
    (void)state;
    return make_with(0);
}

static int make_small(void **state)
{
    (void)state;
    return make_with(4);
}

static int unmake(void **state)
{
    (void)state;
    for (size_t i = w.n_acked; i < w.n_sent; i++)
        w.sent[i].sent(w.sent[i].arg, CF_E_NET);
    for (size_t i = 0; i < w.n_sent; i++)
        cf_buf_free(&w.sent[i].value);
    cf_work_pool_free(w.pool);
    cf_loop_free(w.loop);
    return 0;
}

/* The WorkOutcome inside field 1 of the service's internal message. */
static Cardflow__V1__WorkOutcome *outcome_of(const struct sent_message *s)
{
    const uint8_t *p = (const uint8_t *)s->value.ptr, *end = p + s->value.len;
    size_t n = 0;
    assert_int_equal(*p++, 1 << 3 | 2);
    for (int shift = 0;; shift += 7) {
        n |= (size_t)(*p & 0x7F) << shift;
        if (!(*p++ & 0x80)) break;
    }
    assert_int_equal(end - p, n);
    Cardflow__V1__WorkOutcome *o = cardflow__v1__work_outcome__unpack(NULL, n, p);
    assert_non_null(o);
    return o;
}

static size_t items_in(const struct sent_message *s)
{
    Cardflow__V1__WorkOutcome *o = outcome_of(s);
    size_t n = o->n_items;
    cardflow__v1__work_outcome__free_unpacked(o, NULL);
    return n;
}

/* ---- loading ---------------------------------------------------------------------------------- */

static void a_taken_shard_is_loaded_page_by_page(void **state)
{
    static struct cf_work rows[WORK_PAGE];
    (void)state;
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = 2});
    turns(2);
    assert_int_equal(w.n_asked, 1);
    assert_int_equal(w.asked[0].page.part, 2);
    assert_int_equal(w.asked[0].page.after_due, INT64_MIN);
    assert_true(w.asked[0].page.until >= cf_now_ms() + CF_WORK_HORIZON_MS - 1000);
    for (uint32_t i = 0; i < WORK_PAGE; i++)
        rows[i] = row(2, TIMER, i, 30000);
    answer(0, rows, WORK_PAGE);
    assert_int_equal(w.n_asked, 2);
    assert_int_equal(w.asked[1].page.after_due, rows[WORK_PAGE - 1].due);
    assert_memory_equal(w.asked[1].page.after_id, rows[WORK_PAGE - 1].id, 16);
    answer(1, NULL, 0);
    turns_for(150);
    assert_int_equal(w.n_asked, 2);
    struct cf_work_view view;
    cf_work_pool_view(w.pool, &view);
    assert_int_equal(view.items, WORK_PAGE);
    assert_int_equal(w.n_sent, 0);
}

static void pieces_of_one_row_run_and_name_it(void **state)
{
    struct cf_arena *arena = cf_arena_new(1 << 20);
    const struct cf_work pieces[] = {row(0, BATCH, 1, -10), row(0, BATCH, 2, -20),
                                     row(0, BATCH, 3, -10)};
    (void)state;
    struct cf_work bundle = cf_bundle_of(arena, pieces, 3);
    assert_int_equal(bundle.due, pieces[1].due); /* the first that is due */
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = 0});
    turns(2);
    apply(CF_WORK_DROP, pieces[2]); /* its outcome was decided while the page was on its way */
    answer(0, &bundle, 1);
    assert_int_equal(w.n_calls, 1);
    assert_int_equal(cf_work_count(w.calls[0]), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct cf_work *piece = cf_work_item(w.calls[0], i);
        assert_true(cf_str_is(piece->args, "some args"));
        assert_memory_equal(piece->bundle, bundle.id, 16);
    }
    for (size_t i = 0; i < 2; i++)
        cf_work_done(w.calls[0], i, CF_WORK_DONE, "", (struct cf_str){0});
    turns(5);
    assert_int_equal(w.n_sent, 1);
    Cardflow__V1__WorkOutcome *o = outcome_of(&w.sent[0]);
    assert_int_equal(o->n_items, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(o->items[i]->bundle_id.len, 16);
        assert_memory_equal(o->items[i]->bundle_id.data, bundle.id, 16);
    }
    cardflow__v1__work_outcome__free_unpacked(o, NULL);
    cf_arena_free(arena);
}

static void a_row_of_pieces_that_is_cut_short_says_so(void **state)
{
    struct cf_arena *arena = cf_arena_new(1 << 20);
    const struct cf_work pieces[] = {row(0, BATCH, 1, -10), row(0, BATCH, 2, -10)};
    (void)state;
    const struct cf_work bundle = cf_bundle_of(arena, pieces, 2);
    for (size_t cut = 1; cut < bundle.args.len; cut++) {
        struct cf_str rest = {bundle.args.ptr, bundle.args.len - cut};
        struct cf_work piece;
        int e = 0;
        while (rest.len && !e)
            e = cf_bundle_next(&bundle, &rest, &piece);
        /* Cut between two pieces it is a shorter row. */
        if (cut != cf_bundle_bytes(&pieces[1])) assert_int_equal(e, CF_E_DATA);
    }
    cf_arena_free(arena);
}

static void a_row_dropped_while_its_page_is_on_the_way_does_not_run(void **state)
{
    const struct cf_work rows[] = {row(0, CALL, 1, -10), row(0, CALL, 2, -10)};
    (void)state;
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = 0});
    turns(2);
    apply(CF_WORK_DROP, rows[0]);
    answer(0, rows, 2);
    assert_int_equal(w.n_calls, 1);
    assert_memory_equal(cf_work_item(w.calls[0], 0)->id, rows[1].id, 16);
}

static void what_the_stage_says_counts_more_than_an_older_page(void **state)
{
    struct cf_work old = row(0, CALL, 1, -10), new = old;
    (void)state;
    new.attempt = 1;
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = 0});
    turns(2);
    apply(CF_WORK_PUT, new);
    answer(0, &old, 1);
    assert_int_equal(w.n_calls, 1);
    assert_int_equal(cf_work_item(w.calls[0], 0)->attempt, 1);
}

static void a_row_moved_far_ahead_while_its_page_is_on_the_way_does_not_run(void **state)
{
    struct cf_work old = row(0, CALL, 1, -10), far = old;
    (void)state;
    far.due += 10 * CF_WORK_HORIZON_MS;
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = 0});
    turns(2);
    apply(CF_WORK_PUT, far);
    answer(0, &old, 1);
    assert_int_equal(w.n_calls, 0);
}

static void an_answer_from_before_a_release_is_not_used(void **state)
{
    struct cf_work old = row(0, CALL, 1, -10);
    (void)state;
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = 0});
    turns(2);
    apply(CF_WORK_SHARD_RELEASED, (struct cf_work){.part = 0});
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = 0});
    turns(2);
    assert_int_equal(w.n_asked, 2);
    answer(0, &old, 1);
    assert_int_equal(w.n_calls, 0);
    answer(1, &old, 1);
    assert_int_equal(w.n_calls, 1);
}

static void a_load_that_fails_is_tried_again(void **state)
{
    const struct cf_work due = row(0, CALL, 1, -10);
    (void)state;
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = 0});
    turns(2);
    w.asked[0].loaded(w.asked[0].arg, CF_E_UNKNOWN, NULL, 0);
    turns_for(100);
    assert_int_equal(w.n_asked, 1);
    w.refuse_load = CF_E_DB;
    turns_for(WORK_RETRY_MS + 200);
    w.refuse_load = 0;
    turns_for(WORK_RETRY_MS + 200);
    assert_int_equal(w.n_asked, 2);
    answer(1, &due, 1);
    assert_int_equal(w.n_calls, 1);
}

/* There is room for 4 of a kind. */
static void rows_without_room_are_loaded_when_there_is_room(void **state)
{
    struct cf_work rows[6], later = row(0, CALL, 99, -1);
    (void)state;
    for (uint32_t i = 0; i < 6; i++)
        rows[i] = row(0, CALL, i, -20 + (cf_ms)i);
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = 0});
    turns(2);
    answer(0, rows, 6);
    apply(CF_WORK_PUT, later);
    turns(2);
    assert_int_equal(w.n_asked, 1);
    struct cf_work_view view;
    cf_work_pool_view(w.pool, &view);
    assert_int_equal(view.items, 4);
    for (uint32_t i = 0; i < 3; i++)
        apply(CF_WORK_DROP, rows[i]);
    turns(3);
    assert_int_equal(w.n_asked, 2);
    assert_int_equal(w.asked[1].page.after_due, rows[4].due); /* the first without room */
    assert_int_equal(w.asked[1].page.after_id[0], 0);
    const struct cf_work rest[] = {rows[4], rows[5], later};
    answer(1, rest, 3);
    cf_work_pool_view(w.pool, &view);
    assert_int_equal(view.items, 4);
    turns(3);
    assert_int_equal(w.n_asked, 2);
}

static void a_refill_that_fails_begins_again_where_it_began(void **state)
{
    struct cf_work rows[6];
    (void)state;
    for (uint32_t i = 0; i < 6; i++)
        rows[i] = row(0, CALL, i, -20 + (cf_ms)i);
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = 0});
    turns(2);
    answer(0, rows, 6);
    for (uint32_t i = 0; i < 3; i++)
        apply(CF_WORK_DROP, rows[i]);
    turns(3);
    w.asked[1].loaded(w.asked[1].arg, CF_E_DB, NULL, 0);
    turns_for(WORK_RETRY_MS + 200);
    assert_int_equal(w.n_asked, 3);
    assert_int_equal(w.asked[2].page.after_due, rows[4].due);
    answer(2, &rows[4], 2);
    struct cf_work_view view;
    cf_work_pool_view(w.pool, &view);
    assert_int_equal(view.items, 3);
}

static void the_backlog_of_one_kind_takes_no_room_from_another(void **state)
{
    struct cf_work rows[10];
    (void)state;
    for (uint32_t i = 0; i < 9; i++)
        rows[i] = row(0, CALL, i, -20 + (cf_ms)i);
    rows[9] = row(0, TIMER, 100, -1);
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = 0});
    turns(2);
    answer(0, rows, 10);
    apply(CF_WORK_PUT, row(0, TIMER, 101, -1));
    turns(3);
    size_t items = 0;
    for (size_t i = 0; i < w.n_sent; i++)
        items += items_in(&w.sent[i]);
    assert_int_equal(items, 2);
}

static void rows_of_an_unknown_kind_are_left_alone(void **state)
{
    const struct cf_work rows[] = {row(0, 77, 1, -10), row(0, CALL, 2, -10)};
    (void)state;
    apply(CF_WORK_SHARD_TAKEN, (struct cf_work){.part = 0});
    turns(2);
    answer(0, rows, 2);
    apply(CF_WORK_PUT, row(0, 77, 3, -10));
    turns(3);
    assert_int_equal(w.n_calls, 1);
    assert_int_equal(w.n_sent, 0);
}

static void what_is_due_after_the_horizon_is_not_held(void **state)
{
    struct cf_work_view view;
    (void)state;
    take_empty(1);
    apply(CF_WORK_PUT, row(1, TIMER, 1, 2 * CF_WORK_HORIZON_MS));
    apply(CF_WORK_PUT, row(1, TIMER, 2, CF_WORK_HORIZON_MS / 2));
    cf_work_pool_view(w.pool, &view);
    assert_int_equal(view.items, 1);
}

#ifdef CARDFLOW_TEST_HOOKS
static void a_clock_that_jumps_loads_what_has_become_due(void **state)
{
    (void)state;
    take_empty(0);
    struct cf_work far = row(0, TIMER, 1, CF_MS_PER_DAY);
    apply(CF_WORK_PUT, far);
    turns(2);
    assert_int_equal(w.n_asked, 1);
    cf_clock_advance(CF_MS_PER_DAY + 1000);
    turns_for(300);
    assert_int_equal(w.n_asked, 2);
    assert_true(w.asked[1].page.until >= far.due);
    answer(1, &far, 1);
    assert_int_equal(w.n_sent, 1);
}
#endif

/* ---- timers and calls ------------------------------------------------------------------------- */

static void a_timer_fires_when_it_is_due_and_not_before(void **state)
{
    (void)state;
    take_empty(1);
    struct cf_work timer = row(1, TIMER, 1, 80);
    timer.attempt = 7;
    apply(CF_WORK_PUT, timer);
    turns_for(40);
    assert_int_equal(w.n_sent, 0);
    turns_for(80);
    assert_int_equal(w.n_sent, 1);
    assert_string_equal(w.sent[0].m.topic, "photo-fetch.internal");
    assert_string_equal(w.sent[0].m.ce_type, "work.outcome");
    assert_string_equal(w.sent[0].m.ce_source, "photo-fetch/front");
    assert_string_equal(w.sent[0].key, "work:1");
    assert_int_equal(w.sent[0].m.part, 1);
    Cardflow__V1__WorkOutcome *o = outcome_of(&w.sent[0]);
    assert_int_equal(o->n_items, 1);
    assert_int_equal(o->items[0]->result, CARDFLOW__V1__WORK_OUTCOME__RESULT__DUE);
    assert_int_equal(o->items[0]->attempt, 7);
    assert_int_equal(o->items[0]->kind, TIMER);
    assert_int_equal(o->items[0]->work_id.len, 16);
    assert_memory_equal(o->items[0]->work_id.data, timer.id, 16);
    assert_int_equal(o->items[0]->key.len, 3);
    cardflow__v1__work_outcome__free_unpacked(o, NULL);
    turns_for(150);
    assert_int_equal(w.n_sent, 1); /* marked until the stage has spoken */
}

static void no_more_calls_run_than_the_partner_may_have(void **state)
{
    (void)state;
    take_empty(0);
    for (uint32_t i = 0; i < 5; i++)
        apply(CF_WORK_PUT, row(0, CALL, i, -1));
    turns(5);
    assert_int_equal(w.n_calls, 2);
    struct cf_work_view view;
    cf_work_pool_view(w.pool, &view);
    assert_int_equal(view.running, 2);
    assert_int_equal(view.waiting, 3);
    cf_work_done(w.calls[0], 0, CF_WORK_DONE, NULL, CF_STR("ok"));
    turns(3);
    assert_int_equal(w.n_calls, 3);
}

static void a_shard_with_much_work_does_not_starve_another(void **state)
{
    (void)state;
    take_empty(0);
    take_empty(3);
    for (uint32_t i = 0; i < 10; i++)
        apply(CF_WORK_PUT, row(0, CALL, i, -100));
    apply(CF_WORK_PUT, row(3, CALL, 50, -1));
    turns(3);
    assert_int_equal(w.n_calls, 2);
    bool other = false;
    for (size_t i = 0; i < 2; i++)
        other = other || cf_work_item(w.calls[i], 0)->part == 3;
    assert_true(other);
}

static void a_call_takes_up_to_batch_max_items_of_one_shard(void **state)
{
    (void)state;
    take_empty(0);
    take_empty(1);
    for (uint32_t i = 0; i < 4; i++)
        apply(CF_WORK_PUT, row(0, BATCH, i, -1));
    apply(CF_WORK_PUT, row(1, BATCH, 9, -1));
    turns(3);
    assert_int_equal(w.n_calls, 2);
    for (size_t i = 0; i < 2; i++) {
        int16_t part = cf_work_item(w.calls[i], 0)->part;
        assert_int_equal(cf_work_count(w.calls[i]), part == 0 ? 3 : 1);
    }
}

static void a_batch_waits_for_company_but_not_for_ever(void **state)
{
    (void)state;
    take_empty(0);
    apply(CF_WORK_PUT, row(0, SLOW_BATCH, 1, -1));
    apply(CF_WORK_PUT, row(0, SLOW_BATCH, 2, -1));
    turns_for(20);
    assert_int_equal(w.n_calls, 0);
    apply(CF_WORK_PUT, row(0, SLOW_BATCH, 3, -1)); /* full */
    turns(3);
    assert_int_equal(w.n_calls, 1);
    apply(CF_WORK_PUT, row(0, SLOW_BATCH, 4, -1));
    turns_for(120);
    assert_int_equal(w.n_calls, 2);
    assert_int_equal(cf_work_count(w.calls[1]), 1);
}

static void an_item_is_called_again_only_when_the_stage_writes_it_anew(void **state)
{
    struct cf_work again = row(0, CALL, 1, -1);
    (void)state;
    take_empty(0);
    apply(CF_WORK_PUT, again);
    turns(3);
    cf_work_done(w.calls[0], 0, CF_WORK_RETRY, "busy", (struct cf_str){0});
    turns_for(150);
    assert_int_equal(w.n_calls, 1);
    again.attempt = 1;
    apply(CF_WORK_PUT, again);
    turns(3);
    assert_int_equal(w.n_calls, 2);
    assert_int_equal(cf_work_item(w.calls[1], 0)->attempt, 1);
    assert_true(cf_str_is(cf_work_item(w.calls[1], 0)->args, "some args"));
    cf_work_done(w.calls[1], 0, CF_WORK_DONE, NULL, (struct cf_str){0});
    apply(CF_WORK_DROP, again);
    struct cf_work_view view;
    cf_work_pool_view(w.pool, &view);
    assert_int_equal(view.items, 0);
}

static void two_calls_of_one_id_never_run_at_the_same_time(void **state)
{
    struct cf_work again = row(0, CALL, 1, -1);
    (void)state;
    take_empty(0);
    apply(CF_WORK_PUT, again);
    turns(3);
    again.attempt = 1;
    apply(CF_WORK_PUT, again);
    turns_for(50);
    assert_int_equal(w.n_calls, 1);
    cf_work_done(w.calls[0], 0, CF_WORK_DONE, NULL, (struct cf_str){0});
    turns(3);
    assert_int_equal(w.n_calls, 2);
    assert_int_equal(cf_work_item(w.calls[1], 0)->attempt, 1);
    assert_int_equal(w.n_sent, 1); /* the outcome of attempt 0, which the stage will drop */
}

static void a_released_shard_is_forgotten_and_its_open_call_still_reports(void **state)
{
    (void)state;
    take_empty(0);
    take_empty(1);
    for (uint32_t i = 0; i < 4; i++)
        apply(CF_WORK_PUT, row(0, CALL, i, -1));
    apply(CF_WORK_PUT, row(0, TIMER, 60, 100));
    turns(3);
    apply(CF_WORK_SHARD_RELEASED, (struct cf_work){.part = 0});
    apply(CF_WORK_PUT, row(0, CALL, 77, -1)); /* not ours any more */
    struct cf_work_view view;
    cf_work_pool_view(w.pool, &view);
    assert_int_equal(view.items, 0);
    assert_int_equal(view.waiting, 0);
    cf_work_done(w.calls[0], 0, CF_WORK_DONE, NULL, (struct cf_str){0});
    turns_for(200);
    assert_int_equal(w.n_calls, 2);
    assert_int_equal(w.n_sent, 1);
    assert_int_equal(w.sent[0].m.part, 0);
}

/* ---- outcomes --------------------------------------------------------------------------------- */

static void outcomes_of_one_turn_are_one_message_a_shard(void **state)
{
    (void)state;
    take_empty(0);
    take_empty(1);
    for (uint32_t i = 0; i < 3; i++)
        apply(CF_WORK_PUT, row(0, BATCH, i, -1));
    apply(CF_WORK_PUT, row(1, CALL, 9, -1));
    turns(3);
    assert_int_equal(w.n_calls, 2);
    for (size_t c = 0; c < 2; c++)
        for (size_t i = cf_work_count(w.calls[c]); i--;)
            cf_work_done(w.calls[c], i, i ? CF_WORK_FAILED : CF_WORK_DONE, i ? "off" : NULL,
                         CF_STR("answer"));
    turns(3);
    assert_int_equal(w.n_sent, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(items_in(&w.sent[i]), w.sent[i].m.part == 0 ? 3 : 1);
    Cardflow__V1__WorkOutcome *o = outcome_of(&w.sent[w.sent[0].m.part == 0 ? 0 : 1]);
    assert_string_equal(o->items[0]->reason, "off");
    assert_int_equal(o->items[0]->result, CARDFLOW__V1__WORK_OUTCOME__RESULT__FAILED);
    assert_int_equal(o->items[2]->result, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE);
    assert_int_equal(o->items[2]->payload.len, 6);
    cardflow__v1__work_outcome__free_unpacked(o, NULL);
}

static void large_outcomes_are_spread_over_messages_below_the_limit(void **state)
{
    static char payload[30000];
    (void)state;
    memset(payload, 'p', sizeof payload);
    take_empty(0);
    for (uint32_t i = 0; i < 3; i++)
        apply(CF_WORK_PUT, row(0, BATCH, i, -1));
    turns(3);
    for (size_t i = 0; i < 3; i++)
        cf_work_done(w.calls[0], i, CF_WORK_DONE, NULL, (struct cf_str){payload, sizeof payload});
    turns(3);
    size_t items = 0;
    for (size_t i = 0; i < w.n_sent; i++) {
        assert_true(w.sent[i].value.len < 64 * 1024);
        items += items_in(&w.sent[i]);
    }
    assert_int_equal(items, 3);
    assert_int_equal(w.n_sent, 2);
}

static void an_outcome_too_large_for_any_message_is_a_failure(void **state)
{
    static char payload[70000];
    (void)state;
    take_empty(0);
    apply(CF_WORK_PUT, row(0, CALL, 1, -1));
    turns(3);
    cf_work_done(w.calls[0], 0, CF_WORK_DONE, NULL, (struct cf_str){payload, sizeof payload});
    turns(3);
    Cardflow__V1__WorkOutcome *o = outcome_of(&w.sent[0]);
    assert_int_equal(o->items[0]->result, CARDFLOW__V1__WORK_OUTCOME__RESULT__FAILED);
    assert_string_equal(o->items[0]->reason, "payload_too_large");
    cardflow__v1__work_outcome__free_unpacked(o, NULL);
}

static void a_message_that_is_not_taken_is_sent_again_as_it_was(void **state)
{
    (void)state;
    take_empty(0);
    w.hold_send = true;
    apply(CF_WORK_PUT, row(0, TIMER, 1, -1));
    turns(3);
    assert_int_equal(w.n_sent, 1);
    w.sent[w.n_acked].sent(w.sent[w.n_acked].arg, CF_E_NET);
    w.n_acked++;
    w.refuse_send = CF_E_NET;
    turns_for(WORK_SEND_RETRY_MS + 100);
    w.refuse_send = 0;
    turns_for(WORK_SEND_RETRY_MS + 100);
    assert_int_equal(w.n_sent, 2);
    assert_memory_equal(w.sent[0].m.ce_id, w.sent[1].m.ce_id, 16);
    assert_int_equal(w.sent[0].value.len, w.sent[1].value.len);
    assert_memory_equal(w.sent[0].value.ptr, w.sent[1].value.ptr, w.sent[0].value.len);
    w.hold_send = false;
    turns_for(WORK_SEND_RETRY_MS + 100);
    assert_int_equal(w.n_sent, 2);
    struct cf_work_view view;
    cf_work_pool_view(w.pool, &view);
    assert_int_equal(view.unsent, 0);
}

/* A worker may end its call before run returns. */
static void run_at_once(void *own, struct cf_work_call *call)
{
    size_t n = cf_work_count(call);
    (void)own;
    *cf_work_own(call) = cf_malloc(10); /* the pool frees it */
    for (size_t i = 0; i < n; i++)
        cf_work_done(call, i, CF_WORK_DONE, NULL, (struct cf_str){0});
}

static void a_call_may_end_before_run_returns(void **state)
{
    static const struct cf_worker quick[] = {{.kind = CALL, .run = run_at_once}};
    static const struct cf_work_doors doors = {.self = &w, .load = load, .send = send};
    (void)state;
    cf_work_pool_free(w.pool);
    struct cf_metrics *m = cf_metrics_new();
    const struct cf_work_conf conf = {.loop = w.loop, .doors = &doors, .service = "x",
                                      .partitions = PARTS, .workers = quick, .n_workers = 1,
                                      .metrics = m};
    w.pool = cf_work_pool_new(&conf);
    take_empty(0);
    for (uint32_t i = 0; i < 50; i++)
        apply(CF_WORK_PUT, row(0, CALL, i, -1));
    turns_for(50);
    size_t items = 0;
    for (size_t i = 0; i < w.n_sent; i++)
        items += items_in(&w.sent[i]);
    assert_int_equal(items, 50);
    struct cf_buf text;
    cf_buf_init(&text, 1 << 20);
    cf_metrics_render(m, &text);
    cf_buf_add(&text, "", 1);
    assert_non_null(strstr(text.ptr, "cardflow_work_results_total{kind=\"kind_2\",result=\"done\"} 50"));
    cf_buf_free(&text);
    cf_metrics_free(m);
}

#define SMALL(name) cmocka_unit_test_setup_teardown(name, make_small, unmake)
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_taken_shard_is_loaded_page_by_page),
        TEST(pieces_of_one_row_run_and_name_it),
        TEST(a_row_of_pieces_that_is_cut_short_says_so),
        TEST(a_row_dropped_while_its_page_is_on_the_way_does_not_run),
        TEST(what_the_stage_says_counts_more_than_an_older_page),
        TEST(a_row_moved_far_ahead_while_its_page_is_on_the_way_does_not_run),
        TEST(an_answer_from_before_a_release_is_not_used),
        TEST(a_load_that_fails_is_tried_again),
        SMALL(rows_without_room_are_loaded_when_there_is_room),
        SMALL(a_refill_that_fails_begins_again_where_it_began),
        SMALL(the_backlog_of_one_kind_takes_no_room_from_another),
        TEST(rows_of_an_unknown_kind_are_left_alone),
        TEST(what_is_due_after_the_horizon_is_not_held),
#ifdef CARDFLOW_TEST_HOOKS
        TEST(a_clock_that_jumps_loads_what_has_become_due),
#endif
        TEST(a_timer_fires_when_it_is_due_and_not_before),
        TEST(no_more_calls_run_than_the_partner_may_have),
        TEST(a_shard_with_much_work_does_not_starve_another),
        TEST(a_call_takes_up_to_batch_max_items_of_one_shard),
        TEST(a_batch_waits_for_company_but_not_for_ever),
        TEST(an_item_is_called_again_only_when_the_stage_writes_it_anew),
        TEST(two_calls_of_one_id_never_run_at_the_same_time),
        TEST(a_released_shard_is_forgotten_and_its_open_call_still_reports),
        TEST(outcomes_of_one_turn_are_one_message_a_shard),
        TEST(large_outcomes_are_spread_over_messages_below_the_limit),
        TEST(an_outcome_too_large_for_any_message_is_a_failure),
        TEST(a_message_that_is_not_taken_is_sent_again_as_it_was),
        TEST(a_call_may_end_before_run_returns),
    };
    return cmocka_run_group_tests_name("work", tests, NULL, NULL);
}
