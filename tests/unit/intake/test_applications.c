/* Every row of applications.jsonl, in order, against the rules and a small world in memory. */
#include "data.h"

#include <jansson.h>

#include "services/intake/rules_roster.h"

/* What is known of one holder while the file is read. */
struct holder {
    char key[128];
    cf_ms last_first_issue, last_temporary;
    bool permanent_open, temporary_open;
};

static struct holder holders[600];
static size_t n_holders;

static struct holder *holder_of(const struct intake_facts *f)
{
    enum cf_doc_type type = f->type == CF_DOC_HOUSEHOLD_BOOK ? CF_DOC_RESIDENT_ID : f->type;
    char key[128];
    snprintf(key, sizeof key, "%d/%.*s", (int)type, CF_ARG(f->number));
    for (size_t i = 0; i < n_holders; i++)
        if (strcmp(holders[i].key, key) == 0) return &holders[i];
    struct holder *h = &holders[n_holders++];
    memcpy(h->key, key, sizeof key);
    return h;
}

static struct cf_str text(const json_t *o, const char *name)
{
    const char *z = json_string_value(json_object_get(o, name));
    return z ? cf_str_of(z) : (struct cf_str){0};
}

static void read_row(const json_t *o, struct intake_person *p, struct intake_request *r)
{
    const json_t *g = json_object_get(o, "guardian"), *papers = json_object_get(o, "unit_papers");
    const json_t *agent = json_object_get(papers, "agent");
    *p = (struct intake_person){
        text(o, "document_type"), text(o, "document_number"), text(o, "name"), text(o, "sex"),
        text(o, "birth_date"), text(o, "phone"), text(o, "address"),
        {text(g, "name"), text(g, "document_type"), text(g, "document_number"),
         text(g, "relation"), text(g, "phone")},
        {text(agent, "name"), text(agent, "document_type"), text(agent, "document_number")}};
    *r = (struct intake_request){
        .channel = cf_channel_parse(text(o, "channel")),
        .kind = cf_app_kind_parse(text(o, "kind")),
        .bank_code = text(o, "bank_code"),
        .outlet_code = text(o, "outlet_code"),
        .photo_choice = text(o, "photo_choice"),
        .unit_code = text(papers, "unit_code"),
        .introduction_letter_no = text(papers, "introduction_letter_no"),
        .id_copies_held = json_is_true(json_object_get(papers, "id_copies_held")),
        .may_backdate = true,
    };
    assert_true(cf_rfc3339_parse(text(o, "submitted_at"), &r->submitted_at));
}

static const char *joined(struct cf_arena *a, const json_t *list)
{
    struct cf_str s = {"", 0};
    for (size_t i = 0; i < json_array_size(list); i++)
        s = cf_arena_printf(a, "%s%s%s", s.ptr, i ? "|" : "",
                            json_string_value(json_array_get(list, i)));
    return s.ptr;
}

static const char *warnings_z(struct cf_arena *a, unsigned warnings)
{
    struct cf_buf buf;
    cf_buf_init(&buf, 4096);
    assert_true(intake_warnings_text(warnings, &buf));
    struct cf_str s = cf_arena_str(a, cf_buf_str(&buf));
    cf_buf_free(&buf);
    return s.len ? s.ptr : "";
}

