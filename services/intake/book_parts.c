/* book_parts -- parts of a workbook as XML, and the small ones that say where the rows are. */
#include "common/pure/date.h"
#include "services/intake/book_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PART_MAX (8u << 20)

/* ---- a part ---------------------------------------------------------------------------------- */

void book_part_close(struct book_part *p)
{
    if (!p->open) return;
    cf_zip_stream_free(&p->zip);
    cf_xml_free(p->xml);
    *p = (struct book_part){.open = false};
}

enum cf_zip_result book_part_open(struct book_part *p, struct cf_zip *zip, const char *name,
                                  uint64_t max, const struct cf_xml_handlers *handlers, void *arg)
{
    struct cf_zip_member member;
    if (p->open) return CF_ZIP_OK;
    enum cf_zip_result e = cf_zip_find(zip, cf_str_of(name), &member);
    if (e != CF_ZIP_OK) return e;
    p->zip = cf_zip_stream_of(zip, &member, max);
    p->xml = cf_xml_new(handlers, arg);
    p->open = true;
    return CF_ZIP_OK;
}

static enum cf_zip_result told(struct book_part *p, enum cf_xml_result e)
{
    p->paused = e == CF_XML_PAUSED;
    return e == CF_XML_BROKEN ? CF_ZIP_BROKEN : CF_ZIP_OK;
}

enum cf_zip_result book_part_step(struct book_part *p, uint64_t *spent)
{
    char block[BOOK_BLOCK];
    size_t n;
    if (p->paused) return told(p, cf_xml_go_on(p->xml));
    if (p->ended) return CF_ZIP_END;
    enum cf_zip_result e = cf_zip_read(&p->zip, block, sizeof block, &n);
    if (e != CF_ZIP_OK && e != CF_ZIP_END) return e;
    p->ended = e == CF_ZIP_END;
    *spent += n;
    return told(p, cf_xml_feed(p->xml, (struct cf_str){block, n}, p->ended));
}

/* ---- the workbook: its first visible sheet --------------------------------------------------- */

static bool is_true(const char *s)
{
    return s && (strcmp(s, "1") == 0 || strcmp(s, "true") == 0);
}

static void on_workbook(void *arg, const char *name, const char *const *attributes)
{
    struct book_plan *plan = arg;
    const char *id = cf_xml_attribute(attributes, "id"),
               *state = cf_xml_attribute(attributes, "state");
    if (strcmp(name, "workbookPr") == 0)
        plan->from_1904 = is_true(cf_xml_attribute(attributes, "date1904"));
    if (strcmp(name, "sheet") != 0 || *plan->sheet_id || !id) return;
    if (state && strcmp(state, "visible") != 0) return;
    snprintf(plan->sheet_id, sizeof plan->sheet_id, "%s", id);
}

/* ---- relations: the names of the parts ------------------------------------------------------- */

