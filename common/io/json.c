#include "common/io/json.h"

#include <stdio.h>

void cf_field_error_add(struct cf_field_errors *e, const char *field, const char *rule,
                        const char *cure)
{
    if (e->n < CF_FIELD_ERRORS) e->list[e->n] = (struct cf_field_error){field, rule, cure};
    e->n++;
}

/* ---- parsing ------------------------------------------------------------------------------- */

static json_t *wrong_at(struct cf_str text, size_t position, const char *rule,
                        struct cf_json_error *e)
{
    *e = (struct cf_json_error){.position = position, .line = 1, .column = 1, .rule = rule};
    for (size_t i = 0; i < position && i < text.len; i++) {
        if (text.ptr[i] == '\n')
            e->line++, e->column = 1;
        else if (((unsigned char)text.ptr[i] & 0xC0) != 0x80)
            e->column++;
    }
    return NULL;
}

/* Where nesting passes the limit, or SIZE_MAX. Before parsing, since the parser recurses. */
static size_t too_deep(struct cf_str text)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > CF_JSON_DEPTH) return i;
        } else if (c == '}' || c == ']') {
            if (depth) depth--;
        }
    }
    return SIZE_MAX;
}

static const char *rule_of(const json_error_t *e)
{
    switch (json_error_code(e)) {
    case json_error_premature_end_of_input:
        return "ends too early";
    case json_error_end_of_input_expected:
        return "has text behind its end";
    case json_error_invalid_utf8:
        return "must be UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "must not hold U+0000";
    case json_error_duplicate_key:
        return "has a name twice in one object";
    case json_error_numeric_overflow:
        return "has a number that is too large";
    case json_error_unknown:
    case json_error_out_of_memory:
    case json_error_stack_overflow:
    case json_error_cannot_open_file:
    case json_error_invalid_argument:
    case json_error_invalid_syntax:
    case json_error_invalid_format:
    case json_error_wrong_type:
    case json_error_null_value:
    case json_error_item_not_found:
    case json_error_index_out_of_range:
        break;
    }
    return "is not JSON here";
}

json_t *cf_json_parse(struct cf_str text, struct cf_json_error *e)
{
    json_error_t why;
    if (text.len == 0) return wrong_at(text, 0, "is empty", e);
    size_t deep = too_deep(text);
    if (deep != SIZE_MAX) return wrong_at(text, deep, "is nested too deeply", e);
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &why);
    if (root) return root;
    size_t position = why.position < 0 ? 0 : (size_t)why.position;
    return wrong_at(text, position < text.len ? position : text.len, rule_of(&why), e);
}

/* ---- values -------------------------------------------------------------------------------- */

static const char *field_path(struct cf_in *in, const char *name)
{
    if (!*in->path) return name;
    return cf_arena_printf(in->arena, "%s%s", in->path, name).ptr;
}

void cf_in_wrong(struct cf_in *in, const char *name, const char *rule, const char *cure)
{
    cf_field_error_add(in->errors, field_path(in, name), rule, cure);
}

struct cf_in cf_in_of(const json_t *root, struct cf_arena *arena, struct cf_field_errors *errors)
{
    struct cf_in in = {json_is_object(root) ? root : NULL, "", arena, errors, false};
    if (!in.object) {
        cf_field_error_add(errors, "body", "must be an object", "send {...}");
        in.absent = true; /* said once is enough */
    }
    return in;
}

/* The value, or NULL after the error that it is missing (when it is needed). */
static const json_t *value_of(struct cf_in *in, const char *name, enum cf_need need)
{
    const json_t *v = in->object ? json_object_get(in->object, name) : NULL;
    if (json_is_null(v)) v = NULL;
    if (!v && need == CF_NEEDED && !in->absent)
        cf_in_wrong(in, name, "is required", "send this field");
    return v;
}

bool cf_in_has(const struct cf_in *in, const char *name)
{
    const json_t *v = in->object ? json_object_get(in->object, name) : NULL;
    return v && !json_is_null(v);
}

struct cf_in cf_in_object(struct cf_in *in, const char *name, enum cf_need need)
{
    struct cf_in part = {NULL, "", in->arena, in->errors, true};
    const json_t *v = value_of(in, name, need);
    if (v && !json_is_object(v)) {
        cf_in_wrong(in, name, "must be an object", "send {...}");
        return part;
    }
    if (v) {
        part.object = v;
        part.absent = false;
        part.path = cf_arena_printf(in->arena, "%s%s.", in->path, name).ptr;
    }
    return part;
}

