#include "services/intake/book.h"

#include "services/intake/book_inside.h"

#include <stdio.h>
#include <stdlib.h>

#define SHEET_MAX (512u << 20)
#define REST_AFTER (4u << 20)
#define ROW_TEXT_MAX (CF_CSV_FIELDS * (CF_CSV_FIELD_MAX + 1) + BOOK_BLOCK)

enum cell_type { CELL_TEXT, CELL_NUMBER, CELL_SHARED, CELL_ISO_DATE };

struct cell {
    enum cell_type type;
    uint32_t style;
    size_t from, len; /* of the row's text */
};

/* Text that is being collected: of <v> and <t>, but not of the reading aids of <rPh>. */
struct collector {
    struct cf_buf text;
    size_t begun; /* where the current one begins */
    bool on, aid, too_long;
};

struct intake_book {
    struct cf_pieces *pieces;
    struct cf_zip zip;
    struct book_plan plan;
    int phase;
    struct book_part part, sheet, strings_part;
    struct intake_strings *strings;
    struct collector string; /* the shared string under way */
    struct collector row;
    struct cell cells[CF_CSV_FIELDS];
    size_t n; /* cells of the row under way, to the last that has something */
    int column;
    struct cell cell;
    bool full, all_strings; /* full: a row waits to be taken */
    unsigned line;
    size_t columns; /* of the header; 0: not seen yet */
    const char *why;
    uint64_t spent, mark; /* mark: of spent, when this turn began */
};

void intake_book_free(struct intake_book *b)
{
    if (!b) return;
    book_part_close(&b->part);
    book_part_close(&b->sheet);
    book_part_close(&b->strings_part);
    cf_zip_free(&b->zip);
    intake_strings_free(b->strings);
    cf_buf_free(&b->string.text);
    cf_buf_free(&b->row.text);
    free(b);
}

struct intake_book *intake_book_new(struct cf_pieces *pieces)
{
    struct intake_book *b = cf_calloc(1, sizeof *b);
    b->pieces = pieces;
    b->zip = cf_zip_of(pieces);
    b->strings = intake_strings_new();
    cf_buf_init(&b->string.text, 2 * CF_CSV_FIELD_MAX + BOOK_BLOCK);
    cf_buf_init(&b->row.text, ROW_TEXT_MAX);
    return b;
}

const char *intake_book_why(const struct intake_book *b)
{
    return b->why;
}

uint64_t intake_book_spent(const struct intake_book *b)
{
    return b->spent;
}

/* ---- text of a string or a cell -------------------------------------------------------------- */

static void collect(struct collector *c, struct cf_str text)
{
    if (!c->on || c->aid) return;
    size_t have = c->text.len - c->begun, most = CF_CSV_FIELD_MAX + 1;
    if (have + text.len > most) text.len = have < most ? most - have : 0;
    cf_buf_adds(&c->text, text);
}

static void collect_tag(struct collector *c, const char *name, bool begin)
{
    if (strcmp(name, "t") == 0 || strcmp(name, "v") == 0) c->on = begin;
    if (strcmp(name, "rPh") == 0) c->aid = begin;
}

/* ---- shared strings -------------------------------------------------------------------------- */

static void string_begin(void *arg, const char *name, const char *const *attributes)
{
    struct intake_book *b = arg;
    (void)attributes;
    if (strcmp(name, "si") == 0) cf_buf_reset(&b->string.text);
    collect_tag(&b->string, name, true);
}

static void string_end(void *arg, const char *name)
{
    struct intake_book *b = arg;
    collect_tag(&b->string, name, false);
    if (strcmp(name, "si") == 0 && !intake_strings_add(b->strings, cf_buf_str(&b->string.text)))
        cf_xml_refuse(b->strings_part.xml);
}

static void string_text(void *arg, struct cf_str text)
{
    struct intake_book *b = arg;
    collect(&b->string, text);
}

static const struct cf_xml_handlers strings_handlers = {string_begin, string_end, string_text};

/* Strings are read as far as rows ask for them. CF_ZIP_OK: this one is there; CF_ZIP_END: not yet,
 * and this turn was long enough. */
