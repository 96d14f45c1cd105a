#include "services/intake/roster_text.h"

#include "common/pure/error.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

#define WINDOW_MAX (512u << 10)
#define BLOCK (32u << 10) /* of the file at a time */
#define REST_AFTER (4u << 20)

struct intake_text {
    struct cf_pieces *pieces;
    iconv_t convert; /* (iconv_t)-1: it is UTF-8 already */
    uint64_t at;     /* of the file: next byte */
    struct cf_buf window;
    struct cf_csv csv;
    bool begun, skipping; /* skipping: the rest of a line that was too long */
    const char *why;
    uint64_t spent;
};

static const char *iconv_name(struct cf_str encoding)
{
    static const struct {
        const char *word, *name;
    } list[] = {{"gbk", "GB18030"}, {"utf-16le", "UTF-16LE"}, {"utf-16be", "UTF-16BE"}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (cf_str_is(encoding, list[i].word)) return list[i].name;
    return NULL;
}

void intake_text_free(struct intake_text *t)
{
    if (!t) return;
    if (t->convert != (iconv_t)-1) iconv_close(t->convert);
    cf_buf_free(&t->window);
    free(t);
}

struct intake_text *intake_text_new(struct cf_pieces *pieces, struct cf_str encoding)
{
    struct intake_text *t = cf_calloc(1, sizeof *t);
    const char *name = iconv_name(encoding);
    t->pieces = pieces;
    t->convert = (iconv_t)-1;
    if (name) t->convert = iconv_open("UTF-8", name);
    if (name && t->convert == (iconv_t)-1) t->why = "the encoding cannot be read here";
    cf_buf_init(&t->window, WINDOW_MAX + 4 * BLOCK);
    return t;
}

const char *intake_text_why(const struct intake_text *t)
{
    return t->why;
}

uint64_t intake_text_spent(const struct intake_text *t)
{
    return t->spent;
}

/* ---- the window ------------------------------------------------------------------------------ */

static void drop_taken(struct intake_text *t)
{
    size_t taken = t->begun ? (size_t)(t->csv.at - t->window.ptr) : 0;
    t->window.len -= taken;
    if (t->window.len) memmove(t->window.ptr, t->window.ptr + taken, t->window.len);
}

static void look_anew(struct intake_text *t)
{
    t->csv.at = t->window.ptr;
    t->csv.end = t->window.ptr + t->window.len;
    t->csv.open = t->at < t->pieces->size;
}

/* Text of n bytes of the file; how many of them were taken, or -1 when they are none of it. */
static ssize_t convert(iconv_t convert, const char *from, size_t n, struct cf_buf *to)
{
    char *in = (char *)(uintptr_t)from, *out = cf_buf_room(to, 2 * n + 4);
    size_t in_left = n, out_left = 2 * n + 4;
    size_t e = iconv(convert, &in, &in_left, &out, &out_left);
    to->len += 2 * n + 4 - out_left;
    return e == (size_t)-1 && errno == EILSEQ ? -1 : (ssize_t)(n - in_left);
}

/* One block more. */
static enum intake_read fill(struct intake_text *t)
{
    char block[BLOCK];
    uint64_t left = t->pieces->size - t->at;
    size_t n = left < BLOCK ? (size_t)left : BLOCK;
    if (!cf_pieces_copy(t->pieces, t->at, block, n)) return INTAKE_READ_WAIT;
    drop_taken(t);
    ssize_t taken = (ssize_t)n;
    if (t->convert == (iconv_t)-1)
        cf_buf_add(&t->window, block, n);
    else
        taken = convert(t->convert, block, n, &t->window);
    if (taken < 0 || (taken < (ssize_t)n && n == left)) {
        t->why = "the file is not in the encoding it seemed to have";
        return INTAKE_READ_BROKEN;
    }
    t->at += (uint64_t)taken;
    t->spent += n;
    if (t->window.full) CF_BUG("a window that is too small");
    look_anew(t);
    return INTAKE_READ_RECORD;
}

/* ---- records --------------------------------------------------------------------------------- */

/* What divides the first line into most fields. */
static char delimiter_of(struct cf_csv csv, struct cf_arena *arena)
{
    static const char choices[] = ",;\t";
    char best = ',';
    size_t most = 0;
    csv.open = false;
    for (const char *c = choices; *c; c++) {
        struct cf_csv one = csv;
        struct cf_csv_record r = {.n = 0};
        one.delimiter = *c;
        do
            if (!cf_csv_next(&one, arena, &r)) break;
        while (r.blank);
        if (r.n <= most) continue;
        most = r.n;
        best = *c;
    }
    return best;
}

/* The first window: byte order mark, delimiter. */
static enum intake_read begin(struct intake_text *t, struct cf_arena *arena)
{
    while (t->window.len < 2 * BLOCK && t->at < t->pieces->size) {
        enum intake_read e = fill(t);
        if (e != INTAKE_READ_RECORD) return e;
    }
    t->csv = cf_csv_of(cf_buf_str(&t->window));
    t->csv.open = t->at < t->pieces->size;
    t->begun = true;
    size_t n = (size_t)(t->csv.end - t->csv.at);
    if (n > 5 && memcmp(t->csv.at, "sep=", 4) == 0 && memchr("\r\n", t->csv.at[5], 2)) {
        struct cf_csv_record told;
        t->csv.delimiter = t->csv.at[4];
        (void)cf_csv_next(&t->csv, arena, &told);
        return INTAKE_READ_RECORD;
    }
    t->csv.delimiter = delimiter_of(t->csv, arena);
    return INTAKE_READ_RECORD;
}

/* A line without an end in sight is one broken record. */
static void give_up_line(struct intake_text *t, struct cf_csv_record *out)
{
    *out = (struct cf_csv_record){.line = t->csv.line, .broken = true};
    t->csv.at = t->csv.end;
    t->skipping = true;
}

static void skip_line(struct intake_text *t)
{
    size_t n = (size_t)(t->csv.end - t->csv.at);
    const char *end = n ? memchr(t->csv.at, '\n', n) : NULL;
    t->csv.at = end ? end + 1 : t->csv.end;
    if (!end) return;
    t->csv.line++;
    t->skipping = false;
}

static bool is_text(const struct cf_csv_record *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (!cf_utf8_valid(r->fields[i])) return false;
    return true;
}

enum intake_read intake_text_next(struct intake_text *t, struct cf_arena *arena,
                                  struct cf_csv_record *out)
{
    uint64_t from = t->spent;
    enum intake_read e = t->why ? INTAKE_READ_BROKEN : INTAKE_READ_RECORD;
    if (e == INTAKE_READ_RECORD && !t->begun) e = begin(t, arena);
    while (e == INTAKE_READ_RECORD) {
        if (t->skipping) skip_line(t);
        if (!t->skipping && cf_csv_next(&t->csv, arena, out)) {
            /* The file was looked at when it came; here a byte would have changed since. */
            if (!is_text(out)) out->n = 0, out->broken = true;
            return INTAKE_READ_RECORD;
        }
        if (t->at == t->pieces->size) return INTAKE_READ_END;
        if (t->spent - from > REST_AFTER) return INTAKE_READ_REST;
        if ((size_t)(t->csv.end - t->csv.at) >= WINDOW_MAX) {
            give_up_line(t, out);
            return INTAKE_READ_RECORD;
        }
        e = fill(t);
    }
    return e;
}

bool intake_text_converts(struct cf_str file, const char *encoding)
{
    iconv_t cd = iconv_open("UTF-8", iconv_name(cf_str_of(encoding)));
    struct cf_buf out;
    bool good = cd != (iconv_t)-1;
    if (!good) return false;
    cf_buf_init(&out, 4 * BLOCK);
    while (good && file.len) {
        size_t n = file.len < BLOCK ? file.len : BLOCK;
        cf_buf_reset(&out);
        ssize_t taken = convert(cd, file.ptr, n, &out);
        good = taken > 0 && !memchr(out.ptr, 0, out.len);
        if (!good) break;
        file.ptr += taken;
        file.len -= (size_t)taken;
    }
    cf_buf_free(&out);
    iconv_close(cd);
    return good;
}
