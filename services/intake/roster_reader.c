#include "services/intake/roster_reader.h"

#include "services/intake/book.h"
#include "services/intake/roster_text.h"

#include <stdlib.h>

struct intake_reader {
    struct intake_text *text; /* one of the two */
    struct intake_book *book;
};

/* Two bytes a character: those of ASCII, which every header line end and delimiter is, tell which
 * of them is the empty one. */
static const char *without_mark(struct cf_str file)
{
    size_t n = file.len < 4096 ? file.len & ~(size_t)1 : 4096, zeros[2] = {0, 0};
    for (size_t i = 0; i < n; i++)
        zeros[i & 1] += file.ptr[i] == 0;
    if (zeros[0] && zeros[1]) return NULL;
    return zeros[1] ? "utf-16le" : zeros[0] ? "utf-16be" : NULL;
}

static const char *utf16_of(struct cf_str file)
{
    if (file.len % 2) return NULL;
    if (file.len >= 2 && memcmp(file.ptr, "\xff\xfe", 2) == 0) return "utf-16le";
    if (file.len >= 2 && memcmp(file.ptr, "\xfe\xff", 2) == 0) return "utf-16be";
    return without_mark(file);
}

const char *intake_file_look(struct cf_str file, const char **encoding)
{
    if (file.len == 0) return "the file is empty";
    if (file.len >= 4 && memcmp(file.ptr, "PK\003\004", 4) == 0) {
        *encoding = "xlsx";
        return NULL;
    }
    if (file.len >= 4 && memcmp(file.ptr, "\xd0\xcf\x11\xe0", 4) == 0)
        return "workbooks of the old form (.xls) and those with a password are not read: save it "
               "as .xlsx without password, or as CSV";
    const char *wide = utf16_of(file);
    if (wide && intake_text_converts(file, wide)) {
        *encoding = wide;
        return NULL;
    }
    if (memchr(file.ptr, 0, file.len)) return "the file is not text: save the list as CSV";
    bool mark = file.len >= 3 && memcmp(file.ptr, "\xef\xbb\xbf", 3) == 0;
    *encoding = mark ? "utf-8 with BOM" : "utf-8";
    if (cf_utf8_valid(file)) return NULL;
    *encoding = "gbk";
    return intake_text_converts(file, "gbk") ? NULL : "the file is neither UTF-8 nor GBK";
}

void intake_reader_free(struct intake_reader *r)
{
    if (!r) return;
    intake_text_free(r->text);
    intake_book_free(r->book);
    free(r);
}

struct intake_reader *intake_reader_new(struct cf_pieces *pieces, struct cf_str encoding)
{
    struct intake_reader *r = cf_calloc(1, sizeof *r);
    if (cf_str_is(encoding, "xlsx"))
        r->book = intake_book_new(pieces);
    else
        r->text = intake_text_new(pieces, encoding);
    return r;
}

enum intake_read intake_reader_next(struct intake_reader *r, struct cf_arena *arena,
                                    struct cf_csv_record *out)
{
    return r->book ? intake_book_next(r->book, arena, out) : intake_text_next(r->text, arena, out);
}

const char *intake_reader_why(const struct intake_reader *r)
{
    return r->book ? intake_book_why(r->book) : intake_text_why(r->text);
}

uint64_t intake_reader_spent(const struct intake_reader *r)
{
    return r->book ? intake_book_spent(r->book) : intake_text_spent(r->text);
}