static void path_of(const char *target, char out[BOOK_PATH])
{
    snprintf(out, BOOK_PATH, "%s%s", *target == '/' ? "" : "xl/",
             *target == '/' ? target + 1 : target);
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

static void on_relation(void *arg, const char *name, const char *const *attributes)
{
    struct book_plan *plan = arg;
    const char *id = cf_xml_attribute(attributes, "Id"),
               *type = cf_xml_attribute(attributes, "Type"),
               *target = cf_xml_attribute(attributes, "Target");
    if (strcmp(name, "Relationship") != 0 || !id || !type || !target) return;
    if (strcmp(id, plan->sheet_id) == 0) path_of(target, plan->sheet);
    if (ends_with(type, "/sharedStrings")) path_of(target, plan->strings);
    if (ends_with(type, "/styles")) path_of(target, plan->styles);
}

/* ---- styles: which of them show a date ------------------------------------------------------- */

/* Text in quotes, in brackets or behind a backslash is shown as it is. */
static bool shows_date(const char *format)
{
    char quote = 0;
    for (const char *p = format; *p; p++) {
        if (quote) {
            if (*p == quote) quote = 0;
        } else if (*p == '"') {
            quote = '"';
        } else if (*p == '[') {
            quote = ']';
        } else if (*p == '\\' && p[1]) {
            p++;
        } else if (strchr("yYdD", *p)) {
            return true;
        }
    }
    return false;
}

/* Numbers that every spreadsheet knows; 27 to 36 and 50 to 58 are those of East Asia. */
static bool is_date_format(const struct book_plan *plan, unsigned long number)
{
    for (size_t i = 0; i < plan->n_date_formats; i++)
        if (plan->date_formats[i] == number) return true;
    return (number >= 14 && number <= 17) || number == 22 || (number >= 27 && number <= 31) ||
           number == 36 || (number >= 50 && number <= 54) || number == 57 || number == 58;
}

static unsigned long number_in(const char *const *attributes, const char *name)
{
    const char *s = cf_xml_attribute(attributes, name);
    return s ? strtoul(s, NULL, 10) : 0;
}

static void on_style(void *arg, const char *name, const char *const *attributes)
{
    struct book_plan *plan = arg;
    unsigned long number = number_in(attributes, "numFmtId");
    const char *format = cf_xml_attribute(attributes, "formatCode");
    if (strcmp(name, "numFmt") == 0 && format && number <= UINT16_MAX && shows_date(format) &&
        plan->n_date_formats < sizeof plan->date_formats / sizeof *plan->date_formats)
        plan->date_formats[plan->n_date_formats++] = (uint16_t)number;
    if (strcmp(name, "cellXfs") == 0) plan->in_cell_styles = true;
    if (strcmp(name, "xf") != 0 || !plan->in_cell_styles || plan->n_styles == BOOK_STYLES) return;
    uint32_t i = plan->n_styles++;
    if (is_date_format(plan, number)) plan->is_date[i / 8] |= (uint8_t)(1u << i % 8);
}

static void on_style_end(void *arg, const char *name)
{
    struct book_plan *plan = arg;
    if (strcmp(name, "cellXfs") == 0) plan->in_cell_styles = false;
}

/* ---- one after the other --------------------------------------------------------------------- */

static const struct cf_xml_handlers workbook = {on_workbook, NULL, NULL};
static const struct cf_xml_handlers relations = {on_relation, NULL, NULL};
static const struct cf_xml_handlers styles = {on_style, on_style_end, NULL};

enum cf_zip_result book_plan_step(struct book_plan *plan, int *phase, struct book_part *part,
                                  struct cf_zip *zip, uint64_t *spent)
{
    const struct {
        const char *name;
        const struct cf_xml_handlers *handlers;
        bool needed;
    } parts[] = {
        {"xl/workbook.xml",            &workbook,  true },
        {"xl/_rels/workbook.xml.rels", &relations, true },
        {plan->styles,                 &styles,    false},
    };
    if (*phase == 3) return *plan->sheet ? CF_ZIP_END : CF_ZIP_BROKEN;
    enum cf_zip_result e = book_part_open(part, zip, parts[*phase].name, PART_MAX,
                                          parts[*phase].handlers, plan);
    bool absent = e == CF_ZIP_END;
    if (absent && parts[*phase].needed) return CF_ZIP_BROKEN;
    if (e == CF_ZIP_OK) e = book_part_step(part, spent);
    if (e != CF_ZIP_END) return e;
    book_part_close(part);
    ++*phase;
    return CF_ZIP_OK;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* Days of Excel: 1 is 1900-01-01, and 60 a 29 February that never was; or 0 is 1904-01-01. */
static bool date_of(const struct book_plan *plan, double serial, cf_day *out)
{
    double whole = floor(serial);
    if (!(whole >= 0 && whole < 2958466)) return false;
    int days = (int)whole;
    if (plan->from_1904)
        *out = cf_day_of_date(1904, 1, 1) + days;
    else
        *out = cf_day_of_date(1899, 12, 30) + days + (days < 60);
    return true;
}

struct cf_str book_number(const struct book_plan *plan, struct cf_str raw, uint32_t style,
                          struct cf_arena *arena, uint8_t *kind)
{
    char *end;
    cf_day day;
    struct cf_str z = cf_arena_printf(arena, "%.*s", CF_ARG(raw));
    double value = strtod(z.ptr, &end);
    *kind = CF_CELL_NUMBER;
    if (raw.len == 0 || end != z.ptr + z.len || !isfinite(value)) return z;
    if (style < BOOK_STYLES && plan->is_date[style / 8] >> style % 8 & 1 &&
        date_of(plan, value, &day)) {
        char *text = cf_arena_alloc(arena, 11);
        *kind = CF_CELL_DATE;
        return cf_str_of(cf_day_text(day, text));
    }
    bool digits = fabs(value) < 1e15 && floor(value) == value;
    return digits ? cf_arena_printf(arena, "%.0f", value) : z;
}