static enum cf_zip_result want_string(struct intake_book *b, uint32_t index)
{
    enum cf_zip_result e = CF_ZIP_OK;
    while (index >= intake_strings_count(b->strings)) {
        if (b->all_strings) return CF_ZIP_BROKEN;
        if (b->spent - b->mark > REST_AFTER) return CF_ZIP_END;
        e = book_part_open(&b->strings_part, &b->zip, b->plan.strings, SHEET_MAX,
                           &strings_handlers, b);
        if (e == CF_ZIP_OK) e = book_part_step(&b->strings_part, &b->spent);
        if (e == CF_ZIP_END) {
            b->all_strings = true;
            book_part_close(&b->strings_part);
        } else if (e != CF_ZIP_OK) {
            return e;
        }
    }
    return CF_ZIP_OK;
}

/* ---- rows of the sheet ----------------------------------------------------------------------- */

/* "AB12": the column, from 0; -1 when it is none, or beyond those that count. */
static int column_of(const char *ref)
{
    int column = 0;
    for (; *ref >= 'A' && *ref <= 'Z'; ref++) {
        column = column * 26 + (*ref - 'A' + 1);
        if (column > CF_CSV_FIELDS) return -1;
    }
    return column - 1;
}

static enum cell_type type_of(const char *t)
{
    if (!t || strcmp(t, "n") == 0) return CELL_NUMBER;
    if (strcmp(t, "s") == 0) return CELL_SHARED;
    return strcmp(t, "d") == 0 ? CELL_ISO_DATE : CELL_TEXT;
}

static void cell_begin(struct intake_book *b, const char *const *attributes)
{
    const char *ref = cf_xml_attribute(attributes, "r"), *style = cf_xml_attribute(attributes, "s");
    b->column = ref ? column_of(ref) : b->column + 1;
    b->cell = (struct cell){.type = type_of(cf_xml_attribute(attributes, "t")),
                            .style = style ? (uint32_t)strtoul(style, NULL, 10) : 0,
                            .from = b->row.text.len};
    b->row.begun = b->row.text.len;
}

static void cell_end(struct intake_book *b)
{
    b->cell.len = b->row.text.len - b->cell.from;
    bool counts = b->column >= 0 && b->column < CF_CSV_FIELDS && b->cell.len;
    /* A cell that is there twice, or out of order: the text of the last one counts. */
    if (!counts) {
        b->row.text.len = b->cell.from;
        return;
    }
    size_t column = (size_t)b->column;
    while (b->n <= column)
        b->cells[b->n++] = (struct cell){.type = CELL_TEXT};
    b->cells[column] = b->cell;
}

static void sheet_begin(void *arg, const char *name, const char *const *attributes)
{
    struct intake_book *b = arg;
    if (strcmp(name, "row") == 0) {
        cf_buf_reset(&b->row.text);
        b->n = 0;
        b->column = -1;
    } else if (strcmp(name, "c") == 0) {
        cell_begin(b, attributes);
    }
    collect_tag(&b->row, name, true);
}

static void sheet_end(void *arg, const char *name)
{
    struct intake_book *b = arg;
    collect_tag(&b->row, name, false);
    if (strcmp(name, "c") == 0) cell_end(b);
    if (strcmp(name, "row") != 0) return;
    b->full = true;
    b->line++;
    cf_xml_pause(b->sheet.xml);
}

static void sheet_text(void *arg, struct cf_str text)
{
    struct intake_book *b = arg;
    collect(&b->row, text);
}

static const struct cf_xml_handlers sheet_handlers = {sheet_begin, sheet_end, sheet_text};

/* ---- a row as a record ----------------------------------------------------------------------- */

static struct cf_str raw_of(const struct intake_book *b, const struct cell *c)
{
    return (struct cf_str){b->row.text.ptr + c->from, c->len};
}

static bool index_of(const struct intake_book *b, const struct cell *c, uint32_t *out)
{
    uint64_t v;
    if (!cf_digits(raw_of(b, c), UINT32_MAX, &v)) return false;
    *out = (uint32_t)v;
    return true;
}

