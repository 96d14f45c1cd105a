/* The writing half of json.h. */
#include "common/io/json.h"

#include "common/pure/error.h"

#include <math.h>

struct cf_out cf_out_to(struct cf_buf *to)
{
    return (struct cf_out){.to = to};
}

/* Length of the run at the front of s that needs no escaping and is plain ASCII. */
static size_t plain(struct cf_str s)
{
    size_t n = 0;
    while (n < s.len) {
        unsigned char c = (unsigned char)s.ptr[n];
        if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\') break;
        n++;
    }
    return n;
}

static void put_escape(struct cf_buf *to, int32_t c)
{
    static const char digit[] = "0123456789abcdef";
    char esc[6] = {'\\', (char)c};
    size_t n = 2;
    if (c == '\n') {
        esc[1] = 'n';
    } else if (c == '\r') {
        esc[1] = 'r';
    } else if (c == '\t') {
        esc[1] = 't';
    } else if (c != '"' && c != '\\') {
        esc[1] = 'u', esc[2] = '0', esc[3] = '0';
        esc[4] = digit[c >> 4 & 15], esc[5] = digit[c & 15];
        n = 6;
    }
    cf_buf_add(to, esc, n);
}

void cf_json_quote(struct cf_buf *to, struct cf_str v)
{
    cf_buf_add(to, "\"", 1);
    while (v.len) {
        size_t n = plain(v);
        cf_buf_add(to, v.ptr, n);
        v = (struct cf_str){v.ptr + n, v.len - n};
        if (!v.len) break;
        struct cf_str before = v;
        int32_t c = cf_utf8_next(&v);
        if (c < 0) {
            cf_buf_add(to, "\xEF\xBF\xBD", 3);
            v = (struct cf_str){before.ptr + 1, before.len - 1};
        } else if (c < 0x80) {
            put_escape(to, c);
        } else {
            cf_buf_add(to, before.ptr, (size_t)(v.ptr - before.ptr));
        }
    }
    cf_buf_add(to, "\"", 1);
}

static void lead(struct cf_out *o, const char *name)
{
    bool array = o->depth && (o->array >> o->depth & 1);
    if (o->depth && array != (name == NULL)) CF_BUG("a JSON value has a name in an array, or none");
    if (o->comma) cf_buf_add(o->to, ",", 1);
    o->comma = true;
    if (!name) return;
    cf_buf_add(o->to, "\"", 1);
    cf_buf_add(o->to, name, strlen(name));
    cf_buf_add(o->to, "\":", 2);
}

static void begin(struct cf_out *o, const char *name, bool array)
{
    lead(o, name);
    if (o->depth == 63) CF_BUG("JSON is nested too deeply");
    o->depth++;
    o->array = array ? o->array | (uint64_t)1 << o->depth : o->array & ~((uint64_t)1 << o->depth);
    o->comma = false;
    cf_buf_add(o->to, array ? "[" : "{", 1);
}

void cf_out_object(struct cf_out *o, const char *name)
{
    begin(o, name, false);
}

void cf_out_array(struct cf_out *o, const char *name)
{
    begin(o, name, true);
}

void cf_out_end(struct cf_out *o)
{
    if (!o->depth) CF_BUG("JSON ends more than it begins");
    cf_buf_add(o->to, o->array >> o->depth & 1 ? "]" : "}", 1);
    o->depth--;
    o->comma = true;
}

void cf_out_text(struct cf_out *o, const char *name, struct cf_str v)
{
    if (!v.ptr) {
        cf_out_null(o, name);
        return;
    }
    lead(o, name);
    cf_json_quote(o->to, v);
}

void cf_out_z(struct cf_out *o, const char *name, const char *v)
{
    cf_out_text(o, name, cf_str_of(v));
}

void cf_out_int(struct cf_out *o, const char *name, int64_t v)
{
    lead(o, name);
    cf_buf_printf(o->to, "%lld", (long long)v);
}

void cf_out_uint(struct cf_out *o, const char *name, uint64_t v)
{
    lead(o, name);
    cf_buf_printf(o->to, "%llu", (unsigned long long)v);
}

void cf_out_double(struct cf_out *o, const char *name, double v)
{
    lead(o, name);
    if (isfinite(v))
        cf_buf_printf(o->to, "%.17g", v);
    else
        cf_buf_add(o->to, "null", 4);
}

void cf_out_bool(struct cf_out *o, const char *name, bool v)
{
    lead(o, name);
    cf_buf_adds(o->to, v ? CF_STR("true") : CF_STR("false"));
}

void cf_out_null(struct cf_out *o, const char *name)
{
    lead(o, name);
    cf_buf_add(o->to, "null", 4);
}

void cf_out_some(struct cf_out *o, const char *name, struct cf_str v)
{
    cf_out_text(o, name, v.len ? v : (struct cf_str){0});
}

void cf_out_day(struct cf_out *o, const char *name, cf_day day)
{
    char text[11];
    if (day > 0)
        cf_out_z(o, name, cf_day_text(day, text));
    else
        cf_out_null(o, name);
}

void cf_out_time(struct cf_out *o, const char *name, cf_ms at)
{
    char text[30];
    if (at > 0)
        cf_out_z(o, name, cf_rfc3339_text(at, text));
    else
        cf_out_null(o, name);
}

void cf_out_raw(struct cf_out *o, const char *name, struct cf_str json)
{
    lead(o, name);
    cf_buf_adds(o->to, json);
}
