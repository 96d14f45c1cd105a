#include "common/io/http_parse.h"

#include "common/io/route.h"

#include <strings.h>

static enum cf_head_result fail(struct cf_head_wrong *w, int status, const char *code,
                                const char *field, const char *rule, const char *cure)
{
    *w = (struct cf_head_wrong){.status = status,
                                .code = code,
                                .title = "The request cannot be read",
                                .field = field,
                                .rule = rule,
                                .cure = cure};
    return CF_HEAD_WRONG;
}

static enum cf_head_result malformed(struct cf_head_wrong *w, const char *field, const char *rule,
                                     const char *cure)
{
    return fail(w, 400, "malformed_request", field, rule, cure);
}

/* tchar of RFC 9110, 5.6.2 */
static bool is_token(unsigned char c)
{
    if (c >= '0' && c <= '9') return true;
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') return true;
    return c && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

bool cf_same_word(struct cf_str a, const char *b)
{
    return strlen(b) == a.len && strncasecmp(a.ptr, b, a.len) == 0;
}

struct cf_str cf_trim(struct cf_str s)
{
    while (s.len && (*s.ptr == ' ' || *s.ptr == '\t'))
        s.ptr++, s.len--;
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

bool cf_has_token(struct cf_str list, const char *token)
{
    while (list.len) {
        const char *comma = memchr(list.ptr, ',', list.len);
        size_t n = comma ? (size_t)(comma - list.ptr) : list.len;
        if (cf_same_word(cf_trim((struct cf_str){list.ptr, n}), token)) return true;
        n += comma != NULL;
        list = (struct cf_str){list.ptr + n, list.len - n};
    }
    return false;
}

static struct cf_head_text text_at(const char *base, struct cf_str s)
{
    return (struct cf_head_text){(uint16_t)(s.ptr - base), (uint16_t)s.len};
}

struct cf_str cf_head_find(const struct cf_head *h, const char *base, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < h->n; i++) {
        const struct cf_head_line *l = &h->lines[i];
        if (l->name.len == n && strncasecmp(base + l->name.at, name, n) == 0)
            return (struct cf_str){base + l->value.at, l->value.len};
    }
    return (struct cf_str){NULL, 0};
}

static size_t count_of(const struct cf_head *h, const char *base, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++)
        n += cf_same_word((struct cf_str){base + h->lines[i].name.at, h->lines[i].name.len}, name);
    return n;
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* "METHOD SP target SP HTTP/1.x" */
static enum cf_head_result request_line(const char *base, struct cf_str line, struct cf_head *h,
                                        struct cf_head_wrong *w)
{
    const char *end = line.ptr + line.len, *p = line.ptr;
    while (p < end && is_token((unsigned char)*p))
        p++;
    if (p == line.ptr || p - line.ptr > 16 || p == end || *p != ' ')
        return malformed(w, "request line", "must begin with a method",
                         "send METHOD /path HTTP/1.1");
    h->method = text_at(base, (struct cf_str){line.ptr, (size_t)(p - line.ptr)});
    const char *target = ++p;
    while (p < end && *p != ' ')
        p++;
    struct cf_str path = {target, (size_t)(p - target)};
    struct cf_str version = {p, (size_t)(end - p)};
    if (version.len != 9 || memcmp(version.ptr, " HTTP/1.", 8) != 0 ||
        (version.ptr[8] != '0' && version.ptr[8] != '1'))
        return version.len == 9 && memcmp(version.ptr, " HTTP/", 6) == 0
                   ? fail(w, 505, "version", "request line", "must be HTTP/1.1 or HTTP/1.0",
                          "use HTTP/1.1")
                   : malformed(w, "request line", "must end with the version",
                               "send METHOD /path HTTP/1.1");
    h->http_1_0 = version.ptr[8] == '0';
    const char *mark = memchr(path.ptr, '?', path.len);
    struct cf_str query = {p, 0};
    if (mark) {
        query = (struct cf_str){mark + 1, (size_t)(p - mark) - 1};
        path.len = (size_t)(mark - path.ptr);
    }
    if (!cf_path_ok(path))
        return malformed(w, "path", "must begin with / and be UTF-8 without control characters",
                         "encode the path with %XX");
    for (size_t i = 0; i < query.len; i++)
        if ((unsigned char)query.ptr[i] <= 0x20 || (unsigned char)query.ptr[i] >= 0x7F)
            return malformed(w, "query", "must be visible ASCII", "encode the query with %XX");
    h->path = text_at(base, path);
    h->query = text_at(base, query);
    return CF_HEAD_GOOD;
}

static enum cf_head_result header_line(const char *base, struct cf_str line, struct cf_head *h,
                                       struct cf_head_wrong *w)
{
    size_t n = 0;
    while (n < line.len && is_token((unsigned char)line.ptr[n]))
        n++;
    if (n == 0 || n == line.len || line.ptr[n] != ':')
        return malformed(w, "header", "must be Name: value, without folding",
                         "send each header on one line");
    if (h->n == CF_HEAD_LINES)
        return fail(w, 431, "header_too_large", "header", "at most 64 headers", "send fewer");
    struct cf_str value = cf_trim((struct cf_str){line.ptr + n + 1, line.len - n - 1});
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return malformed(w, "header", "must not hold control characters", "remove them");
    }
    h->lines[h->n++] = (struct cf_head_line){
        text_at(base, (struct cf_str){line.ptr,                        n}
          ),
        value.len ? text_at(base, value)
                  : (struct cf_head_text){(uint16_t)(line.ptr + n - base), 0}
    };
    return CF_HEAD_GOOD;
}

