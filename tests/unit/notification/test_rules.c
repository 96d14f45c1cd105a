#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "services/notification/rules.h"
#include "services/notification/rules_text.h"

static void steps_make_the_messages_a_person_should_hear(void **state)
{
    (void)state;
    static const struct {
        enum cf_app_state state;
        const char *reason, *want;
    } rows[] = {
        {CF_APP_RECEIVED,          "",             ""                   },
        {CF_APP_NOTICED,           "",             "noticed"            },
        {CF_APP_REJECTED,          "",             "rejected"           },
        {CF_APP_ACCEPTED,          "",             "accepted"           },
        {CF_APP_PHOTO_MISSING,     "",             "photo_missing"      },
        {CF_APP_PHOTO_READY,       "",             ""                   },
        {CF_APP_BATCHED,           "",             ""                   },
        {CF_APP_ACCOUNT_FAILED,    "",             "account_failed"     },
        {CF_APP_ACCOUNT_OPENED,    "",             ""                   },
        {CF_APP_PRODUCTION_FAILED, "",             ""                   },
        {CF_APP_PRODUCED,          "",             ""                   },
        {CF_APP_SHIPPED,           "",             ""                   },
        {CF_APP_READY_FOR_PICKUP,  "",             "ready_for_pickup"   },
        {CF_APP_COLLECTED,         "",             "collected"          },
        {CF_APP_WITHDRAWN,         "",             "withdrawn"          },
        {CF_APP_EXPIRED,           "",             "application_expired"},
        {CF_APP_PICKUP_EXPIRED,    "",             "pickup_expired"     },
        {CF_APP_CLOSED,            "card_changed", "closed"             },
        {CF_APP_CLOSED,            "holder_died",  ""                   },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum notification_template t =
            notification_for_step(rows[i].state, cf_str_of(rows[i].reason));
        if (strcmp(notification_template_name(t), rows[i].want) != 0)
            fail_msg("%s %s: %s", cf_app_state_name(rows[i].state), rows[i].reason,
                     notification_template_name(t));
    }
}

static void the_clock_of_an_application_is_told(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"warned",       "deadline_warned" },
        {"overdue",      "deadline_overdue"},
        {"extended",     "deadline_changed"},
        {"recalculated", "deadline_changed"},
        {"",             ""                },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum notification_template t = notification_for_deadline(cf_str_of(rows[i][0]));
        assert_string_equal(notification_template_name(t), rows[i][1]);
        assert_false(notification_is_security(t));
    }
}

static void changes_of_a_card_are_told_and_are_security(void **state)
{
    (void)state;
    static const struct {
        enum cf_card_state before, after;
        const char *operation, *want;
    } rows[] = {
        {CF_CARD_NONE,           CF_CARD_RESERVED,       "",                      ""             },
        {CF_CARD_RESERVED,       CF_CARD_SEALED,         "",                      ""             },
        {CF_CARD_RESERVED,       CF_CARD_VOIDED,         "",                      ""             },
        {CF_CARD_SEALED,         CF_CARD_NORMAL,         "activate",              "activated"    },
        {CF_CARD_NORMAL,         CF_CARD_TEMPORARY_LOSS, "report_temporary_loss", "loss_reported"},
        {CF_CARD_SEALED,         CF_CARD_FORMAL_LOSS,    "report_formal_loss",    "loss_reported"},
        {CF_CARD_TEMPORARY_LOSS, CF_CARD_FORMAL_LOSS,    "",                      "loss_reported"},
        {CF_CARD_TEMPORARY_LOSS, CF_CARD_NORMAL,         "release",               "loss_released"},
        {CF_CARD_FORMAL_LOSS,    CF_CARD_SEALED,         "release",               "loss_released"},
        {CF_CARD_NORMAL,         CF_CARD_APP_LOCKED,     "lock",                  "locked"       },
        {CF_CARD_APP_LOCKED,     CF_CARD_NORMAL,         "unlock",                "unlocked"     },
        {CF_CARD_NORMAL,         CF_CARD_CANCELLED,      "cancel",                "cancelled"    },
        {CF_CARD_NORMAL,         CF_CARD_CANCELLED,      "death",                 ""             },
        {CF_CARD_NORMAL,         CF_CARD_NORMAL,         "set_password",          ""             },
        {CF_CARD_FORMAL_LOSS,    CF_CARD_NORMAL,         "holder_died",           ""             },
        {CF_CARD_TEMPORARY_LOSS, CF_CARD_APP_LOCKED,     "release",               "loss_released"},
        {CF_CARD_SEALED,         CF_CARD_VOIDED,         "",                      ""             },
        {CF_CARD_NORMAL,         CF_CARD_VOIDED,         "",                      ""             },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum notification_template t =
            notification_for_card(rows[i].before, rows[i].after, cf_str_of(rows[i].operation));
        if (strcmp(notification_template_name(t), rows[i].want) != 0)
            fail_msg("%s to %s: %s", cf_card_state_name(rows[i].before),
                     cf_card_state_name(rows[i].after), notification_template_name(t));
        if (t) assert_true(notification_is_security(t));
    }
    assert_false(notification_is_security(NOTIFY_ACCEPTED));
    assert_false(notification_is_security(NOTIFY_COUNT));
    assert_string_equal(notification_template_name(NOTIFY_COUNT), "");
}

