/* The clock of a new unit: rules, and the steps of its work. */
#include "stage_data.h"

#include "cardflow/v1/unit.pb-c.h"
#include "services/intake/rules_unit.h"
#include "tests/unit/days.h"

/* The first moment of a day. */
static cf_ms on(const char *text)
{
    return cf_ms_of_day(day(text));
}

/* ---- rules ----------------------------------------------------------------------------------- */

static const char *counted(const struct cf_calendar *cal, struct intake_unit_clock *c,
                           uint32_t missing, cf_ms now)
{
    static char text[200];
    struct intake_unit_said said[INTAKE_UNIT_MARK_COUNT];
    size_t len = 0, n = intake_unit_counted(cal, c, missing, now, said);
    text[0] = 0;
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, said[i].silent ? "%s(%s)" : "%s%s",
                                i ? " " : "", intake_unit_mark_name(said[i].mark));
    return text;
}

static void a_unit_has_until_the_last_working_day_of_its_month(void **state)
{
    const struct cf_calendar *cal = &((struct rig *)*state)->data.calendar;
    static const struct {
        const char *registered, *due, *five, *two;
    } rows[] = {
        /* March 2026 ends on a Tuesday; February has the Spring Festival and a worked Saturday. */
        {"2026-03-02", "2026-03-31", "2026-03-24", "2026-03-27"},
        {"2026-02-03", "2026-02-28", "2026-02-14", "2026-02-26"},
        {"2026-05-31", "2026-05-29", "2026-05-22", "2026-05-27"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct intake_unit_clock c =
            intake_unit_start(cal, day(rows[i].registered), on("2026-01-05"));
        assert_int_equal(c.due_on, day(rows[i].due));
        assert_int_equal(intake_unit_next(cal, &c, on("2026-01-05")), on(rows[i].five));
        c.passed |= 1u << INTAKE_UNIT_WARNED_5;
        assert_int_equal(intake_unit_next(cal, &c, on("2026-01-05")), on(rows[i].two));
        c.passed |= 1u << INTAKE_UNIT_WARNED_2;
        assert_int_equal(intake_unit_next(cal, &c, on("2026-01-05")),
                         cf_ms_of_day(day(rows[i].due) + 1));
    }
}

static void marks_come_while_somebody_is_missing(void **state)
{
    const struct cf_calendar *cal = &((struct rig *)*state)->data.calendar;
    static const struct {
        const char *why, *day;
        uint32_t missing;
        const char *want;
    } rows[] = {
        {"nothing yet",            "2026-03-23", 3, ""        },
        {"five working days",      "2026-03-24", 3, "warned_5"},
        {"said once",              "2026-03-24", 3, ""        },
        {"two, and nobody lacks",  "2026-03-27", 0, ""        },
        {"somebody new, no mark",  "2026-03-30", 1, ""        },
        {"the last day",           "2026-03-31", 1, ""        },
        {"the first day after",    "2026-04-01", 1, "overdue" },
        {"still",                  "2026-04-02", 1, ""        },
        {"at last",                "2026-04-03", 0, "met"     },
        {"for good",               "2026-04-07", 2, ""        },
    };
    struct intake_unit_clock c = intake_unit_start(cal, day("2026-03-02"), on("2026-03-02"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = counted(cal, &c, rows[i].missing, on(rows[i].day));
        if (strcmp(got, rows[i].want)) fail_msg("%s: %s", rows[i].why, got);
        cf_ms next = intake_unit_next(cal, &c, on(rows[i].day));
        assert_true(c.met_on ? next == 0 : next > 0);
        if (!strcmp(rows[i].day, "2026-04-01")) assert_int_equal(next, on("2026-04-02"));
    }
    assert_int_equal(c.met_on, day("2026-04-03"));
    assert_int_equal(c.marks, 1u << INTAKE_UNIT_WARNED_5 | 1u << INTAKE_UNIT_OVERDUE);
}

static void what_was_past_when_the_unit_was_heard_of_is_silent(void **state)
{
    const struct cf_calendar *cal = &((struct rig *)*state)->data.calendar;
    static const struct {
        const char *heard, *counted;
        uint32_t missing;
        const char *want;
    } rows[] = {
        {"2026-03-24", "2026-03-24", 1, "warned_5"                       },
        {"2026-03-25", "2026-03-25", 1, "(warned_5)"                     },
        {"2026-03-25", "2026-03-27", 1, "(warned_5) warned_2"            },
        {"2026-04-02", "2026-04-02", 1, "(warned_5) (warned_2) (overdue)"},
        {"2026-03-02", "2026-04-02", 1, "(warned_5) (warned_2) overdue"  },
        {"2026-04-02", "2026-04-02", 0, "(met)"                          },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct intake_unit_clock c =
            intake_unit_start(cal, day("2026-03-02"), on(rows[i].heard));
        assert_string_equal(counted(cal, &c, rows[i].missing, on(rows[i].counted)), rows[i].want);
    }
    /* It is counted at once when a mark's day is over. */
    struct intake_unit_clock c = intake_unit_start(cal, day("2026-03-02"), on("2026-04-02"));
    assert_int_equal(intake_unit_next(cal, &c, on("2026-04-02")), on("2026-04-02"));
    struct intake_unit_clock none = {0};
    assert_int_equal(intake_unit_next(cal, &none, on("2026-04-02")), 0);
    assert_string_equal(counted(cal, &none, 1, on("2026-04-02")), "");
}

/* ---- steps ----------------------------------------------------------------------------------- */

static struct cf_key unit_at(struct rig *r, const char *type, const char *date, int64_t revision,
                             cf_ms now)
{
    struct cf_key key;
    uint8_t id[16];
    char word[40];
    assert_true(cf_key_unit(CF_STR("U7"), &key));
    snprintf(word, sizeof word, "unit.%s", type + sizeof "unit_" - 1);
    fresh_id(r, id);
    assert_int_equal(double_feed(r->d, "unit.events", word, &key, id, now,
                                 intake_codec_unit(r->a, type, CF_STR("U7"), CF_STR("employer"),
                                                   NULL, 0, cf_str_of(date), revision)),
                     0);
    return key;
}

static const struct intake_unit *unit_row(struct rig *r, const struct cf_key *key)
{
    return double_row(r->d, INTAKE_KIND_UNIT, key);
}

static const Cardflow__V1__UnitNotice *last_notice(struct rig *r)
{
    size_t i = r->d->n_sent - 1;
    assert_string_equal(r->d->sent[i].topic, "unit.notices");
    assert_string_equal(r->d->sent[i].type, "unit.deadline_marked");
    const Cardflow__V1__UnitNotice *n =
        cf_unpack(r->a, &cardflow__v1__unit_notice__descriptor, r->d->sent[i].value);
    assert_non_null(n);
    return n;
}

static void count_at(struct rig *r, uint32_t enrolled, uint32_t missing, cf_ms now)
{
    struct cf_work w = r->d->work[0];
    cf_day due_on = 0;
    assert_int_equal(r->d->n_work, 1);
    assert_int_equal(w.kind, INTAKE_WORK_UNIT);
    assert_true(intake_codec_unit_args_read(r->a, w.args, &due_on));
    assert_int_equal(due_on, day("2026-03-31"));
    work_outcome(r, &w, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE,
                 intake_codec_unit_counted(r->a, enrolled, missing), now);
}

static void a_unit_is_counted_at_its_marks_until_nobody_is_missing(void **state)
{
    struct rig *r = *state;
    struct cf_key key = unit_at(r, "unit_registered", "2026-03-02", 1, on("2026-03-02"));
    assert_int_equal(r->d->work[0].due, on("2026-03-24"));
    size_t before = r->d->n_sent;
    count_at(r, 5, 2, on("2026-03-24") + 5);
    const Cardflow__V1__UnitNotice *n = last_notice(r);
    assert_int_equal(r->d->n_sent, before + 1);
    assert_string_equal(n->what, "warned_5");
    assert_string_equal(n->unit_code, "U7");
    assert_int_equal(n->enrolled, 5);
    assert_int_equal(n->missing, 2);
    assert_int_equal(n->due_on, day("2026-03-31"));
    assert_false(n->silent || n->provisional);
    assert_int_equal(r->d->work[0].due, on("2026-03-27"));
    /* PostgreSQL was away: it is counted again, and nothing is said. */
    work_outcome(r, &r->d->work[0], CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY, (struct cf_str){0},
                 on("2026-03-27"));
    assert_int_equal(r->d->n_sent, before + 1);
    assert_int_equal(r->d->work[0].due, on("2026-03-27") + 30000);
    count_at(r, 5, 0, on("2026-03-27") + 30000);
    assert_int_equal(r->d->n_sent, before + 1);
    /* A change leaves the clock alone. */
    unit_at(r, "unit_changed", "2026-03-02", 2, on("2026-03-30"));
    assert_int_equal(r->d->n_work, 1);
    count_at(r, 6, 1, on("2026-04-01"));
    assert_string_equal(last_notice(r)->what, "overdue");
    assert_int_equal(unit_row(r, &key)->missing, 1);
    count_at(r, 6, 0, on("2026-04-02"));
    assert_string_equal(last_notice(r)->what, "met");
    assert_int_equal(unit_row(r, &key)->met_on, day("2026-04-02"));
    assert_int_equal(r->d->n_work, 0);
    assert_int_equal(r->d->n_parked, 0);
}

static void only_a_registration_starts_a_clock_and_another_day_starts_it_anew(void **state)
{
    struct rig *r = *state;
    struct cf_key key = unit_at(r, "unit_changed", "2026-03-02", 1, on("2026-03-02"));
    assert_int_equal(r->d->n_work, 0);
    assert_int_equal(unit_row(r, &key)->due_on, 0);
    unit_at(r, "unit_registered", "2026-03-02", 2, on("2026-03-03"));
    assert_int_equal(r->d->n_work, 1);
    unit_at(r, "unit_registered", "2026-03-02", 3, on("2026-03-03"));
    assert_int_equal(unit_row(r, &key)->count_no, 1);
    unit_at(r, "unit_changed", "2026-04-01", 4, on("2026-04-01"));
    assert_int_equal(unit_row(r, &key)->due_on, day("2026-04-30"));
    assert_int_equal(r->d->n_work, 1); /* under the same id */
    unit_at(r, "unit_changed", "2026-01-01", 3, on("2026-04-01")); /* an older revision */
    assert_int_equal(unit_row(r, &key)->due_on, day("2026-04-30"));
}

static void a_count_that_is_none_is_parked(void **state)
{
    struct rig *r = *state;
    unit_at(r, "unit_registered", "2026-03-02", 1, on("2026-03-02"));
    struct cf_work w = r->d->work[0];
    cf_day due;
    assert_false(intake_codec_unit_args_read(r->a, CF_STR("\xff\xff"), &due));
    Cardflow__V1__IntakeInternal x;
    Cardflow__V1__WorkOutcome o;
    Cardflow__V1__WorkOutcome__Item item, *items = &item;
    cardflow__v1__intake_internal__init(&x);
    cardflow__v1__work_outcome__init(&o);
    cardflow__v1__work_outcome__item__init(&item);
    uint8_t id[16];
    item.work_id = cf_data_id(w.id);
    item.attempt = w.attempt;
    item.kind = w.kind;
    item.key = cf_data(cf_key_str(&w.key));
    item.result = CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE;
    o.items = &items;
    o.n_items = 1;
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_WORK;
    x.work = &o;
    fresh_id(r, id);
    (void)double_feed(r->d, "intake.internal", "work.outcome", &w.key, id, on("2026-03-24"),
                      cf_pack(r->a, &x.base));
    assert_int_equal(r->d->n_parked, 1);
}

static void a_holder_is_with_its_unit_since_the_day_it_was_told(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    uint8_t nobody[16] = {0};
    struct cf_key key = key_of(r, &p, nobody);
    enrol_at(r, &p, 1, on("2026-03-02"));
    assert_int_equal(holder_row(r, &key)->unit_since, day("2026-03-02"));
    enrol_at(r, &p, 2, on("2026-03-05")); /* the same unit */
    assert_int_equal(holder_row(r, &key)->unit_since, day("2026-03-02"));
    end_enrolment(r, &p, 3, "left", on("2026-03-06"));
    enrol_at(r, &p, 4, on("2026-03-09"));
    assert_int_equal(holder_row(r, &key)->unit_since, day("2026-03-09"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_up, rig_down)
    const struct CMUnitTest tests[] = {
        T(a_unit_has_until_the_last_working_day_of_its_month),
        T(marks_come_while_somebody_is_missing),
        T(what_was_past_when_the_unit_was_heard_of_is_silent),
        T(a_unit_is_counted_at_its_marks_until_nobody_is_missing),
        T(only_a_registration_starts_a_clock_and_another_day_starts_it_anew),
        T(a_count_that_is_none_is_parked),
        T(a_holder_is_with_its_unit_since_the_day_it_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