static void judge_row(struct world_data *d, const json_t *o, struct intake_verdict *v)
{
    struct intake_person p;
    struct intake_request r;
    struct intake_facts f;
    read_row(o, &p, &r);
    cf_ms now = r.submitted_at + 1000;
    intake_person_read(&p, intake_day(&r, now), d->arena, &f);
    struct holder *h = holder_of(&f);
    struct intake_world w = {
        .enrolment = INTAKE_ENROLMENT_ACTIVE, /* the harness enrols everybody */
        .name_equal = true,
        .permanent_open = h->permanent_open,
        .temporary_open = h->temporary_open,
        .last_first_issue = h->last_first_issue,
        .last_temporary = h->last_temporary,
    };
    if (r.kind == CF_KIND_LOSS_REPLACEMENT || r.kind == CF_KIND_DAMAGE_REPLACEMENT)
        w.permanent = (struct intake_card){.state = CF_CARD_NORMAL, .bank_code = r.bank_code};
    intake_judge(&r, &f, &w, &d->outlets, &d->calendar, d->policies, now, v);
    if (v->outcome != INTAKE_ACCEPT) return;
    /* Done at once, so that only the rule of four days is left. */
    if (r.kind == CF_KIND_FIRST_ISSUE) h->last_first_issue = r.submitted_at;
    if (r.kind == CF_KIND_TEMPORARY) h->last_temporary = r.submitted_at;
}

static size_t check_row(struct world_data *d, const json_t *o)
{
    static const char *const outcomes[] = {"pending", "accepted", "notice", "rejected"};
    const json_t *want = json_object_get(o, "expected");
    struct intake_verdict v;
    judge_row(d, o, &v);
    const char *reasons = reasons_z(d->arena, &v.reasons);
    const char *warnings = warnings_z(d->arena, v.warnings);
    bool same = text(want, "outcome").ptr && strcmp(outcomes[v.outcome], text(want, "outcome").ptr) == 0 &&
                strcmp(reasons, joined(d->arena, json_object_get(want, "reasons"))) == 0 &&
                strcmp(warnings, joined(d->arena, json_object_get(want, "warnings"))) == 0;
    if (same) return 0;
    print_error("%s: wanted %s [%s] [%s], got %s [%s] [%s]\n", text(o, "request_id").ptr,
                text(want, "outcome").ptr, joined(d->arena, json_object_get(want, "reasons")),
                joined(d->arena, json_object_get(want, "warnings")), outcomes[v.outcome], reasons,
                warnings);
    return 1;
}

/* A repeated request_id is the front's business: it never reaches the rules. Same content is the
 * first answer again, other content is refused. */
struct seen {
    char id[32];
    json_t *row;
};

static struct seen seen[600];
static size_t n_seen;

static const char *front_says(json_t *row)
{
    struct cf_str id = text(row, "request_id");
    for (size_t i = 0; i < n_seen; i++) {
        if (!cf_str_is(id, seen[i].id)) continue;
        json_t *a = json_copy(row), *b = json_copy(seen[i].row);
        json_object_del(a, "expected");
        json_object_del(b, "expected");
        bool same = json_equal(a, b);
        json_decref(a);
        json_decref(b);
        return same ? "idempotent_replay" : "request_id_conflict";
    }
    snprintf(seen[n_seen].id, sizeof seen[n_seen].id, "%.*s", CF_ARG(id));
    seen[n_seen++].row = json_incref(row);
    return NULL;
}

static void every_row_of_the_data_is_judged_as_expected(void **state)
{
    (void)state;
    struct world_data d = world_data();
    struct cf_str file = read_file("applications.jsonl");
    size_t wrong = 0, rows = 0, front = 0;
    for (const char *at = file.ptr, *end = file.ptr + file.len; at < end;) {
        const char *nl = memchr(at, '\n', (size_t)(end - at));
        size_t n = nl ? (size_t)(nl - at) : (size_t)(end - at);
        json_error_t error;
        json_t *row = json_loadb(at, n, 0, &error);
        assert_non_null(row);
        const char *says = front_says(row);
        if (says) {
            assert_string_equal(says, joined(d.arena, json_object_get(json_object_get(row, "expected"), "reasons")));
            front++;
        } else {
            wrong += check_row(&d, row);
        }
        rows++;
        json_decref(row);
        at += n + 1;
    }
    for (size_t i = 0; i < n_seen; i++)
        json_decref(seen[i].row);
    free((char *)(uintptr_t)file.ptr);
    cf_arena_free(d.arena);
    assert_int_equal(rows, 500);
    assert_int_equal(front, 2);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_data_is_judged_as_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
