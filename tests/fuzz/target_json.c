/* JSON bodies: what is taken is what the library takes too, values keep their limits, and what is
 * written reads the same. */
#include "common/io/json.h"
#include "tests/fuzz/fuzz.h"

static void check_depth(const json_t *v, int depth)
{
    const char *name;
    const json_t *item;
    size_t i;
    /* Values in the innermost object or array are no deeper than it. */
    MUST(depth <= CF_JSON_DEPTH + !(json_is_object(v) || json_is_array(v)));
    if (json_is_string(v)) {
        struct cf_str s = {json_string_value(v), json_string_length(v)};
        MUST(cf_utf8_valid(s));
    }
    json_object_foreach((json_t *)(uintptr_t)v, name, item) check_depth(item, depth + 1);
    json_array_foreach(v, i, item) check_depth(item, depth + 1);
}

static size_t characters(struct cf_str s)
{
    size_t n = 0;
    while (s.len && cf_utf8_next(&s) >= 0)
        n++;
    MUST(s.len == 0);
    return n;
}

static void check_text(struct cf_str s, size_t min, size_t max)
{
    if (!s.ptr) return;
    MUST(cf_utf8_valid(s));
    size_t n = characters(s);
    MUST(n >= min && n <= max);
}

static void read_values(const json_t *root, struct cf_arena *a)
{
    static const char *const names[] = {"text", "number", "list", "texts", "inner", "flag", NULL};
    struct cf_field_errors errors = {0};
    struct cf_in in = cf_in_of(root, a, &errors);
    check_text(cf_in_text(&in, "text", CF_OPTIONAL, 1, 8), 1, 8);
    int64_t n = cf_in_int(&in, "number", CF_NEEDED, -5, 1000, 7);
    MUST(n >= -5 && n <= 1000);
    cf_in_bool(&in, "flag", CF_OPTIONAL, false);
    const json_t *list = cf_in_array(&in, "list", CF_OPTIONAL, 3);
    MUST(!list || json_array_size(list) <= 3);
    for (size_t i = 0; list && i < json_array_size(list); i++) {
        struct cf_in item = cf_in_item(&in, "list", list, i);
        check_text(cf_in_text(&item, "text", CF_NEEDED, 0, 3), 0, 3);
    }
    const json_t *texts = cf_in_array(&in, "texts", CF_OPTIONAL, 2);
    for (size_t i = 0; texts && i < json_array_size(texts); i++)
        check_text(cf_in_text_item(&in, "texts", texts, i, 1, 4), 1, 4);
    struct cf_in inner = cf_in_object(&in, "inner", CF_OPTIONAL);
    check_text(cf_in_text(&inner, "text", CF_NEEDED, 1, 2), 1, 2);
    cf_in_only(&in, names);
    for (size_t i = 0; i < errors.n && i < CF_FIELD_ERRORS; i++)
        MUST(errors.list[i].field && errors.list[i].rule);
}

/* Any text, quoted and read again. */
static void check_quote(struct cf_str s)
{
    struct cf_buf b;
    struct cf_json_error e;
    cf_buf_init(&b, 16 << 20);
    struct cf_out o = cf_out_to(&b);
    cf_out_array(&o, NULL);
    cf_out_text(&o, NULL, s);
    cf_out_object(&o, NULL);
    cf_out_text(&o, "text", s);
    cf_out_int(&o, "int", -7);
    cf_out_uint(&o, "uint", UINT64_MAX >> 2);
    cf_out_double(&o, "double", 1.5);
    cf_out_bool(&o, "bool", true);
    cf_out_null(&o, "null");
    cf_out_raw(&o, "raw", CF_STR("{}"));
    cf_out_end(&o);
    cf_out_end(&o);
    MUST(!b.full);
    bool zero = s.len && memchr(s.ptr, 0, s.len);
    json_t *back = cf_json_parse(cf_buf_str(&b), &e);
    MUST(back || zero);
    if (back && cf_utf8_valid(s)) {
        const json_t *v = json_array_get(back, 0);
        struct cf_str got = {json_string_value(v), json_string_length(v)};
        MUST(cf_str_eq(got, s));
    }
    json_decref(back);
    cf_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cf_str in = fuzz_str(data, size);
    struct cf_json_error e = {0};
    char *exact = fuzz_exact(in);
    json_t *root = cf_json_parse((struct cf_str){exact, in.len}, &e);
    if (root) {
        MUST(json_is_object(root) || json_is_array(root));
        check_depth(root, 1);
        struct cf_arena *a = cf_arena_new(16 << 20);
        read_values(root, a);
        cf_arena_free(a);
        char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        json_t *again = cf_json_parse(cf_str_of(text), &e);
        MUST(again && json_equal(root, again));
        json_decref(again);
        free(text);
    } else {
        MUST(e.rule && e.position <= in.len);
    }
    json_decref(root);
    free(exact);
    check_quote(in);
    return 0;
}