static enum cf_zip_result want_strings(struct intake_book *b)
{
    enum cf_zip_result e = CF_ZIP_OK;
    for (size_t i = 0; i < b->n && e == CF_ZIP_OK; i++) {
        uint32_t index;
        if (b->cells[i].type != CELL_SHARED) continue;
        e = index_of(b, &b->cells[i], &index) ? want_string(b, index) : CF_ZIP_BROKEN;
    }
    return e;
}

static struct cf_str text_of(struct intake_book *b, const struct cell *c, struct cf_arena *arena,
                             uint8_t *kind)
{
    uint32_t index;
    *kind = CF_CELL_TEXT;
    if (c->len == 0) return CF_STR("");
    struct cf_str raw = raw_of(b, c);
    switch (c->type) {
    case CELL_NUMBER: return book_number(&b->plan, raw, c->style, arena, kind);
    case CELL_SHARED:
        return index_of(b, c, &index) ? intake_strings_get(b->strings, index, arena) : CF_STR("");
    case CELL_ISO_DATE:
        *kind = CF_CELL_DATE;
        return cf_arena_str(arena, (struct cf_str){raw.ptr, raw.len < 10 ? raw.len : 10});
    case CELL_TEXT: break;
    }
    return cf_arena_str(arena, raw);
}

static bool is_blank(struct cf_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!memchr(" \t\r\n", s.ptr[i], 4)) return false;
    return true;
}

static void to_record(struct intake_book *b, struct cf_arena *arena, struct cf_csv_record *out)
{
    uint8_t *kinds = cf_arena_zero(arena, CF_CSV_FIELDS);
    *out = (struct cf_csv_record){.line = b->line, .blank = true, .kinds = kinds};
    out->n = b->columns ? b->columns : b->n;
    for (size_t i = 0; i < out->n; i++) {
        out->fields[i] = i < b->n ? text_of(b, &b->cells[i], arena, &kinds[i]) : CF_STR("");
        if (out->fields[i].len > CF_CSV_FIELD_MAX || !cf_utf8_valid(out->fields[i]))
            out->broken = true;
        if (!is_blank(out->fields[i])) out->blank = false;
    }
    if (!out->blank && !out->broken && !b->columns) b->columns = out->n;
    if (b->row.text.full) out->broken = true, out->blank = false; /* cells there many times */
    if (out->broken) out->n = 0;
}

/* ---- on and on ------------------------------------------------------------------------------- */

static enum cf_zip_result step(struct intake_book *b)
{
    if (b->phase < 4) {
        enum cf_zip_result e = book_plan_step(&b->plan, &b->phase, &b->part, &b->zip, &b->spent);
        if (e == CF_ZIP_END) b->phase = 4;
        return e == CF_ZIP_END ? CF_ZIP_OK : e;
    }
    enum cf_zip_result e =
        book_part_open(&b->sheet, &b->zip, b->plan.sheet, SHEET_MAX, &sheet_handlers, b);
    if (e == CF_ZIP_END) return CF_ZIP_BROKEN;
    return e == CF_ZIP_OK ? book_part_step(&b->sheet, &b->spent) : e;
}

static enum intake_read failed(struct intake_book *b, enum cf_zip_result e)
{
    if (e == CF_ZIP_WAIT) return INTAKE_READ_WAIT;
    if (e == CF_ZIP_END) return INTAKE_READ_END;
    b->why = "the workbook is damaged, too large, or of a kind that is not read: save it as .xlsx "
             "or CSV";
    return INTAKE_READ_BROKEN;
}

enum intake_read intake_book_next(struct intake_book *b, struct cf_arena *arena,
                                  struct cf_csv_record *out)
{
    if (b->why) return INTAKE_READ_BROKEN;
    b->mark = b->spent;
    for (;;) {
        bool full = b->full;
        enum cf_zip_result e = full ? want_strings(b) : step(b);
        if (full && e == CF_ZIP_OK) {
            to_record(b, arena, out);
            b->full = false;
            return INTAKE_READ_RECORD;
        }
        if (e != CF_ZIP_OK && !(full && e == CF_ZIP_END)) return failed(b, e);
        if (b->spent - b->mark > REST_AFTER) return INTAKE_READ_REST;
    }
}
