#include "common/io/stage/bundle.h"

#include "common/io/ids.h"
#include "common/io/stage/pgbin.h"

enum { FIXED = 16 + 8 + 4 };

size_t cf_bundle_bytes(const struct cf_work *piece)
{
    return FIXED + 1 + (size_t)piece->key.len + 4 + piece->args.len;
}

static char *put(char *to, const void *bytes, size_t n)
{
    if (n) memcpy(to, bytes, n);
    return to + n;
}

static char *put_piece(char *to, const struct cf_work *w)
{
    to = put(to, w->id, 16);
    cf_put64(to, (uint64_t)w->due);
    cf_put32(to + 8, w->attempt);
    to[12] = (char)w->key.len;
    to = put(to + 13, w->key.b, w->key.len);
    cf_put32(to, (uint32_t)w->args.len);
    return put(to + 4, w->args.ptr, w->args.len);
}

struct cf_work cf_bundle_of(struct cf_arena *a, const struct cf_work *pieces, size_t n)
{
    struct cf_work row = {.kind = pieces->kind, .part = pieces->part, .key = pieces->key,
                          .due = pieces->due, .pieces = (uint32_t)n};
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += cf_bundle_bytes(&pieces[i]);
    char *at = cf_arena_alloc(a, len);
    row.args = (struct cf_str){at, len};
    for (size_t i = 0; i < n; i++) {
        at = put_piece(at, &pieces[i]);
        if (pieces[i].due < row.due) row.due = pieces[i].due;
    }
    cf_uuid8_of(row.id, CF_STR("bundle"), (struct cf_str){(const char *)pieces->id, 16});
    return row;
}

static bool take(struct cf_str *rest, size_t n, const char **at)
{
    if (rest->len < n) return false;
    *at = rest->ptr;
    rest->ptr += n;
    rest->len -= n;
    return true;
}

int cf_bundle_next(const struct cf_work *row, struct cf_str *rest, struct cf_work *piece)
{
    const char *at;
    *piece = (struct cf_work){.kind = row->kind, .part = row->part, .together = true};
    memcpy(piece->bundle, row->id, 16);
    if (!take(rest, FIXED + 1, &at)) return CF_E_DATA;
    memcpy(piece->id, at, 16);
    piece->due = (cf_ms)cf_get64(at + 16);
    piece->attempt = cf_get32(at + 24);
    size_t key = (uint8_t)at[28];
    if (!take(rest, key, &at) || !cf_key_bytes(at, key, &piece->key)) return CF_E_DATA;
    if (!take(rest, 4, &at)) return CF_E_DATA;
    piece->args.len = cf_get32(at);
    return take(rest, piece->args.len, &piece->args.ptr) ? 0 : CF_E_DATA;
}
