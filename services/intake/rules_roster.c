#include "services/intake/rules_roster.h"

#include "common/pure/cell.h"
#include "common/pure/hash.h"

#include <stdlib.h>

static const struct {
    const char *en, *zh;
    bool needed;
} columns[INTAKE_COLUMN_COUNT] = {
#define X(value, en, zh, needed) {en, zh, needed},
    INTAKE_COLUMNS(X)
#undef X
};

static struct cf_str trim(struct cf_str s)
{
    while (s.len && memchr(" \t\r\n", *s.ptr, 4))
        s.ptr++, s.len--;
    while (s.len && memchr(" \t\r\n", s.ptr[s.len - 1], 4))
        s.len--;
    return s;
}

bool intake_header_read(const struct cf_csv_record *r, struct intake_header *out,
                        const char **missing)
{
    out->fields = r->n;
    for (size_t c = 0; c < INTAKE_COLUMN_COUNT; c++) {
        out->at[c] = -1;
        for (size_t i = 0; i < r->n && out->at[c] < 0; i++) {
            struct cf_str name = trim(r->fields[i]);
            if (cf_str_is(name, columns[c].en) || cf_str_is(name, columns[c].zh))
                out->at[c] = (int)i;
        }
        if (out->at[c] < 0 && columns[c].needed) {
            *missing = columns[c].en;
            return false;
        }
    }
    return true;
}

static enum cf_cell_kind kind(const struct intake_header *h, const struct cf_csv_record *r,
                              enum intake_column c)
{
    if (h->at[c] < 0 || !r->kinds) return CF_CELL_TEXT;
    return (enum cf_cell_kind)r->kinds[h->at[c]];
}

static struct cf_str cell(const struct intake_header *h, const struct cf_csv_record *r,
                          enum intake_column c, unsigned *warnings)
{
    if (h->at[c] < 0) return (struct cf_str){0};
    return cf_cell_text(r->fields[h->at[c]], warnings);
}

/* In the words of an application; what is not understood stays as it is and is refused there. */
static struct cf_str type_word(struct cf_str text)
{
    enum cf_doc_type type = cf_doc_type_parse_zh(trim(text));
    return type == CF_DOC_NONE ? text : cf_str_of(cf_doc_type_name(type));
}

static struct cf_str sex_word(struct cf_str text)
{
    enum cf_sex sex = cf_sex_parse_zh(trim(text));
    return sex == CF_SEX_NONE ? text : cf_str_of(cf_sex_name(sex));
}

static struct cf_str date_word(struct cf_str text, struct cf_arena *arena, unsigned *warnings)
{
    cf_day day;
    if (!cf_cell_date(trim(text), &day, warnings)) return text;
    char *out = cf_arena_alloc(arena, 11);
    return cf_str_of(cf_day_text(day, out));
}

static struct cf_str photo_word(struct cf_str text)
{
    static const struct {
        const char *zh, *en;
    } words[] = {{"公安照片", "public_security"}, {"上传", "upload"}, {"无照片", "none"}};
    text = trim(text);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (cf_str_is(text, words[i].zh)) return cf_str_of(words[i].en);
    return text;
}

void intake_row_read(const struct intake_header *h, const struct cf_csv_record *r,
                     struct cf_str unit_code, struct cf_arena *arena, struct intake_row *out)
{
    *out = (struct intake_row){0};
    if (r->broken || r->n != h->fields) {
        /* Which cell is which cannot be told, so nothing else is judged. */
        cf_reason_set_add(&out->reasons, CF_REASON_COLUMN_COUNT);
        return;
    }
    unsigned *w = &out->warnings;
    struct intake_person *p = &out->person;
    p->name = cell(h, r, INTAKE_COLUMN_NAME, w);
    p->document_type = type_word(cell(h, r, INTAKE_COLUMN_TYPE, w));
    p->document_number = cell(h, r, INTAKE_COLUMN_NUMBER, w);
    p->sex = sex_word(cell(h, r, INTAKE_COLUMN_SEX, w));
    p->birth_date = date_word(cell(h, r, INTAKE_COLUMN_BIRTH, w), arena, w);
    p->phone = cell(h, r, INTAKE_COLUMN_PHONE, w);
    p->address = cell(h, r, INTAKE_COLUMN_ADDRESS, w);
    p->guardian.name = cell(h, r, INTAKE_COLUMN_GUARDIAN_NAME, w);
    p->guardian.document_type = type_word(cell(h, r, INTAKE_COLUMN_GUARDIAN_TYPE, w));
    p->guardian.document_number = cell(h, r, INTAKE_COLUMN_GUARDIAN_NUMBER, w);
    p->guardian.relation = cell(h, r, INTAKE_COLUMN_RELATION, w);
    p->guardian.phone = cell(h, r, INTAKE_COLUMN_GUARDIAN_PHONE, w);
    out->photo_choice = photo_word(cell(h, r, INTAKE_COLUMN_PHOTO, w));
    /* A spreadsheet keeps 15 digits of a number; whether some were lost cannot be told. */
    bool number_cell = kind(h, r, INTAKE_COLUMN_NUMBER) != CF_CELL_TEXT && p->document_number.len;
    if (kind(h, r, INTAKE_COLUMN_PHONE) == CF_CELL_NUMBER) *w |= CF_WARN_NUMBER_CELL;
    if (kind(h, r, INTAKE_COLUMN_BIRTH) == CF_CELL_DATE) *w |= CF_WARN_DATE_CELL;
    if (number_cell || cf_cell_is_scientific(trim(p->document_number))) {
        out->number_damaged = true;
        cf_reason_set_add(&out->reasons, CF_REASON_EXCEL_NUMBER_DAMAGE);
    }
    struct cf_str unit = trim(cell(h, r, INTAKE_COLUMN_UNIT, w));
    if (h->at[INTAKE_COLUMN_UNIT] >= 0 && !cf_str_eq(unit, unit_code))
        cf_reason_set_add(&out->reasons, CF_REASON_UNIT_CODE_MISMATCH);
}

