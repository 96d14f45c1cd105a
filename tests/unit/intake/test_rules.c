/* Codes that the data does not put to the test, and how they go together. */
#include "data.h"

#include "common/pure/photo.h"

#define NOW "2026-03-02T10:00:00+08:00"

static struct world_data data;

static int load(void **state)
{
    (void)state;
    data = world_data();
    return 0;
}

static int unload(void **state)
{
    (void)state;
    cf_arena_free(data.arena);
    return 0;
}

static cf_ms at_of(const char *text)
{
    cf_ms at = 0;
    assert_true(cf_rfc3339_parse(cf_str_of(text), &at));
    return at;
}

/* A case starts from an application that is accepted and spoils one thing. */
struct setting {
    struct intake_person p;
    struct intake_request r;
    struct intake_world w;
};

static struct setting good(void)
{
    return (struct setting){
        .p = {.document_type = CF_STR("resident_id"),
              .document_number = CF_STR("370222197409309228"),
              .name = CF_STR("朱英红"),
              .sex = CF_STR("female"),
              .birth_date = CF_STR("1974-09-30"),
              .phone = CF_STR("19900004310"),
              .address = CF_STR("青岛市市北区示例路118号"),
              .agent = {CF_STR("黄志"), CF_STR("resident_id"), CF_STR("370203200012179598")}},
        .r = {.channel = CF_CHANNEL_BANK_OUTLET,
              .kind = CF_KIND_FIRST_ISSUE,
              .bank_code = CF_STR("B01"),
              .outlet_code = CF_STR("B01001"),
              .photo_choice = CF_STR("public_security"),
              .unit_code = CF_STR("U1"),
              .introduction_letter_no = CF_STR("JS-1"),
              .id_copies_held = true,
              .submitted_at = at_of(NOW),
              .received_at = at_of(NOW)},
        .w = {.enrolment = INTAKE_ENROLMENT_ACTIVE, .name_equal = true}};
}

static struct intake_verdict judge(const struct setting *s)
{
    struct intake_facts f;
    struct intake_verdict v;
    cf_ms now = at_of(NOW);
    intake_person_read(&s->p, intake_day(&s->r, now), data.arena, &f);
    intake_judge(&s->r, &f, &s->w, &data.outlets, &data.calendar, data.policies, now,
                 &v);
    return v;
}

typedef void spoil(struct setting *s);

static const char *outcome_name(enum intake_outcome o)
{
    static const char *const names[] = {"wait", "accept", "notice", "reject"};
    return names[o];
}

struct row {
    const char *why;
    spoil *spoil;
    enum intake_outcome outcome;
    const char *reasons;
};