static struct cf_str text_of(struct cf_in *in, const char *name, const json_t *v, size_t min,
                             size_t max)
{
    static const struct cf_str none = {NULL, 0};
    if (!json_is_string(v)) {
        cf_in_wrong(in, name, "must be text", "send a JSON string");
        return none;
    }
    struct cf_str s = {json_string_value(v), json_string_length(v)};
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    if (n >= min && n <= max) return s;
    const char *rule = cf_arena_printf(in->arena, "must have %zu to %zu characters", min, max).ptr;
    cf_in_wrong(in, name, rule, n < min ? "send a longer text" : "send a shorter text");
    return none;
}

struct cf_str cf_in_text(struct cf_in *in, const char *name, enum cf_need need, size_t min,
                         size_t max)
{
    const json_t *v = value_of(in, name, need);
    if (!v) return (struct cf_str){NULL, 0};
    return text_of(in, name, v, min, max);
}

struct cf_str cf_in_word(struct cf_in *in, const char *name, enum cf_need need, size_t min,
                         size_t max, size_t max_bytes)
{
    struct cf_str s = cf_in_text(in, name, need, min, max);
    if (s.len <= max_bytes) return s;
    cf_in_wrong(in, name, "too long in UTF-8", "Send a shorter one.");
    return (struct cf_str){0};
}

int64_t cf_in_int(struct cf_in *in, const char *name, enum cf_need need, int64_t min, int64_t max,
                  int64_t fallback)
{
    const json_t *v = value_of(in, name, need);
    if (!v) return fallback;
    if (!json_is_integer(v)) {
        cf_in_wrong(in, name, "must be a whole number", "send a JSON number without fraction");
        return fallback;
    }
    int64_t n = json_integer_value(v);
    if (n >= min && n <= max) return n;
    const char *rule =
        cf_arena_printf(in->arena, "must be from %lld to %lld", (long long)min, (long long)max).ptr;
    cf_in_wrong(in, name, rule, "send a number within the range");
    return fallback;
}

bool cf_in_bool(struct cf_in *in, const char *name, enum cf_need need, bool fallback)
{
    const json_t *v = value_of(in, name, need);
    if (!v) return fallback;
    if (json_is_boolean(v)) return json_is_true(v);
    cf_in_wrong(in, name, "must be true or false", "send a JSON boolean");
    return fallback;
}

const json_t *cf_in_array(struct cf_in *in, const char *name, enum cf_need need, size_t max)
{
    const json_t *v = value_of(in, name, need);
    if (!v) return NULL;
    if (!json_is_array(v)) {
        cf_in_wrong(in, name, "must be an array", "send [...]");
        return NULL;
    }
    if (json_array_size(v) <= max) return v;
    cf_in_wrong(in, name, cf_arena_printf(in->arena, "must have at most %zu items", max).ptr,
                "send fewer items at a time");
    return NULL;
}

static const char *item_path(struct cf_in *in, const char *name, size_t i)
{
    return cf_arena_printf(in->arena, "%s[%zu]", name ? name : "", i).ptr;
}

struct cf_in cf_in_item(struct cf_in *in, const char *name, const json_t *array, size_t i)
{
    const json_t *v = json_array_get(array, i);
    const char *path = item_path(in, name, i);
    struct cf_in item = {NULL, "", in->arena, in->errors, true};
    if (!json_is_object(v)) {
        cf_in_wrong(in, path, "must be an object", "send {...}");
        return item;
    }
    item.object = v;
    item.absent = false;
    item.path = cf_arena_printf(in->arena, "%s%s.", in->path, path).ptr;
    return item;
}

struct cf_str cf_in_text_item(struct cf_in *in, const char *name, const json_t *array, size_t i,
                              size_t min, size_t max)
{
    return text_of(in, item_path(in, name, i), json_array_get(array, i), min, max);
}

void cf_in_only(struct cf_in *in, const char *const *names)
{
    if (!in->object) return;
    /* jansson's iterators want a document they may change; this one is only read. */
    json_t *object = json_incref((json_t *)(uintptr_t)in->object);
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        const char *const *known = names;
        while (*known && strcmp(*known, name) != 0)
            known++;
        /* The name is the client's own text: the error says where it is, not what it reads. */
        if (!*known && strlen(name) <= 40 &&
            strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name))
            cf_in_wrong(in, cf_arena_str(in->arena, cf_str_of(name)).ptr, "is not a known field",
                        "leave it out");
        else if (!*known)
            cf_in_wrong(in, "?", "is not a known field", "leave it out");
    }
    json_decref(object);
}
