/* Workbooks, behind an archive that is made here: the sheet, or one of the parts beside it, is the
 * input. Archives as such are inputs of target_csv.c. */
#include "services/intake/roster_reader.h"
#include "tests/fuzz/fuzz.h"
#include "tests/zip_write.h"

#define STRINGS "<sst><si><t>one</t></si><si><r><t>t</t></r><r><t>wo</t></r></si></sst>"
#define SHEET                                                                                  \
    "<worksheet><row><c t=\"s\"><v>1</v></c><c s=\"2\"><v>35630</v></c><c t=\"str\"><v>x</v></c>" \
    "</row><row><c r=\"B2\"><v>1.5</v></c></row></worksheet>"

static void check_record(const struct cf_csv_record *r, size_t *columns)
{
    MUST(r->n <= CF_CSV_FIELDS && r->kinds);
    if (r->broken) {
        MUST(r->n == 0);
        return;
    }
    if (*columns) MUST(r->n == *columns);
    if (!*columns && !r->blank) *columns = r->n;
    for (size_t i = 0; i < r->n; i++) {
        MUST(r->fields[i].len <= CF_CSV_FIELD_MAX && cf_utf8_valid(r->fields[i]));
        MUST(r->kinds[i] <= CF_CELL_DATE);
    }
}

static void read_all(struct cf_str file)
{
    struct cf_pieces pieces = cf_pieces_in_memory(file);
    struct intake_reader *reader = intake_reader_new(&pieces, CF_STR("xlsx"));
    struct cf_arena *a = cf_arena_new(8 << 20);
    struct cf_csv_record r;
    size_t columns = 0;
    unsigned line = 0;
    enum intake_read e = INTAKE_READ_RECORD;
    while (e == INTAKE_READ_RECORD || e == INTAKE_READ_REST) {
        cf_arena_reset(a);
        e = intake_reader_next(reader, a, &r);
        MUST(e != INTAKE_READ_WAIT);
        if (e != INTAKE_READ_RECORD) continue;
        MUST(r.line > line);
        line = r.line;
        check_record(&r, &columns);
    }
    MUST(e == INTAKE_READ_END || intake_reader_why(reader));
    MUST(intake_reader_next(reader, a, &r) == e);
    intake_reader_free(reader);
    cf_arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cf_str part[4] = {CF_STR(BOOK_WORKBOOK), CF_STR(BOOK_STYLES_XML), CF_STR(STRINGS),
                             CF_STR(SHEET)};
    struct zip_write z;
    if (size == 0) return 0;
    part[data[0] & 3] = fuzz_str(data + 1, size - 1);
    read_all(book_of(&z, part[0], part[1], part[2], part[3], data[0] & 4));
    cf_buf_free(&z.out);
    return 0;
}
