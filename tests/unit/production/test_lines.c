/* Reconciliation of batches line by line: sent = made + failed + missing + late_voided. */
#include "data.h"

enum { N = PRODUCTION_LINE_NONE, MADE, FAILED, MISSING, LATE, UNKNOWN = PRODUCTION_LINE_UNKNOWN };

static void a_line_ends_once_and_a_missing_one_comes_late_once(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        uint8_t at;
        int end;
        bool moves;
    } rows[] = {
        {"the first end",                 N,       MADE,    true },
        {"the first end",                 N,       FAILED,  true },
        {"the first end",                 N,       MISSING, true },
        {"late, and was never given up",  N,       LATE,    false},
        {"made twice",                    MADE,    MADE,    false},
        {"made, then failed",             MADE,    FAILED,  false},
        {"made is not given up",          MADE,    LATE,    false},
        {"failed twice",                  FAILED,  FAILED,  false},
        {"failed stays failed",           FAILED,  LATE,    false},
        {"made of one that failed",       FAILED,  MADE,    false},
        {"missing comes late",            MISSING, LATE,    true },
        {"missing twice",                 MISSING, MISSING, false},
        {"missing, then made",            MISSING, MADE,    false},
        {"late twice",                    LATE,    LATE,    false},
        {"late, then failed",             LATE,    FAILED,  false},
        {"no end",                        N,       N,       false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        /* Another line of the batch is missing, and one has no end yet. */
        struct production_tally t = {.lines = 3, .ended = {[PRODUCTION_LINE_MISSING] = 1}};
        struct production_tally before;
        uint8_t at = rows[i].at;
        if (at) t.ended[at]++;
        before = t;
        bool moved = production_line_put(&t, &at, (enum production_line_end)rows[i].end);
        if (moved != rows[i].moves) fail_msg("%s", rows[i].why);
        assert_int_equal(at, moved ? rows[i].end : rows[i].at);
        if (!moved) assert_memory_equal(&t, &before, sizeof t);
        assert_int_equal(t.ended[PRODUCTION_LINE_LATE_VOIDED],
                         before.ended[PRODUCTION_LINE_LATE_VOIDED] + (moved && at == LATE));
        assert_false(production_tally_holds(&t) && !moved && !rows[i].at);
    }
}

/* Of a batch older than the ends of its lines only the totals are known. */
static void a_batch_of_before_goes_by_its_totals(void **state)
{
    (void)state;
    struct production_tally t = {.lines = 2, .ended = {[PRODUCTION_LINE_MISSING] = 1}};
    uint8_t late = UNKNOWN, made = UNKNOWN, more = UNKNOWN;
    assert_true(production_line_put(&t, &late, PRODUCTION_LINE_LATE_VOIDED));
    assert_false(production_line_put(&t, &late, PRODUCTION_LINE_LATE_VOIDED));
    assert_true(production_line_put(&t, &made, PRODUCTION_LINE_MADE));
    assert_true(production_tally_holds(&t));
    assert_false(production_line_put(&t, &more, PRODUCTION_LINE_FAILED));
    assert_false(production_line_put(&t, &more, PRODUCTION_LINE_LATE_VOIDED));
    assert_int_equal(more, UNKNOWN);
}

/* Whatever is said of the lines in whatever order: the totals are those of the lines. */
static void totals_are_those_of_the_lines(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int run = 0; run < 2000; run++) {
        struct production_tally t = {.lines = 5};
        uint8_t ends[5] = {0};
        for (int i = 0; i < 60; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            unsigned said = (unsigned)(seed >> 33);
            production_line_put(&t, &ends[said % 5],
                                (enum production_line_end)(said / 5 % PRODUCTION_LINE_ENDS));
            int64_t count[PRODUCTION_LINE_ENDS] = {0};
            for (int k = 0; k < 5; k++)
                count[ends[k]]++;
            for (int end = MADE; end < PRODUCTION_LINE_ENDS; end++)
                assert_int_equal(t.ended[end], count[end]);
            assert_int_equal(production_tally_holds(&t), count[PRODUCTION_LINE_NONE] == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_ends_once_and_a_missing_one_comes_late_once),
        cmocka_unit_test(a_batch_of_before_goes_by_its_totals),
        cmocka_unit_test(totals_are_those_of_the_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
