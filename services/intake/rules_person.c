/* What the fields of the person alone tell: document, name, birth date, sex, phone, address and
 * guardian. Sources: Measures 2015, S1 and S4; GB 11643. */
#include "common/pure/names.h"
#include "common/pure/phone.h"
#include "services/intake/rules.h"

/* Does a valid number of this type tell birth date and sex? Asked for only when the number itself
 * cannot. */
static bool type_tells(enum cf_doc_type type)
{
    return type == CF_DOC_RESIDENT_ID || type == CF_DOC_HOUSEHOLD_BOOK ||
           type == CF_DOC_RESIDENCE_PERMIT_HMT || type == CF_DOC_FOREIGN_PR_2023;
}

bool intake_number_valid(struct cf_str type, struct cf_str number, cf_day today,
                         enum cf_doc_type *t, struct cf_idnum *id, char buf[CF_IDNUM_MAX],
                         size_t *len)
{
    unsigned ignored = 0;
    *t = cf_doc_type_parse(type);
    *len = cf_idnum_normalise(number, buf, &ignored);
    cf_idnum_check(*t, (struct cf_str){buf, *len}, today, id);
    return *t != CF_DOC_NONE && id->reason == CF_ID_OK;
}

static void read_document(const struct intake_person *p, struct cf_arena *arena,
                          struct intake_facts *f)
{
    char buf[CF_IDNUM_MAX];
    f->type = cf_doc_type_parse(p->document_type);
    size_t n = cf_idnum_normalise(p->document_number, buf, &f->warnings);
    f->number = cf_arena_str(arena, (struct cf_str){buf, n});
    if (f->type == CF_DOC_NONE) {
        /* Without a known type nothing can be said about the number. */
        cf_reason_set_add(&f->reasons, CF_REASON_DOCUMENT_TYPE_NOT_ACCEPTED);
        f->id = (struct cf_idnum){.reason = CF_ID_WRONG_DOCUMENT_TYPE, .birth_date = CF_DAY_NONE};
        return;
    }
    cf_idnum_check(f->type, f->number, f->today, &f->id);
    f->number_ok = f->id.reason == CF_ID_OK;
    if (!f->number_ok) cf_reason_set_add_code(&f->reasons, cf_id_reason_code(f->id.reason));
}

static void read_name(const struct intake_person *p, struct cf_arena *arena,
                      struct intake_facts *f)
{
    struct cf_buf buf;
    unsigned warnings = 0;
    cf_buf_init(&buf, 4096);
    /* A name that does not fit is far too long and is refused as such. */
    bool fits = cf_name_normalise(p->name, &buf, &warnings);
    f->name = cf_arena_str(arena, cf_buf_str(&buf));
    cf_buf_free(&buf);
    enum cf_name_reason why = fits ? cf_name_check(f->name) : CF_NAME_TOO_LONG;
    f->warnings |= warnings;
    if (why != CF_NAME_OK) {
        cf_reason_set_add_code(&f->reasons, cf_name_reason_code(why));
        return;
    }
    f->name_ok = true;
    /* Residents' documents show Chinese characters only; the others show either (S4). */
    if ((f->type == CF_DOC_RESIDENT_ID || f->type == CF_DOC_HOUSEHOLD_BOOK) &&
        cf_name_script(f->name) != CF_SCRIPT_HAN) {
        cf_reason_set_add(&f->reasons, CF_REASON_NAME_SCRIPT_NOT_ALLOWED);
        f->name_ok = false;
    }
}

static void read_birth(const struct intake_person *p, struct intake_facts *f)
{
    cf_day given = CF_DAY_NONE;
    bool tells = f->number_ok ? f->id.has_birth : type_tells(f->type);
    f->birth = f->number_ok && f->id.has_birth ? f->id.birth_date : CF_DAY_NONE;
    if (p->birth_date.len == 0) {
        if (!tells && f->type != CF_DOC_NONE)
            cf_reason_set_add(&f->reasons, CF_REASON_MISSING_BIRTH_DATE);
        return;
    }
    if (!cf_day_parse(p->birth_date, &given)) {
        cf_reason_set_add(&f->reasons, CF_REASON_BAD_BIRTH_DATE);
        return;
    }
    if (f->birth == CF_DAY_NONE) {
        f->birth = given;
        if (given > f->today && !tells)
            cf_reason_set_add(&f->reasons, CF_REASON_FUTURE_BIRTH_DATE);
        if (given < cf_day_of_date(1900, 1, 1) && !tells)
            cf_reason_set_add(&f->reasons, CF_REASON_BIRTH_DATE_TOO_EARLY);
    } else if (f->birth != given) {
        cf_reason_set_add(&f->reasons, CF_REASON_BIRTH_DATE_MISMATCH);
    }
}

