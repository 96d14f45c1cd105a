#include "common/io/multipart.h"

#include "common/io/http_parse.h"

#define BOUNDARY_MAX 70 /* RFC 2046, 5.1.1 */

/* The value of a parameter (`name=value` or `name="value"`) of a header; ptr NULL when absent. */
static struct cf_str parameter(struct cf_str header, const char *name)
{
    const struct cf_str none = {NULL, 0};
    const char *end = header.ptr + header.len, *p = header.ptr;
    while (p < end) {
        p = memchr(p, ';', (size_t)(end - p));
        if (!p) return none;
        p++;
        const char *equals = memchr(p, '=', (size_t)(end - p));
        if (!equals) return none;
        bool same = cf_same_word(cf_trim((struct cf_str){p, (size_t)(equals - p)}), name);
        p = equals + 1;
        const char *begin = p, *stop;
        if (p < end && *p == '"') {
            begin = ++p;
            stop = memchr(p, '"', (size_t)(end - p));
            if (!stop) return none;
            p = stop + 1;
        } else {
            stop = memchr(p, ';', (size_t)(end - p));
            if (!stop) stop = end;
            p = stop;
        }
        if (same) return cf_trim((struct cf_str){begin, (size_t)(stop - begin)});
    }
    return none;
}

/* Headers of one part, up to and with the empty line; the bytes behind them, or NULL. */
static const char *part_headers(const char *p, const char *end, struct cf_part *part)
{
    for (int lines = 0; lines < 16; lines++) {
        const char *cr = memmem(p, (size_t)(end - p), "\r\n", 2);
        if (!cr) return NULL;
        if (cr == p) return p + 2;
        const char *colon = memchr(p, ':', (size_t)(cr - p));
        if (!colon) return NULL;
        struct cf_str name = cf_trim((struct cf_str){p, (size_t)(colon - p)});
        struct cf_str value = cf_trim((struct cf_str){colon + 1, (size_t)(cr - colon) - 1});
        if (cf_same_word(name, "content-disposition")) {
            part->name = parameter(value, "name");
            part->filename = parameter(value, "filename");
        } else if (cf_same_word(name, "content-type")) {
            part->type = value;
        }
        p = cr + 2;
    }
    return NULL;
}

static const char *take_part(struct cf_parts *out, const char *p, const char *stop)
{
    struct cf_part part = {
        {NULL, 0},
        {NULL, 0},
        {NULL, 0},
        {NULL, 0}
    };
    if (out->n == CF_PARTS) return "has more than 8 parts";
    const char *body = part_headers(p, stop, &part);
    if (!body || !part.name.ptr) return "has a part without name";
    part.body = (struct cf_str){body, (size_t)(stop - body)};
    if (!part.name.len) return "has a part without name";
    for (size_t i = 0; i < out->n; i++)
        if (cf_str_eq(out->list[i].name, part.name)) return "has a part twice";
    out->list[out->n++] = part;
    return NULL;
}

const char *cf_multipart(struct cf_str content_type, struct cf_str body, struct cf_parts *out)
{
    char mark[BOUNDARY_MAX + 4] = "\r\n--";
    struct cf_str boundary =
        content_type.ptr ? parameter(content_type, "boundary") : (struct cf_str){NULL, 0};
    out->n = 0;
    if (!boundary.len || boundary.len > BOUNDARY_MAX) return "has no boundary";
    memcpy(mark + 4, boundary.ptr, boundary.len);
    size_t n = boundary.len + 4;
    const char *end = body.ptr + body.len;
    /* The first boundary may stand at the very start, without a line end before it. */
    if (body.len < n || memcmp(body.ptr, mark + 2, n - 2) != 0)
        return "does not begin with its boundary";
    const char *p = body.ptr + n - 2;
    for (;;) {
        if (end - p >= 2 && memcmp(p, "--", 2) == 0) return out->n ? NULL : "has no parts";
        if (end - p < 2 || memcmp(p, "\r\n", 2) != 0) return "has a malformed boundary";
        p += 2;
        const char *stop = memmem(p, (size_t)(end - p), mark, n);
        if (!stop) return "ends without its boundary";
        const char *why = take_part(out, p, stop);
        if (why) return why;
        p = stop + n;
    }
}

const struct cf_part *cf_multipart_part(const struct cf_parts *parts, const char *name)
{
    for (size_t i = 0; i < parts->n; i++)
        if (cf_str_is(parts->list[i].name, name)) return &parts->list[i];
    return NULL;
}
