/* Bodies of multipart/form-data: parts lie in the body, in order, and can be written again. */
#include "common/io/multipart.h"
#include "tests/fuzz/fuzz.h"

static void inside(struct cf_str all, struct cf_str s)
{
    MUST(!s.ptr || (s.ptr >= all.ptr && s.ptr + s.len <= all.ptr + all.len));
}

/* What was read, written anew under another boundary, reads the same. */
static void write_again(const struct cf_parts *parts)
{
    static const char mark[] = "--zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz-4711";
    struct cf_buf b;
    struct cf_parts again;
    cf_buf_init(&b, 8 << 20);
    for (size_t i = 0; i < parts->n; i++) {
        const struct cf_part *p = &parts->list[i];
        if (memchr(p->name.ptr, '"', p->name.len) || memmem(p->name.ptr, p->name.len, "\r", 1) ||
            memmem(p->body.ptr, p->body.len, mark, sizeof mark - 1)) {
            cf_buf_free(&b);
            return;
        }
        cf_buf_printf(&b, "%s\r\nContent-Disposition: form-data; name=\"%.*s\"\r\n\r\n", mark,
                      CF_ARG(p->name));
        cf_buf_adds(&b, p->body);
        cf_buf_add(&b, "\r\n", 2);
    }
    cf_buf_printf(&b, "%s--\r\n", mark);
    char *exact = fuzz_exact(cf_buf_str(&b));
    char type[120];
    snprintf(type, sizeof type, "multipart/form-data; boundary=%s", mark + 2);
    bool zero = false; /* printf stops at one */
    for (size_t i = 0; i < parts->n; i++)
        zero |= memchr(parts->list[i].name.ptr, 0, parts->list[i].name.len) != NULL;
    if (!zero) {
        MUST(!cf_multipart(cf_str_of(type), (struct cf_str){exact, b.len}, &again));
        MUST(again.n == parts->n);
        for (size_t i = 0; i < again.n; i++) {
            MUST(cf_str_eq(again.list[i].name, parts->list[i].name));
            MUST(cf_str_eq(again.list[i].body, parts->list[i].body));
        }
    }
    free(exact);
    cf_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cf_str in = fuzz_str(data, size), line = fuzz_line(&in);
    struct cf_parts parts;
    char *type = fuzz_exact(line), *body = fuzz_exact(in);
    struct cf_str all = {body, in.len};
    const char *why = cf_multipart((struct cf_str){type, line.len}, all, &parts);
    MUST(parts.n <= CF_PARTS);
    if (!why) {
        MUST(parts.n > 0);
        for (size_t i = 0; i < parts.n; i++) {
            MUST(parts.list[i].name.len > 0);
            inside(all, parts.list[i].name);
            inside(all, parts.list[i].filename);
            inside(all, parts.list[i].type);
            inside(all, parts.list[i].body);
            for (size_t k = 0; k < i; k++)
                MUST(!cf_str_eq(parts.list[i].name, parts.list[k].name));
        }
        cf_multipart_part(&parts, "file");
        write_again(&parts);
    }
    free(type);
    free(body);
    return 0;
}