/* ---- what the lines mean together ------------------------------------------------------------ */

/* Less than a petabyte. */
#define LENGTH_MAX UINT64_C(999999999999999)

static enum cf_head_result framing(const char *base, struct cf_head *h, struct cf_head_wrong *w)
{
    size_t lengths = count_of(h, base, "content-length");
    bool coded = count_of(h, base, "transfer-encoding") != 0;
    size_t hosts = count_of(h, base, "host");
    if (hosts > 1 || (hosts == 0 && !h->http_1_0))
        return malformed(w, "Host", "must be there exactly once", "send one Host header");
    if (lengths > 1)
        return malformed(w, "Content-Length", "must be there at most once", "send it once");
    if (coded && lengths)
        return malformed(w, "Transfer-Encoding", "must not stand beside Content-Length",
                         "send Content-Length alone");
    if (coded)
        return fail(w, 411, "length_required", "Transfer-Encoding", "is not taken",
                    "send the body with Content-Length");
    h->has_length = lengths == 1;
    if (h->has_length && !cf_digits(cf_head_find(h, base, "content-length"), LENGTH_MAX, &h->length))
        return malformed(w, "Content-Length", "must be decimal digits", "send the body's length");
    struct cf_str connection = cf_head_find(h, base, "connection");
    h->keep_alive = !h->http_1_0 && !cf_has_token(connection, "close");
    h->expects_continue =
        !h->http_1_0 && h->length && cf_same_word(cf_head_find(h, base, "expect"), "100-continue");
    return CF_HEAD_GOOD;
}

/* Where the line that begins at p ends (its CR), or NULL when it ends wrongly. */
static const char *line_end(const char *p, const char *end)
{
    const char *lf = memchr(p, '\n', (size_t)(end - p));
    if (!lf || lf == p || lf[-1] != '\r') return NULL;
    return lf - 1;
}

static enum cf_head_result parse_lines(struct cf_str bytes, size_t skip, struct cf_head *h,
                                       struct cf_head_wrong *w)
{
    const char *base = bytes.ptr, *end = base + h->size, *p = base + skip;
    for (bool first = true; p < end; first = false) {
        const char *cr = line_end(p, end);
        if (!cr) return malformed(w, "header", "lines end with CR LF", "send CR LF");
        struct cf_str line = {p, (size_t)(cr - p)};
        p = cr + 2;
        if (!first && line.len == 0) break;
        enum cf_head_result r =
            first ? request_line(base, line, h, w) : header_line(base, line, h, w);
        if (r != CF_HEAD_GOOD) return r;
    }
    return framing(base, h, w);
}

enum cf_head_result cf_head_parse(struct cf_str bytes, size_t *seen, struct cf_head *out,
                                  struct cf_head_wrong *wrong)
{
    size_t skip = 0;
    /* An empty line before a request is passed over, as RFC 9112 2.2 asks. */
    while (skip + 2 <= bytes.len && skip < 4 && memcmp(bytes.ptr + skip, "\r\n", 2) == 0)
        skip += 2;
    size_t from = *seen > 3 ? *seen - 3 : 0;
    if (from < skip) from = skip;
    size_t limit = bytes.len < CF_HEAD_MAX ? bytes.len : CF_HEAD_MAX;
    const char *empty = from < limit ? memmem(bytes.ptr + from, limit - from, "\r\n\r\n", 4) : NULL;
    *seen = limit;
    if (!empty) {
        if (bytes.len >= CF_HEAD_MAX)
            return fail(wrong, 431, "header_too_large", "header", "at most 8192 bytes",
                        "send fewer or shorter headers");
        /* A client that ends lines with LF alone would wait for ever. */
        if (bytes.len > skip && memmem(bytes.ptr, limit, "\n\n", 2))
            return malformed(wrong, "header", "lines end with CR LF", "send CR LF");
        return CF_HEAD_MORE;
    }
    out->size = (size_t)(empty - bytes.ptr) + 4;
    out->n = 0;
    out->length = 0;
    return parse_lines(bytes, skip, out, wrong);
}
