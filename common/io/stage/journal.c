#include "common/io/stage/journal.h"

#include "common/io/stage/pgbin.h"

enum { VERSION = 1, FIXED = 4 + 8 + 8 + 16 };

void cf_journal_begin(struct cf_buf *row)
{
    static const char version = VERSION;
    cf_buf_reset(row);
    cf_buf_add(row, &version, 1);
}

static void add_text(struct cf_buf *row, struct cf_str s)
{
    char n[4];
    cf_put32(n, (uint32_t)s.len);
    cf_buf_add(row, n, 4);
    cf_buf_adds(row, s);
}

void cf_journal_add(struct cf_buf *row, const char *topic, const struct cf_out_message *m)
{
    char fixed[FIXED];
    cf_put32(fixed, (uint32_t)m->target);
    cf_put64(fixed + 4, (uint64_t)m->no);
    cf_put64(fixed + 12, (uint64_t)m->at);
    memcpy(fixed + 20, m->id, 16);
    cf_buf_add(row, fixed, FIXED);
    add_text(row, cf_str_of(topic));
    add_text(row, m->key);
    add_text(row, m->type);
    add_text(row, m->trace);
    add_text(row, m->extra);
    add_text(row, m->value);
}

static int take_text(struct cf_str *rest, struct cf_str *out)
{
    if (rest->len < 4) return CF_E_DATA;
    uint32_t n = cf_get32(rest->ptr);
    if (rest->len - 4 < n) return CF_E_DATA;
    *out = (struct cf_str){rest->ptr + 4, n};
    rest->ptr += 4 + n;
    rest->len -= 4 + n;
    return 0;
}

int cf_journal_next(struct cf_journal_reader *r, struct cf_str *topic, struct cf_out_message *m)
{
    m->type = (struct cf_str){0};
    if (!r->begun) {
        if (r->rest.len == 0 || *r->rest.ptr != VERSION) return CF_E_DATA;
        r->rest.ptr++;
        r->rest.len--;
        r->begun = true;
    }
    if (r->rest.len == 0) return 0;
    if (r->rest.len < FIXED) return CF_E_DATA;
    m->target = (int32_t)cf_get32(r->rest.ptr);
    m->no = (int64_t)cf_get64(r->rest.ptr + 4);
    m->at = (cf_ms)cf_get64(r->rest.ptr + 12);
    memcpy(m->id, r->rest.ptr + 20, 16);
    r->rest.ptr += FIXED;
    r->rest.len -= FIXED;
    int e = take_text(&r->rest, topic);
    if (!e) e = take_text(&r->rest, &m->key);
    if (!e) e = take_text(&r->rest, &m->type);
    if (!e) e = take_text(&r->rest, &m->trace);
    if (!e) e = take_text(&r->rest, &m->extra);
    if (!e) e = take_text(&r->rest, &m->value);
    return e;
}

bool cf_extra_next(struct cf_str *rest, const char **name, struct cf_str *value)
{
    size_t skip = strnlen(rest->ptr ? rest->ptr : "", rest->len) + 1;
    if (skip > rest->len || rest->len - skip < 4) return false;
    *name = rest->ptr;
    rest->ptr += skip;
    rest->len -= skip;
    return take_text(rest, value) == 0;
}