struct cf_reason_set intake_row_reasons(const struct intake_row *row, const struct intake_facts *f)
{
    struct cf_reason_set all = row->reasons;
    if (cf_reason_set_has(&all, CF_REASON_COLUMN_COUNT)) return all;
    struct cf_reason_set person = f->reasons;
    /* The digits are gone: what is left of the number is not worth a reason of its own. */
    if (row->number_damaged)
        cf_reason_set_remove(&person, cf_reason_parse(cf_str_of(cf_id_reason_code(f->id.reason))));
    cf_reason_set_join(&all, &person);
    return all;
}

/* Open addressing, a power of two, at most half full; 0 stands for an empty place. */
struct intake_seen {
    uint64_t *slots;
    size_t n, size;
};

void intake_seen_free(struct intake_seen *s)
{
    if (!s) return;
    free(s->slots);
    free(s);
}

struct intake_seen *intake_seen_new(void)
{
    struct intake_seen *s = cf_calloc(1, sizeof *s);
    s->size = 256;
    s->slots = cf_calloc(s->size, sizeof *s->slots);
    return s;
}

static bool put(uint64_t *slots, size_t size, uint64_t h)
{
    size_t i = h & (size - 1);
    while (slots[i] && slots[i] != h)
        i = (i + 1) & (size - 1);
    bool known = slots[i] == h;
    slots[i] = h;
    return known;
}

bool intake_seen_add(struct intake_seen *s, const uint8_t key[16], enum cf_doc_type type,
                     struct cf_str number)
{
    uint8_t input[CF_REF_INPUT_MAX];
    size_t n = cf_ref_input(type, number, input);
    if (n == 0) return false;
    uint64_t h = cf_siphash(key, input, n);
    h += h == 0;
    if (2 * (s->n + 1) > s->size) {
        uint64_t *slots = cf_calloc(2 * s->size, sizeof *slots);
        for (size_t i = 0; i < s->size; i++)
            if (s->slots[i]) put(slots, 2 * s->size, s->slots[i]);
        free(s->slots);
        s->slots = slots;
        s->size *= 2;
    }
    bool known = put(s->slots, s->size, h);
    s->n += !known;
    return known;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool intake_roster_reasons_text(const struct cf_reason_set *set, struct cf_buf *out)
{
    const char *codes[CF_REASON_COUNT];
    size_t n = 0;
    for (enum cf_reason r = cf_reason_set_next(set, 0); r < CF_REASON_COUNT;
         r = cf_reason_set_next(set, r + 1)) {
        const struct cf_reason_info *info = cf_reason_info(r);
        codes[n++] = *info->alias ? info->alias : info->code;
    }
    qsort(codes, n, sizeof *codes, compare);
    for (size_t i = 0; i < n; i++)
        if (!cf_buf_printf(out, "%s%s", i ? "|" : "", codes[i])) return false;
    return true;
}

bool intake_warnings_text(unsigned warnings, struct cf_buf *out)
{
    bool first = true;
    for (unsigned i = 0; i < CF_WARN_COUNT; i++) {
        if (!(warnings >> i & 1u)) continue;
        if (!cf_buf_printf(out, "%s%s", first ? "" : "|", cf_warning_name(i))) return false;
        first = false;
    }
    return true;
}

/* ---- collecting ------------------------------------------------------------------------------ */

const char *intake_take_name(enum intake_take take)
{
    static const char *const names[] = {
#define X(value, name) name,
        INTAKE_TAKES(X)
#undef X
    };
    return names[take];
}

enum intake_take intake_row_take(bool known, bool unchanged, enum cf_app_state state)
{
    if (!known) return INTAKE_TAKE_UNKNOWN;
    if (unchanged) return INTAKE_TAKE_OTHER_LIST;
    if (state == CF_APP_COLLECTED) return INTAKE_TAKE_ALREADY;
    return state == CF_APP_READY_FOR_PICKUP ? INTAKE_TAKE_NOW : INTAKE_TAKE_NOT_READY;
}