static void read_sex(const struct intake_person *p, struct intake_facts *f)
{
    enum cf_sex given = cf_sex_parse(p->sex);
    bool tells = f->number_ok ? f->id.has_sex : type_tells(f->type);
    if (f->number_ok && f->id.has_sex) {
        f->sex = f->id.sex;
        if (p->sex.len && given != f->sex) cf_reason_set_add(&f->reasons, CF_REASON_SEX_MISMATCH);
        return;
    }
    f->sex = given;
    if (!tells && f->type != CF_DOC_NONE && given == CF_SEX_NONE)
        cf_reason_set_add(&f->reasons, CF_REASON_MISSING_SEX);
}

static void read_contact(const struct intake_person *p, struct cf_arena *arena,
                         struct intake_facts *f)
{
    char buf[CF_PHONE_MAX];
    size_t n = cf_phone_normalise(p->phone, buf, &f->warnings);
    f->phone = cf_arena_str(arena, (struct cf_str){buf, n});
    enum cf_phone_reason why = cf_phone_check(f->phone);
    if (why != CF_PHONE_OK) cf_reason_set_add_code(&f->reasons, cf_phone_reason_code(why));

    struct cf_str a = p->address;
    while (a.len && memchr(" \t\r\n", *a.ptr, 4))
        a.ptr++, a.len--;
    while (a.len && memchr(" \t\r\n", a.ptr[a.len - 1], 4))
        a.len--;
    f->address = a;
    if (a.len == 0) cf_reason_set_add(&f->reasons, CF_REASON_MISSING_ADDRESS);
}

/* Nothing is left of it when blanks are taken away. */
static bool is_blank(struct cf_str s)
{
    char buf[CF_IDNUM_MAX];
    unsigned ignored = 0;
    return cf_idnum_normalise(s, buf, &ignored) == 0;
}

/* Below 16 a guardian applies: present, of full age, with a valid document, and somebody else. */
static void read_guardian(const struct intake_person *p, struct intake_facts *f)
{
    const struct intake_guardian *g = &p->guardian;
    /* A birth in the future is no age; it has a reason of its own. */
    if (f->birth == CF_DAY_NONE || f->birth > f->today) return;
    if (cf_age_on(f->birth, f->today) >= CF_CHILD_BELOW) return;
    if (is_blank(g->name) || is_blank(g->document_type) || is_blank(g->document_number)) {
        cf_reason_set_add(&f->reasons, CF_REASON_GUARDIAN_MISSING);
        return;
    }
    char buf[CF_IDNUM_MAX];
    size_t n;
    enum cf_doc_type type;
    struct cf_idnum id;
    if (!intake_number_valid(g->document_type, g->document_number, f->today, &type, &id, buf, &n)) {
        cf_reason_set_add(&f->reasons, CF_REASON_GUARDIAN_DOCUMENT_INVALID);
        return;
    }
    if (id.has_birth && cf_age_on(id.birth_date, f->today) < INTAKE_ADULT_FROM)
        cf_reason_set_add(&f->reasons, CF_REASON_GUARDIAN_NOT_ADULT);
    /* household_book and resident_id with one number are one person. */
    enum cf_doc_type mine = f->type;
    if (mine == CF_DOC_HOUSEHOLD_BOOK) mine = CF_DOC_RESIDENT_ID;
    if (type == CF_DOC_HOUSEHOLD_BOOK) type = CF_DOC_RESIDENT_ID;
    if (mine == type && cf_str_eq(f->number, (struct cf_str){buf, n}))
        cf_reason_set_add(&f->reasons, CF_REASON_GUARDIAN_SAME_AS_APPLICANT);
}

void intake_person_read(const struct intake_person *p, cf_day today, struct cf_arena *arena,
                        struct intake_facts *out)
{
    *out = (struct intake_facts){.person = p, .today = today, .birth = CF_DAY_NONE};
    read_document(p, arena, out);
    read_name(p, arena, out);
    read_birth(p, out);
    read_sex(p, out);
    read_contact(p, arena, out);
    read_guardian(p, out);
}