static cf_ms at(int day, int hour, int minute)
{
    return cf_ms_of_day(cf_day_of_date(2026, 3, day)) + (hour * 60 + minute) * (cf_ms)60000;
}

static void quiet_hours_hold_back_until_their_end(void **state)
{
    (void)state;
    const struct notification_quiet night = {true, 21 * 60, 8 * 60};
    const struct notification_quiet noon = {true, 12 * 60, 14 * 60}, off = {false, 21 * 60, 480};
    const struct notification_quiet never = {true, 480, 480};
    const struct {
        const char *why;
        const struct notification_quiet *quiet;
        enum notification_template t;
        cf_ms now, want;
    } rows[] = {
        {"day",            &night, NOTIFY_ACCEPTED,      at(10, 12, 0),  at(10, 12, 0) },
        {"last minute",    &night, NOTIFY_ACCEPTED,      at(10, 20, 59), at(10, 20, 59)},
        {"evening",        &night, NOTIFY_ACCEPTED,      at(10, 21, 0),  at(11, 8,  0) },
        {"after midnight", &night, NOTIFY_ACCEPTED,      at(11, 0,  30), at(11, 8,  0) },
        {"before eight",   &night, NOTIFY_ACCEPTED,      at(11, 7,  59), at(11, 8,  0) },
        {"eight",          &night, NOTIFY_ACCEPTED,      at(11, 8,  0),  at(11, 8,  0) },
        {"end of a month", &night, NOTIFY_ACCEPTED,      at(31, 23, 0),  at(31, 32, 0) },
        {"security",       &night, NOTIFY_LOSS_REPORTED, at(10, 23, 0),  at(10, 23, 0) },
        {"off",            &off,   NOTIFY_ACCEPTED,      at(10, 23, 0),  at(10, 23, 0) },
        {"within a day",   &noon,  NOTIFY_ACCEPTED,      at(10, 13, 0),  at(10, 14, 0) },
        {"outside it",     &noon,  NOTIFY_ACCEPTED,      at(10, 14, 0),  at(10, 14, 0) },
        {"before it",      &noon,  NOTIFY_ACCEPTED,      at(10, 11, 59), at(10, 11, 59)},
        {"its first minute", &noon, NOTIFY_ACCEPTED,     at(10, 12, 0),  at(10, 14, 0) },
        {"no minute of it", &never, NOTIFY_ACCEPTED,     at(10, 8,  0),  at(10, 8,  0) },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (notification_due(rows[i].now, rows[i].quiet, rows[i].t) != rows[i].want)
            fail_msg("%s", rows[i].why);
    int minute = -1;
    assert_true(notification_minute_parse(CF_STR("21:05"), &minute));
    assert_int_equal(minute, 21 * 60 + 5);
    static const char *const bad[] = {"24:00", "21:60", "9:00", "21-00", "21:0x", "21:0/", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(notification_minute_parse(cf_str_of(bad[i]), &minute));
}

/* What ends an application ends its reminders, and a card that is made anew begins again. */
static void reminders_end_with_the_application(void **state)
{
    (void)state;
    for (int s = CF_APP_NONE; s < CF_APP_COUNT; s++) {
        bool ends = s == CF_APP_REJECTED || s == CF_APP_COLLECTED || s == CF_APP_WITHDRAWN ||
                    s == CF_APP_EXPIRED || s == CF_APP_PICKUP_EXPIRED || s == CF_APP_CLOSED ||
                    s == CF_APP_PRODUCTION_FAILED;
        assert_int_equal(notification_ends_waiting((enum cf_app_state)s), ends);
    }
}

static void the_guardian_hears_when_the_child_has_no_phone(void **state)
{
    (void)state;
    char out[64];
    assert_int_equal(notification_phone(CF_STR("199 0000 1729"), CF_STR("19900007574"), out), 11);
    assert_string_equal(out, "19900001729");
    assert_int_equal(notification_phone(CF_STR(""), CF_STR("19900007574"), out), 11);
    assert_string_equal(out, "19900007574");
    assert_int_equal(notification_phone(CF_STR("0532-1234"), CF_STR(""), out), 0);
    assert_int_equal(notification_lang(CF_DOC_PASSPORT), CF_LANG_EN);
    assert_int_equal(notification_lang(CF_DOC_FOREIGN_PR_2017), CF_LANG_EN);
    assert_int_equal(notification_lang(CF_DOC_FOREIGN_PR_2023), CF_LANG_EN);
    assert_int_equal(notification_lang(CF_DOC_RESIDENT_ID), CF_LANG_ZH);
    assert_int_equal(notification_lang((enum cf_doc_type)99), CF_LANG_ZH);
}

static void what_we_hold_back_is_suppressed_and_not_failed(void **state)
{
    (void)state;
    assert_int_equal(notification_end_of_failure(CF_STR("no_phone")), NOTIFY_SUPPRESSED);
    assert_int_equal(notification_end_of_failure(CF_STR("holder_died")), NOTIFY_SUPPRESSED);
    assert_int_equal(notification_end_of_failure(CF_STR("number_not_reachable")), NOTIFY_FAILED);
    assert_string_equal(notification_state_name(NOTIFY_SUPPRESSED), "suppressed");
    assert_string_equal(notification_state_name(NOTIFY_FAILED), "failed");
    assert_string_equal(notification_state_name((enum notification_state)99), "");
    assert_int_equal(notification_reminder_days(0), 30);
    assert_int_equal(notification_reminder_days(1), 180);
    assert_int_equal(notification_reminder_days(2), 330);
    assert_int_equal(notification_reminder_days(3), 0);
}

static void every_template_of_the_program_is_sound(void **state)
{
    (void)state;
    struct notification_fault fault = {0};
    if (!notification_texts_check(&fault))
        fail_msg("%s (%s) %s", fault.template, fault.lang, fault.rule);
}

static void an_unsound_template_is_found_out(void **state)
{
    (void)state;
    unsigned used;
    assert_null(notification_text_check(CF_STR("回执{receipt_no}，{due_on}前"), &used));
    assert_int_equal(used, 1u << NOTIFY_VALUE_RECEIPT_NO | 1u << NOTIFY_VALUE_DUE_ON);
    static const char *const bad[] = {"",   "{reciept_no}",   "{receipt_no", "receipt_no}",
                                      "{}", "{{receipt_no}}", "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!notification_text_check(cf_str_of(bad[i]), &used)) fail_msg("\"%s\" passed", bad[i]);
    char text[NOTIFY_TEXT_MAX + 1];
    memset(text, 'x', sizeof text);
    assert_null(notification_text_check((struct cf_str){text, NOTIFY_TEXT_MAX}, &used));
    assert_string_equal(notification_text_check((struct cf_str){text, sizeof text}, &used),
                        "is too long");
}

static void both_languages_of_a_template_say_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *zh, *en, *lang, *rule;
    } rows[] = {
        {"{due_on}前",  "by {due_on}",   "",   NULL                                     },
        {"{due_on",     "by {due_on}",   "zh", "has a placeholder that no value stands for"},
        {"{due_on}前",  "",              "en", "is empty"                               },
        {"{due_on}前",  "by {card_no}",  "en", "does not say the same in both languages"},
        {"前",          "by {due_on}",   "en", "does not say the same in both languages"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct notification_fault fault = {0};
        bool good =
            notification_pair_check(cf_str_of(rows[i].zh), cf_str_of(rows[i].en), &fault);
        assert_int_equal(good, rows[i].rule == NULL);
        if (good) continue;
        assert_string_equal(fault.rule, rows[i].rule);
        assert_string_equal(fault.lang, rows[i].lang);
    }
}

static void values_are_filled_in_and_escaped(void **state)
{
    (void)state;
    char room[400];
    struct cf_buf out;
    cf_buf_init(&out, NOTIFY_TEXT_MAX);
    struct notification_values v = {.v = {[NOTIFY_VALUE_OUTLET_CODE] = CF_STR("B04006")}};
    assert_true(notification_render(NOTIFY_READY_FOR_PICKUP, CF_LANG_ZH, &v, &out));
    snprintf(room, sizeof room, "%.*s", CF_ARG(cf_buf_str(&out)));
    assert_string_equal(room, "您的社会保障卡已到网点B04006，请持有效身份证件领取。");
    assert_int_equal(notification_parts(cf_buf_str(&out)), 1);
    cf_buf_reset(&out);
    v.v[NOTIFY_VALUE_OUTLET_CODE] = CF_STR("{due_on}\n【银行】\x7f");
    assert_true(notification_render(NOTIFY_READY_FOR_PICKUP, CF_LANG_ZH, &v, &out));
    snprintf(room, sizeof room, "%.*s", CF_ARG(cf_buf_str(&out)));
    assert_string_equal(room, "您的社会保障卡已到网点(due_on)(银行)，请持有效身份证件领取。");
    cf_buf_free(&out);
}

/* Cut at 64 characters; and of no room for the whole message comes none. */
static void long_values_are_cut_and_long_messages_not_made(void **state)
{
    (void)state;
    char long_value[3 * 70 + 1] = "";
    for (int i = 0; i < 70; i++)
        memcpy(long_value + 3 * i, "字", 3);
    struct notification_values v = {
        .v = {[NOTIFY_VALUE_OUTLET_CODE] = {long_value, sizeof long_value - 1}}};
    struct cf_str text = CF_STR("a {outlet_code} z");
    const size_t whole = 2 + 3 * 64 + 2;
    for (size_t max = 0; max <= whole; max++) {
        struct cf_buf out;
        cf_buf_init(&out, max);
        assert_int_equal(notification_fill(text, &v, &out), max == whole);
        if (max == whole) assert_memory_equal(out.ptr + 2 + 3 * 63, "字 z", 5);
        cf_buf_free(&out);
    }
    struct cf_buf out;
    cf_buf_init(&out, NOTIFY_TEXT_MAX);
    assert_false(notification_fill(CF_STR("a {nothing}"), &v, &out));
    assert_false(notification_render(NOTIFY_NONE, CF_LANG_ZH, &v, &out));
    assert_false(notification_render(NOTIFY_COUNT, CF_LANG_ZH, &v, &out));
    cf_buf_free(&out);
}

static void a_message_with_an_empty_value_is_not_made(void **state)
{
    (void)state;
    for (int t = 1; t < NOTIFY_COUNT; t++) {
        struct cf_buf out;
        cf_buf_init(&out, NOTIFY_TEXT_MAX);
        struct notification_values none = {0}, all;
        for (int i = 0; i < NOTIFY_VALUE_COUNT; i++)
            all.v[i] = CF_STR("X");
        assert_true(notification_render((enum notification_template)t, CF_LANG_EN, &all, &out));
        assert_null(memchr(out.ptr, '{', out.len));
        cf_buf_reset(&out);
        bool made = notification_render((enum notification_template)t, CF_LANG_ZH, &none, &out);
        /* Those without placeholders need no value. */
        if (made) assert_true(notification_parts(cf_buf_str(&out)) >= 1);
        if (t == NOTIFY_ACCEPTED || t == NOTIFY_ACTIVATED || t == NOTIFY_REMINDER)
            assert_false(made);
        cf_buf_free(&out);
    }
}

static void parts_count_ucs2_units(void **state)
{
    (void)state;
    char text[400];
    size_t n = 0;
    for (int i = 0; i < 70; i++)
        n += cf_utf8_put(0x4e00, text + n);
    assert_int_equal(notification_parts((struct cf_str){text, n}), 1);
    n += cf_utf8_put('.', text + n);
    assert_int_equal(notification_parts((struct cf_str){text, n}), 2);
    n = 0;
    for (int i = 0; i < 36; i++)
        n += cf_utf8_put(0x20000, text + n); /* two units each */
    assert_int_equal(notification_parts((struct cf_str){text, n}), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_make_the_messages_a_person_should_hear),
        cmocka_unit_test(the_clock_of_an_application_is_told),
        cmocka_unit_test(changes_of_a_card_are_told_and_are_security),
        cmocka_unit_test(quiet_hours_hold_back_until_their_end),
        cmocka_unit_test(reminders_end_with_the_application),
        cmocka_unit_test(the_guardian_hears_when_the_child_has_no_phone),
        cmocka_unit_test(what_we_hold_back_is_suppressed_and_not_failed),
        cmocka_unit_test(every_template_of_the_program_is_sound),
        cmocka_unit_test(an_unsound_template_is_found_out),
        cmocka_unit_test(both_languages_of_a_template_say_the_same),
        cmocka_unit_test(values_are_filled_in_and_escaped),
        cmocka_unit_test(long_values_are_cut_and_long_messages_not_made),
        cmocka_unit_test(a_message_with_an_empty_value_is_not_made),
        cmocka_unit_test(parts_count_ucs2_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
