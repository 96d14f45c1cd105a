/* The head of a request: the same verdict however the bytes are cut, and what a good head says. */
#include "common/io/http_parse.h"
#include "common/io/route.h"
#include "tests/fuzz/fuzz.h"

static void inside(struct cf_str all, const struct cf_head *h, struct cf_head_text t)
{
    (void)all;
    MUST((size_t)t.at + t.len <= h->size);
}

static void check_good(struct cf_str all, const struct cf_head *h)
{
    MUST(h->size <= all.len && h->size <= CF_HEAD_MAX);
    MUST(memcmp(all.ptr + h->size - 4, "\r\n\r\n", 4) == 0);
    MUST(h->n <= CF_HEAD_LINES);
    inside(all, h, h->method);
    inside(all, h, h->path);
    inside(all, h, h->query);
    MUST(h->method.len >= 1 && h->path.len >= 1 && all.ptr[h->path.at] == '/');
    MUST(cf_path_ok((struct cf_str){all.ptr + h->path.at, h->path.len}));
    unsigned lengths = 0, hosts = 0;
    for (size_t i = 0; i < h->n; i++) {
        struct cf_str name = {all.ptr + h->lines[i].name.at, h->lines[i].name.len};
        struct cf_str value = {all.ptr + h->lines[i].value.at, h->lines[i].value.len};
        inside(all, h, h->lines[i].name);
        inside(all, h, h->lines[i].value);
        MUST(name.len && !memchr(name.ptr, ' ', name.len) && !memchr(name.ptr, ':', name.len));
        MUST(!value.len ||
             (!memchr(value.ptr, '\r', value.len) && !memchr(value.ptr, '\n', value.len) &&
              !memchr(value.ptr, 0, value.len)));
        MUST(!cf_same_word(name, "transfer-encoding"));
        lengths += cf_same_word(name, "content-length");
        hosts += cf_same_word(name, "host");
        cf_has_token(value, "close");
    }
    MUST(lengths <= 1 && hosts <= 1 && (hosts == 1 || h->http_1_0));
    MUST(h->has_length == (lengths == 1));
    MUST(h->has_length || h->length == 0);
}

static bool same(const struct cf_head *a, const struct cf_head *b)
{
    return a->size == b->size && a->n == b->n && a->length == b->length &&
           !memcmp(&a->method, &b->method, sizeof a->method) &&
           !memcmp(&a->path, &b->path, sizeof a->path) &&
           !memcmp(&a->query, &b->query, sizeof a->query) && a->http_1_0 == b->http_1_0 &&
           a->keep_alive == b->keep_alive && a->expects_continue == b->expects_continue &&
           a->has_length == b->has_length && !memcmp(a->lines, b->lines, a->n * sizeof *a->lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cf_str in = fuzz_str(data, size);
    size_t step = 1 + fuzz_byte(&in) % 64, seen = 0;
    static struct cf_head whole, cut;
    struct cf_head_wrong wrong = {0}, wrong_cut = {0};
    enum cf_head_result r = cf_head_parse(in, &seen, &whole, &wrong);
    if (r == CF_HEAD_GOOD) check_good(in, &whole);
    if (r == CF_HEAD_WRONG) MUST(wrong.status >= 400 && wrong.code && wrong.rule && wrong.cure);

    /* A piece at a time; each time the bytes stand elsewhere, as in a buffer that moves. */
    enum cf_head_result c = CF_HEAD_MORE;
    seen = 0;
    for (size_t n = 0; c == CF_HEAD_MORE && n < in.len;) {
        n = n + step < in.len ? n + step : in.len;
        char *copy = fuzz_exact((struct cf_str){in.ptr, n});
        c = cf_head_parse((struct cf_str){copy, n}, &seen, &cut, &wrong_cut);
        free(copy);
    }
    /* One that ends early may be refused earlier for another rule, but never taken. */
    if (r == CF_HEAD_GOOD) MUST(c == CF_HEAD_GOOD && same(&whole, &cut));
    if (c == CF_HEAD_GOOD) MUST(r == CF_HEAD_GOOD);
    if (r == CF_HEAD_MORE) MUST(c == CF_HEAD_MORE);
    return 0;
}