static void check(const struct row *rows, size_t n)
{
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        struct setting s = good();
        rows[i].spoil(&s);
        struct intake_verdict v = judge(&s);
        const char *reasons = reasons_z(data.arena, &v.reasons);
        if (v.outcome == rows[i].outcome && strcmp(reasons, rows[i].reasons) == 0) continue;
        print_error("%s: wanted %s [%s], got %s [%s]\n", rows[i].why,
                    outcome_name(rows[i].outcome), rows[i].reasons, outcome_name(v.outcome),
                    reasons);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

#define SPOIL(name, ...)                        \
    static void name(struct setting *s)         \
    {                                           \
        __VA_ARGS__;                            \
    }

/* ---- the person ------------------------------------------------------------------------------- */

SPOIL(nothing, (void)s)
SPOIL(latin_name, s->p.name = CF_STR("ZHU YINGHONG"))
SPOIL(no_sex_no_birth, s->p.sex = s->p.birth_date = CF_STR(""))
SPOIL(passport, s->p.document_type = CF_STR("passport"); s->p.document_number = CF_STR("E12345678"))
SPOIL(bare_passport, passport(s); s->p.sex = s->p.birth_date = CF_STR(""))
SPOIL(odd_passport, passport(s); s->p.sex = CF_STR("x"); s->p.birth_date = CF_STR("1/2/80"))
SPOIL(unborn, passport(s); s->p.birth_date = CF_STR("2030-01-01"))
SPOIL(ancient, passport(s); s->p.birth_date = CF_STR("1899-12-31"))
SPOIL(odd_sex, s->p.sex = CF_STR("x"))
SPOIL(all_empty, s->p = (struct intake_person){.document_type = CF_STR("passport")})
SPOIL(blank_address, s->p.address = CF_STR(" \t"))
SPOIL(full_width_phone, s->p.phone = CF_STR("１９９００００４３１０"))
SPOIL(framed_address, s->p.address = CF_STR("\r\n 示例路1号\t\n"))
SPOIL(endless_name, static char name[5000]; memset(name, 'a', sizeof name);
      s->p.name = (struct cf_str){name, sizeof name})
SPOIL(bare_2017, s->p.document_type = CF_STR("foreign_pr_2017");
      s->p.document_number = CF_STR("USA370277070410"); s->p.name = CF_STR("JOHN SMITH");
      s->p.sex = s->p.birth_date = CF_STR(""))
SPOIL(bad_bare_2017, bare_2017(s); s->p.document_number = CF_STR("USA370277070411"))
SPOIL(bad_bare_2023, bare_2017(s); s->p.document_type = CF_STR("foreign_pr_2023");
      s->p.document_number = CF_STR("937840197707040033"))
SPOIL(bad_bare_permit, bad_bare_2023(s); s->p.document_type = CF_STR("residence_permit_hmt");
      s->p.document_number = CF_STR("810000199003070010"))
SPOIL(bad_ancient, s->p.document_number = CF_STR("370222197409309220");
      s->p.birth_date = CF_STR("1899-12-31"))
SPOIL(bad_unborn, bad_ancient(s); s->p.birth_date = CF_STR("2030-01-01"))

static void the_person_is_checked_as_a_whole(void **state)
{
    static const struct row rows[] = {
        {"everything in order",                nothing,          INTAKE_ACCEPT, ""                       },
        {"residents have Chinese names",       latin_name,       INTAKE_NOTICE, "name_script_not_allowed"},
        {"the number tells sex and birth",     no_sex_no_birth,  INTAKE_ACCEPT, ""                       },
        {"a passport with all given",          passport,         INTAKE_ACCEPT, ""                       },
        {"a passport tells neither",           bare_passport,    INTAKE_NOTICE,
         "missing_birth_date|missing_sex"                                                                },
        {"what is given must be understood",   odd_passport,     INTAKE_NOTICE,
         "bad_birth_date|missing_sex"                                                                    },
        {"born in the future",                 unborn,           INTAKE_NOTICE, "future_birth_date"      },
        {"born before 1900",                   ancient,          INTAKE_NOTICE, "birth_date_too_early"   },
        {"a sex that is none",                 odd_sex,          INTAKE_NOTICE, "sex_mismatch"           },
        {"all that is missing is told at once", all_empty,       INTAKE_NOTICE,
         "missing_address|missing_birth_date|missing_document_number|missing_name|missing_phone|"
         "missing_sex"                                                                                   },
        {"blanks are no address",              blank_address,    INTAKE_NOTICE, "missing_address"        },
        {"a phone in full width is a phone",   full_width_phone, INTAKE_ACCEPT, ""                       },
        {"an address between blanks",          framed_address,   INTAKE_ACCEPT, ""                       },
        {"a name without end",                 endless_name,     INTAKE_NOTICE, "name_name_too_long"     },
        {"a card of 2017 tells neither",       bare_2017,        INTAKE_NOTICE,
         "missing_birth_date|missing_sex"                                                                },
        {"nor with a wrong number",            bad_bare_2017,    INTAKE_NOTICE,
         "bad_check_digit|missing_birth_date|missing_sex"                                                },
        {"one of 2023 would tell both",        bad_bare_2023,    INTAKE_NOTICE, "bad_check_digit"        },
        {"and so would the permit",            bad_bare_permit,  INTAKE_NOTICE, "bad_check_digit"        },
        {"a wrong number would tell the year", bad_ancient,      INTAKE_NOTICE, "bad_check_digit"        },
        {"and that it is not to come",         bad_unborn,       INTAKE_NOTICE, "bad_check_digit"        },
    };
    (void)state;
    check(rows, sizeof rows / sizeof *rows);
}

/* ---- children --------------------------------------------------------------------------------- */

/* Born 2016-04-25; the guardian is in order. */
SPOIL(child, s->p.document_number = CF_STR("370281201604259405"); s->p.name = CF_STR("孙波丽");
      s->p.birth_date = CF_STR("2016-04-25");
      s->p.guardian = (struct intake_guardian){CF_STR("陈博涵"), CF_STR("resident_id"),
                                               CF_STR("37020319890223961X"), CF_STR("father"),
                                               CF_STR("19900007574")})
SPOIL(child_alone, child(s); s->p.guardian = (struct intake_guardian){.phone = CF_STR("1")})
SPOIL(nameless_guardian, child(s); s->p.guardian.name = CF_STR(""))
SPOIL(blank_guardian, child(s); s->p.guardian.name = CF_STR(" \t　"))
SPOIL(blank_typed_guardian, child(s); s->p.guardian.document_type = CF_STR(" "))
SPOIL(blank_numbered_guardian, child(s); s->p.guardian.document_number = CF_STR("　　"))
SPOIL(framed_guardian, child(s); s->p.guardian.name = CF_STR(" 陈博涵 "))
SPOIL(typeless_guardian, child(s); s->p.guardian.document_type = CF_STR(""))
SPOIL(numberless_guardian, child(s); s->p.guardian.document_number = CF_STR(""))
SPOIL(paperless_guardian, typeless_guardian(s); s->p.guardian.document_number = CF_STR(""))
SPOIL(odd_guardian, child(s); s->p.guardian.document_type = CF_STR("library_card"))
SPOIL(foreign_guardian, child(s); s->p.guardian.document_type = CF_STR("passport");
      s->p.guardian.document_number = CF_STR("E12345678"))
SPOIL(own_guardian, child(s); s->p.guardian.document_type = CF_STR("household_book");
      s->p.guardian.document_number = s->p.document_number)
SPOIL(child_without_photo, child(s); s->r.photo_choice = CF_STR("none"))
SPOIL(adult_without_photo, s->r.photo_choice = CF_STR("none"))
SPOIL(ageless_without_photo, bare_passport(s); s->p.sex = CF_STR("male");
      s->r.photo_choice = CF_STR("none"))
SPOIL(swap_without_photo, child(s); s->r.photo_choice = CF_STR("none");
      s->r.kind = CF_KIND_PHOTO_SWAP;
      s->w.permanent = (struct intake_card){.state = CF_CARD_NORMAL, .bank_code = CF_STR("B01")})
SPOIL(on_the_day_before_16, child(s); s->p.guardian = (struct intake_guardian){.phone = {0}};
      s->r.may_backdate = true; s->r.submitted_at = at_of("2025-01-01T09:00:00+08:00");
      s->p.document_number = CF_STR("370281200901029407"); s->p.birth_date = CF_STR("2009-01-02"))
SPOIL(on_the_day_of_16, on_the_day_before_16(s);
      s->r.submitted_at = at_of("2025-01-02T09:00:00+08:00"))

/* The check digit of the number above, found once. */
static void fix_number(struct setting *s)
{
    static char number[19];
    memcpy(number, s->p.document_number.ptr, 18);
    number[17] = cf_gb11643_check(number);
    s->p.document_number = (struct cf_str){number, 18};
}

SPOIL(day_before_16, on_the_day_before_16(s); fix_number(s))
SPOIL(day_of_16, on_the_day_of_16(s); fix_number(s))

static void children_need_a_guardian(void **state)
{
    static const struct row rows[] = {
        {"with a guardian",                       child,               INTAKE_ACCEPT, ""                 },
        {"without one",                           child_alone,         INTAKE_NOTICE, "guardian_missing" },
        {"a guardian has a name",                 nameless_guardian,   INTAKE_NOTICE, "guardian_missing" },
        {"and a document",                        paperless_guardian, INTAKE_NOTICE,
         "guardian_missing"                                                                              },
        {"of a type",                             typeless_guardian,   INTAKE_NOTICE, "guardian_missing" },
        {"with a number",                         numberless_guardian, INTAKE_NOTICE, "guardian_missing" },
        {"blanks are no name",                    blank_guardian,      INTAKE_NOTICE, "guardian_missing" },
        {"no type",                               blank_typed_guardian, INTAKE_NOTICE,
         "guardian_missing"                                                                              },
        {"and no number",                         blank_numbered_guardian, INTAKE_NOTICE,
         "guardian_missing"                                                                              },
        {"a name between blanks is one",          framed_guardian,     INTAKE_ACCEPT, ""                 },
        {"and a document that counts",            odd_guardian,        INTAKE_NOTICE,
         "guardian_document_invalid"                                                                     },
        {"a passport does not tell the age",      foreign_guardian,    INTAKE_ACCEPT, ""                 },
        {"the household book shows the child",    own_guardian,        INTAKE_NOTICE,
         "guardian_not_adult|guardian_same_as_applicant"                                                 },
        {"a child may go without photo",          child_without_photo, INTAKE_ACCEPT, ""                 },
        {"an adult may not",                      adult_without_photo, INTAKE_NOTICE,
         "photo_none_not_allowed"                                                                        },
        {"who tells no age may be a child",       ageless_without_photo, INTAKE_NOTICE,
         "missing_birth_date"                                                                            },
        {"to swap the photo one must have one",   swap_without_photo,  INTAKE_NOTICE,
         "photo_none_not_allowed"                                                                        },
        {"15 on the acceptance day",              day_before_16,       INTAKE_NOTICE, "guardian_missing" },
        {"16 on the acceptance day",              day_of_16,           INTAKE_ACCEPT, ""                 },
    };
    (void)state;
    check(rows, sizeof rows / sizeof *rows);
}

/* ---- papers, channel, form -------------------------------------------------------------------- */

SPOIL(by_unit, s->r.channel = CF_CHANNEL_UNIT)
SPOIL(no_letter, by_unit(s); s->r.introduction_letter_no = CF_STR(""))
SPOIL(no_agent, by_unit(s); s->p.agent = (struct intake_agent){.name = {0}})
SPOIL(numberless_agent, by_unit(s); s->p.agent.document_number = CF_STR(""))
SPOIL(by_school, by_unit(s); s->r.channel = CF_CHANNEL_SCHOOL)
SPOIL(no_unit, by_school(s); s->r.unit_code = CF_STR(""))
SPOIL(odd_agent, by_unit(s); s->p.agent.document_number = CF_STR("370203200012179599"))
SPOIL(no_copies, by_unit(s); s->r.id_copies_held = false)
SPOIL(nothing_at_all, by_unit(s); s->r.unit_code = s->r.introduction_letter_no = CF_STR("");
      s->r.id_copies_held = false; s->p.agent = (struct intake_agent){.name = {0}})
SPOIL(papers_before, nothing_at_all(s); s->r.papers_given_before = true)
SPOIL(by_phone, s->r.channel = CF_CHANNEL_BANK_PHONE)
SPOIL(by_nothing, s->r.channel = CF_CHANNEL_NONE)
SPOIL(temporary_online, s->r.kind = CF_KIND_TEMPORARY; s->r.channel = CF_CHANNEL_ONLINE)
SPOIL(no_kind, s->r.kind = CF_KIND_NONE)
SPOIL(with_fee, s->r.with_fee = true)
SPOIL(no_bank, s->r.bank_code = s->r.outlet_code = CF_STR(""))
SPOIL(other_banks_outlet, s->r.outlet_code = CF_STR("B02001"))
SPOIL(closed_outlet, s->r.bank_code = CF_STR("B03"); s->r.outlet_code = CF_STR("B03006"))
SPOIL(odd_photo, s->r.photo_choice = CF_STR("selfie"))
SPOIL(bad_photo, s->r.photo_choice = CF_STR("upload");
      s->r.photo_reasons = CF_PHOTO_BAD_WRONG_DPI | CF_PHOTO_BAD_FILE_TOO_LARGE)
SPOIL(no_reissue_reason, s->r.kind = CF_KIND_REISSUE)
SPOIL(in_future, s->r.submitted_at = at_of("2026-03-02T10:05:00+08:00"))
SPOIL(clock_ahead, s->r.submitted_at = at_of("2026-03-02T10:02:00+08:00"))
SPOIL(three_days, s->r.submitted_at = at_of("2026-02-27T10:00:00+08:00"))
SPOIL(too_old, s->r.submitted_at = at_of("2026-02-27T09:59:59+08:00"))
SPOIL(too_old_but_may, too_old(s); s->r.may_backdate = true)
SPOIL(judged_late, too_old(s); s->r.received_at = at_of("2026-03-02T09:59:59+08:00"))
SPOIL(came_too_late, judged_late(s); s->r.received_at++)
SPOIL(of_before, too_old(s); s->r.received_at = 0)
SPOIL(odd_time, s->r.submitted_at = -1)
SPOIL(expired, s->w.command_expired = true)
SPOIL(both, with_fee(s); s->p.phone = CF_STR("1"))

static void papers_and_form_are_checked(void **state)
{
    static const struct row rows[] = {
        {"a unit with its papers",            by_unit,            INTAKE_ACCEPT, ""                       },
        {"no letter",                         no_letter,          INTAKE_NOTICE, "missing_unit_papers"    },
        {"no agent",                          no_agent,           INTAKE_NOTICE, "missing_unit_papers"    },
        {"an agent without a number",         numberless_agent,   INTAKE_NOTICE, "missing_unit_papers"    },
        {"a school with its papers",          by_school,          INTAKE_ACCEPT, ""                       },
        {"a school without its code",         no_unit,            INTAKE_NOTICE, "missing_unit_papers"    },
        {"an agent with a wrong number",      odd_agent,          INTAKE_NOTICE, "agent_document_invalid" },
        {"copies not confirmed",              no_copies,          INTAKE_NOTICE, "id_copies_not_confirmed"},
        {"no papers at all",                  nothing_at_all,     INTAKE_NOTICE,
         "id_copies_not_confirmed|missing_unit_papers"                                                    },
        {"papers given before",               papers_before,      INTAKE_ACCEPT, ""                       },
        {"nothing can be applied by phone",   by_phone,           INTAKE_REJECT, "channel_not_allowed"    },
        {"a channel that is none",            by_nothing,         INTAKE_REJECT, "channel_not_allowed"    },
        {"temporary cards at the counter",    temporary_online,   INTAKE_REJECT, "channel_not_allowed"    },
        {"a kind that is none",               no_kind,            INTAKE_REJECT, "unknown_kind"           },
        {"the service is free",               with_fee,           INTAKE_REJECT, "fee_not_allowed"        },
        {"no bank, no outlet",                no_bank,            INTAKE_REJECT, "unknown_outlet"         },
        {"an outlet of another bank",         other_banks_outlet, INTAKE_REJECT, "unknown_outlet"         },
        {"a closed outlet",                   closed_outlet,      INTAKE_REJECT, "outlet_inactive"        },
        {"a photo choice that is none",       odd_photo,          INTAKE_NOTICE, "bad_photo_choice"       },
        {"a photo that cannot be used",       bad_photo,          INTAKE_NOTICE, "file_too_large|wrong_dpi"},
        {"a reissue has a reason",            no_reissue_reason,  INTAKE_NOTICE, "bad_reissue_reason"     },
        {"submitted in the future",           in_future,          INTAKE_REJECT, "submitted_in_future"    },
        {"a clock two minutes ahead",         clock_ahead,        INTAKE_ACCEPT, ""                       },
        {"three days ago to the second",      three_days,         INTAKE_ACCEPT, ""                       },
        {"a second more",                     too_old,            INTAKE_REJECT, "submitted_too_old"      },
        {"a key that may back-date",          too_old_but_may,    INTAKE_ACCEPT, ""                       },
        {"in time, and judged later",         judged_late,        INTAKE_ACCEPT, ""                       },
        {"too late, and judged later",        came_too_late,      INTAKE_REJECT, "submitted_too_old"      },
        {"of when nobody noted it",           of_before,          INTAKE_ACCEPT, ""                       },
        {"a time that cannot be read",        odd_time,           INTAKE_NOTICE, "bad_submitted_at"       },
        {"a command older than 7 days",       expired,            INTAKE_REJECT, "command_expired"        },
        {"one rejection rejects the rest",    both,               INTAKE_REJECT, "bad_phone|fee_not_allowed"},
    };
    (void)state;
    check(rows, sizeof rows / sizeof *rows);
}

/* One column a channel, as in the list: outlet, phone of the bank, unit, school, online, terminal,
 * hotline, upstream. */
static void the_matrix_of_channels_is_as_published(void **state)
{
    static const char *const want[CF_KIND_COUNT] = {
        [CF_KIND_FIRST_ISSUE] = "+-++++-+",        [CF_KIND_LOSS_REPLACEMENT] = "+-++++-+",
        [CF_KIND_DAMAGE_REPLACEMENT] = "+-++++-+", [CF_KIND_PHOTO_SWAP] = "+--+++-+",
        [CF_KIND_TEMPORARY] = "+------+",          [CF_KIND_REISSUE] = "+-++++-+",
    };
    (void)state;
    for (int kind = CF_KIND_NONE; kind < CF_KIND_COUNT; kind++) {
        for (int channel = CF_CHANNEL_NONE; channel <= CF_CHANNEL_COUNT; channel++) {
            bool among = channel > CF_CHANNEL_NONE && channel < CF_CHANNEL_COUNT;
            bool may = want[kind] && among && want[kind][channel - 1] == '+';
            assert_int_equal(
                intake_channel_allows((enum cf_channel)channel, (enum cf_app_kind)kind), may);
        }
    }
}

/* ---- enrolment, open applications, cards ------------------------------------------------------ */

static void hold(struct setting *s, enum cf_app_kind kind, enum cf_card_state state)
{
    s->r.kind = kind;
    s->w.permanent = (struct intake_card){.state = state, .bank_code = CF_STR("B01"),
                                          .has_photo = true,
                                          .valid_until = cf_day_of_date(2030, 1, 1)};
}

static void elsewhere(struct setting *s)
{
    s->r.bank_code = CF_STR("B02");
    s->r.outlet_code = CF_STR("B02001");
}

SPOIL(unknown, s->w.enrolment = INTAKE_ENROLMENT_UNKNOWN)
SPOIL(unknown_and_bad, unknown(s); s->p.phone = CF_STR("1"))
SPOIL(waited, unknown(s); s->w.waited = true)
SPOIL(left, s->w.enrolment = INTAKE_ENROLMENT_ENDED)
SPOIL(other_name, s->w.name_equal = false)
SPOIL(other_bad_name, s->w.name_equal = false; s->p.name = CF_STR("王3"))
SPOIL(unknown_bad_number, unknown(s); s->p.document_number = CF_STR("370222197409309220"))
SPOIL(other_schools_bank, s->w.school_banks_known = true)
SPOIL(schools_bank, s->w.school_banks_known = s->w.school_has_bank = true)
SPOIL(open, s->w.permanent_open = true)
SPOIL(open_and_card, hold(s, CF_KIND_FIRST_ISSUE, CF_CARD_NORMAL); s->w.permanent_open = true)
SPOIL(temporary_beside_open, s->r.kind = CF_KIND_TEMPORARY; s->w.permanent_open = true)
SPOIL(temporary_open, s->r.kind = CF_KIND_TEMPORARY; s->w.temporary_open = true)
SPOIL(four_days, s->w.last_first_issue = s->r.submitted_at - 4 * (cf_ms)CF_MS_PER_DAY)
SPOIL(more_than_four, s->w.last_first_issue = s->r.submitted_at - 4 * (cf_ms)CF_MS_PER_DAY - 1)
SPOIL(temporary_four, s->r.kind = CF_KIND_TEMPORARY; s->w.last_temporary = s->r.submitted_at)
SPOIL(before_the_last, s->w.last_first_issue = s->r.submitted_at + 1)
SPOIL(loss_after_first, hold(s, CF_KIND_LOSS_REPLACEMENT, CF_CARD_NORMAL);
      s->w.last_first_issue = s->r.submitted_at)
SPOIL(has_card, hold(s, CF_KIND_FIRST_ISSUE, CF_CARD_SEALED))
SPOIL(had_card, hold(s, CF_KIND_FIRST_ISSUE, CF_CARD_CANCELLED))
SPOIL(loss_of_nothing, s->r.kind = CF_KIND_LOSS_REPLACEMENT)
SPOIL(loss_of_lost, hold(s, CF_KIND_LOSS_REPLACEMENT, CF_CARD_FORMAL_LOSS))
SPOIL(pupils_loss, loss_of_lost(s); other_schools_bank(s))
SPOIL(loss_of_cancelled, hold(s, CF_KIND_LOSS_REPLACEMENT, CF_CARD_CANCELLED))
SPOIL(loss_elsewhere, hold(s, CF_KIND_LOSS_REPLACEMENT, CF_CARD_NORMAL); elsewhere(s))
SPOIL(damage, hold(s, CF_KIND_DAMAGE_REPLACEMENT, CF_CARD_APP_LOCKED))
SPOIL(damage_of_lost, hold(s, CF_KIND_DAMAGE_REPLACEMENT, CF_CARD_TEMPORARY_LOSS))
SPOIL(swap, hold(s, CF_KIND_PHOTO_SWAP, CF_CARD_NORMAL); s->w.permanent.has_photo = false)
SPOIL(swap_again, hold(s, CF_KIND_PHOTO_SWAP, CF_CARD_NORMAL))
SPOIL(swap_elsewhere, swap(s); elsewhere(s))
SPOIL(swap_sealed, swap(s); s->w.permanent.state = CF_CARD_SEALED)
SPOIL(swap_lost, swap(s); s->w.permanent.state = CF_CARD_FORMAL_LOSS)
SPOIL(swap_cancelled, swap(s); s->w.permanent.state = CF_CARD_CANCELLED)
SPOIL(swap_nothing, s->r.kind = CF_KIND_PHOTO_SWAP)
SPOIL(temporary_card, s->r.kind = CF_KIND_TEMPORARY; s->w.temporary.state = CF_CARD_NORMAL)
SPOIL(exchange, s->r.kind = CF_KIND_REISSUE; s->r.reissue_reason = CF_STR("mass_exchange"))
SPOIL(exchange_known, exchange(s); hold(s, CF_KIND_REISSUE, CF_CARD_NORMAL))
SPOIL(expiry_early, hold(s, CF_KIND_REISSUE, CF_CARD_NORMAL); s->r.reissue_reason = CF_STR("expiry"))
SPOIL(expiry, expiry_early(s); s->w.permanent.valid_until = cf_day_of_date(2026, 5, 31))
SPOIL(expiry_of_unknown, expiry_early(s); s->w.permanent.valid_until = 0)
SPOIL(expiry_too_early, expiry(s); s->w.permanent.valid_until += 1)
SPOIL(expiry_of_nothing, s->r.kind = CF_KIND_REISSUE; s->r.reissue_reason = CF_STR("expiry"))
SPOIL(expiry_of_cancelled, expiry(s); s->w.permanent.state = CF_CARD_CANCELLED)
SPOIL(exchange_of_cancelled, exchange_known(s); s->r.reissue_reason = CF_STR("mass_exchange");
      s->w.permanent.state = CF_CARD_CANCELLED)
SPOIL(data_changed, hold(s, CF_KIND_REISSUE, CF_CARD_NORMAL);
      s->r.reissue_reason = CF_STR("data_changed"))
SPOIL(data_changed_elsewhere, data_changed(s); elsewhere(s))
SPOIL(bank_change, data_changed_elsewhere(s); s->r.reissue_reason = CF_STR("bank_change"))
SPOIL(bank_change_same, data_changed(s); s->r.reissue_reason = CF_STR("bank_change"))

static void the_world_is_checked(void **state)
{
    static const struct row rows[] = {
        {"the enrolment may be on its way",     unknown,                INTAKE_WAIT,   ""                       },
        {"what else is wrong is told at once",  unknown_and_bad,        INTAKE_NOTICE, "bad_phone"              },
        {"it has not come",                     waited,                 INTAKE_NOTICE, "not_enrolled"           },
        {"it has ended",                        left,                   INTAKE_NOTICE, "not_enrolled"           },
        {"another name is enrolled",            other_name,             INTAKE_NOTICE, "enrolment_name_mismatch"},
        {"a bad name is not compared",          other_bad_name,         INTAKE_NOTICE, "name_has_digit"         },
        {"a bad number is nobody's",            unknown_bad_number,     INTAKE_NOTICE, "bad_check_digit"        },
        {"not the school's bank",               other_schools_bank,     INTAKE_NOTICE, "not_schools_bank"       },
        {"the school's bank",                   schools_bank,           INTAKE_ACCEPT, ""                       },
        {"a replacement is the issuing bank's", pupils_loss,            INTAKE_ACCEPT, ""                       },
        {"one is open",                         open,                   INTAKE_REJECT, "duplicate_application"  },
        {"instead of card_exists",              open_and_card,          INTAKE_REJECT, "duplicate_application"  },
        {"a temporary one beside it",           temporary_beside_open,  INTAKE_ACCEPT, ""                       },
        {"one temporary one",                   temporary_open,         INTAKE_REJECT, "duplicate_application"  },
        {"accepted four days before",           four_days,              INTAKE_REJECT, "duplicate_application"  },
        {"and a millisecond",                   more_than_four,         INTAKE_ACCEPT, ""                       },
        {"the last was submitted later",        before_the_last,        INTAKE_ACCEPT, ""                       },
        {"temporary ones too",                  temporary_four,         INTAKE_REJECT, "duplicate_application"  },
        {"replacements know no four days",      loss_after_first,       INTAKE_ACCEPT, ""                       },
        {"a sealed card is a card",             has_card,               INTAKE_REJECT, "card_exists"            },
        {"a cancelled one is none",             had_card,               INTAKE_ACCEPT, ""                       },
        {"nothing to replace",                  loss_of_nothing,        INTAKE_REJECT, "no_card_to_replace"     },
        {"a lost card is replaced",             loss_of_lost,           INTAKE_ACCEPT, ""                       },
        {"a cancelled one is not",              loss_of_cancelled,      INTAKE_REJECT, "card_cancelled"         },
        {"by its own bank",                     loss_elsewhere,         INTAKE_REJECT, "not_issuing_bank"       },
        {"a damaged card is handed in",         damage,                 INTAKE_ACCEPT, ""                       },
        {"so it cannot be lost",                damage_of_lost,         INTAKE_REJECT, "no_card_to_replace"     },
        {"a card without photo gets one",       swap,                   INTAKE_ACCEPT, ""                       },
        {"once",                                swap_again,             INTAKE_REJECT, "card_exists"            },
        {"from the bank that issued it",        swap_elsewhere,         INTAKE_REJECT, "not_original_bank"      },
        {"before it is activated, too",         swap_sealed,            INTAKE_ACCEPT, ""                       },
        {"not while it is lost",                swap_lost,              INTAKE_REJECT, "no_card_to_replace"     },
        {"nor when it is cancelled",            swap_cancelled,         INTAKE_REJECT, "card_cancelled"         },
        {"if there is a card",                  swap_nothing,           INTAKE_REJECT, "no_card_to_replace"     },
        {"one temporary card",                  temporary_card,         INTAKE_REJECT, "card_exists"            },
        {"an old card unknown to us",           exchange,               INTAKE_ACCEPT, ""                       },
        {"is not one that we know",             exchange_known,         INTAKE_REJECT, "card_exists"            },
        {"not yet expiring",                    expiry_early,           INTAKE_REJECT, "card_exists"            },
        {"90 days before",                      expiry,                 INTAKE_ACCEPT, ""                       },
        {"a day sooner is too early",           expiry_too_early,       INTAKE_REJECT, "card_exists"            },
        {"when it ends is not known",           expiry_of_unknown,      INTAKE_ACCEPT, ""                       },
        {"no card expires",                     expiry_of_nothing,      INTAKE_REJECT, "no_card_to_replace"     },
        {"a cancelled card does not expire",    expiry_of_cancelled,    INTAKE_REJECT, "card_cancelled"         },
        {"a cancelled one is exchanged",        exchange_of_cancelled,  INTAKE_ACCEPT, ""                       },
        {"changed data, same bank",             data_changed,           INTAKE_ACCEPT, ""                       },
        {"changed data, another bank",          data_changed_elsewhere, INTAKE_REJECT, "not_issuing_bank"       },
        {"a change of bank needs another",      bank_change,            INTAKE_ACCEPT, ""                       },
        {"not the same",                        bank_change_same,       INTAKE_REJECT, "card_exists"            },
    };
    (void)state;
    check(rows, sizeof rows / sizeof *rows);
}

/* ---- what an accepted one carries ------------------------------------------------------------- */

static void an_accepted_one_carries_choice_and_deadline(void **state)
{
    (void)state;
    struct setting s = good();
    struct intake_verdict v = judge(&s);
    assert_int_equal(v.photo_choice, CF_PHOTO_PUBLIC_SECURITY);
    assert_int_equal(v.deadline.due_on, cf_day_of_date(2026, 3, 11));
    assert_false(v.is_child);
    passport(&s); /* the police have photos of residents only */
    v = judge(&s);
    assert_int_equal(v.photo_choice, CF_PHOTO_UPLOAD);
    s = good();
    child_without_photo(&s);
    v = judge(&s);
    assert_int_equal(v.photo_choice, CF_PHOTO_NONE_DECLARED);
    assert_true(v.is_child);
    s = good();
    s.p.phone = CF_STR("1");
    v = judge(&s);
    assert_int_equal(v.respond_by, cf_day_of_date(2026, 4, 1));
    assert_int_equal(v.warnings, 0);
}

/* ---- states ----------------------------------------------------------------------------------- */

static void every_pair_of_state_and_event_is_as_drawn(void **state)
{
    /* One column an event, as in the list: accept notice reject withdraw expire close ready fail
     * collect pickup_expire. A letter is the state that follows, a dot is illegal. */
    static const struct {
        enum cf_app_state from;
        const char *to;
    } want[] = {
        {CF_APP_RECEIVED,         "ANRW.C...."},
        {CF_APP_NOTICED,          "ANRWXC...."},
        {CF_APP_ACCEPTED,         "...WXCrAcP"},
        {CF_APP_READY_FOR_PICKUP, "...W.CrAcP"},
    };
    static const struct {
        char letter;
        enum cf_app_state state;
    } letters[] = {{'A', CF_APP_ACCEPTED}, {'N', CF_APP_NOTICED}, {'R', CF_APP_REJECTED},
                   {'W', CF_APP_WITHDRAWN}, {'X', CF_APP_EXPIRED}, {'C', CF_APP_CLOSED},
                   {'r', CF_APP_READY_FOR_PICKUP}, {'c', CF_APP_COLLECTED},
                   {'P', CF_APP_PICKUP_EXPIRED}};
    (void)state;
    for (int from = CF_APP_NONE; from < CF_APP_COUNT; from++)
        for (int on = 0; on < INTAKE_EVENT_COUNT; on++) {
            enum cf_app_state expected = CF_APP_NONE;
            for (size_t i = 0; i < sizeof want / sizeof *want; i++)
                for (size_t k = 0; k < sizeof letters / sizeof *letters; k++)
                    if ((int)want[i].from == from && want[i].to[on] == letters[k].letter)
                        expected = letters[k].state;
            enum cf_app_state got =
                intake_state_next((enum cf_app_state)from, (enum intake_event)on);
            if (got != expected)
                print_error("%s on %s\n", cf_app_state_name((enum cf_app_state)from),
                            intake_event_name((enum intake_event)on));
            assert_int_equal(got, expected);
            /* An end has no way out. */
            if (cf_app_state_is_end((enum cf_app_state)from)) assert_int_equal(got, CF_APP_NONE);
        }
}

static void every_state_is_counted_somewhere(void **state)
{
    (void)state;
    for (int s = CF_APP_NONE + 1; s < CF_APP_COUNT; s++)
        assert_true(intake_count_of((enum cf_app_state)s) < INTAKE_COUNT_COUNT);
    assert_int_equal(intake_count_of(CF_APP_NONE), INTAKE_COUNT_COUNT);
    assert_int_equal(intake_count_of(CF_APP_COUNT), INTAKE_COUNT_COUNT);
    assert_int_equal(intake_count_of((enum cf_app_state)99), INTAKE_COUNT_COUNT);
    assert_int_equal(intake_count_of(CF_APP_SHIPPED), INTAKE_COUNT_ACCEPTED);
    assert_int_equal(intake_count_of(CF_APP_CLOSED), INTAKE_COUNT_ENDED);
    assert_string_equal(intake_count_name(INTAKE_COUNT_READY), "ready_for_pickup");
    assert_string_equal(intake_count_name(INTAKE_COUNT_ENDED), "ended");
    assert_string_equal(intake_event_name(INTAKE_ON_ACCEPT), "accept");
    assert_string_equal(intake_event_name(INTAKE_ON_PICKUP_EXPIRE), "pickup_expire");
}

/* A clock that is a minute ahead is no reason to refuse; but nobody is accepted tomorrow. */
static void a_clock_ahead_at_midnight_counts_as_today(void **state)
{
    (void)state;
    const struct intake_request r = {.submitted_at = at_of("2026-03-03T00:00:30+08:00")};
    cf_ms now = at_of("2026-03-02T23:59:30+08:00");
    assert_int_equal(intake_submitted_at(&r, now), now);
    assert_int_equal(intake_day(&r, now), cf_day_of_ms(now));
    assert_int_equal(intake_day(&r, r.submitted_at + 1), cf_day_of_ms(now) + 1);
}

/* The matrix of channels has told what a kind is that nobody knows; the cards say nothing more. */
static void a_kind_that_is_not_known_asks_for_no_card(void **state)
{
    (void)state;
    struct setting s = good();
    struct intake_facts f;
    static const enum cf_app_kind kinds[] = {CF_KIND_NONE, CF_KIND_COUNT, (enum cf_app_kind)99};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct cf_reason_set reasons = {{0, 0}};
        s.r.kind = kinds[i];
        intake_person_read(&s.p, intake_day(&s.r, 0), data.arena, &f);
        intake_check_world(&s.r, &f, &s.w, s.r.submitted_at, &reasons);
        assert_false(cf_reason_set_any(&reasons));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_person_is_checked_as_a_whole),
        cmocka_unit_test(children_need_a_guardian),
        cmocka_unit_test(papers_and_form_are_checked),
        cmocka_unit_test(the_matrix_of_channels_is_as_published),
        cmocka_unit_test(the_world_is_checked),
        cmocka_unit_test(an_accepted_one_carries_choice_and_deadline),
        cmocka_unit_test(every_pair_of_state_and_event_is_as_drawn),
        cmocka_unit_test(every_state_is_counted_somewhere),
        cmocka_unit_test(a_clock_ahead_at_midnight_counts_as_today),
        cmocka_unit_test(a_kind_that_is_not_known_asks_for_no_card),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
