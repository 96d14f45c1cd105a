/* Redis: addresses, commands as bytes, and replies that come in pieces. */
#include "common/io/pg_dsn.h"
#include "common/io/redis.h"
#include "common/io/redis_wire.h"
#include "tests/fuzz/fuzz.h"

static void urls(struct cf_str s)
{
    struct cf_redis_url url;
    struct cf_pg_dsn dsn;
    char *z = fuzz_z(s);
    if (cf_redis_url_parse(z, &url)) {
        struct cf_buf b;
        MUST(url.host[0] && url.db >= 0 && url.db <= 65535 && url.port >= 0 && url.port <= 65535);
        cf_buf_init(&b, 8192);
        MUST(cf_redis_greet(&b, &url) >= 1 && !b.full);
        cf_buf_free(&b);
    }
    if (cf_pg_dsn_parse(z, &dsn)) MUST(dsn.dsn == z && !strchr(dsn.host, ','));
    free(z);
}

/* Every reply, and the end: a hash of what was read, the same however the bytes are cut. */
static uint64_t walk(const redisReply *r, uint64_t h)
{
    h = h * 1099511628211u + (uint64_t)r->type;
    if (r->type == REDIS_REPLY_ERROR) {
        char word[24];
        cf_redis_error_word(r, word, sizeof word);
        MUST(strlen(word) < sizeof word &&
             strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(word));
    }
    if (r->type == REDIS_REPLY_STRING) {
        uint64_t version = 0;
        struct cf_str payload, stored = {r->str, r->len};
        if (cf_redis_document(stored, &version, &payload))
            MUST(payload.len + CF_REDIS_VERSION_LEN == stored.len);
        for (size_t i = 0; i < r->len; i++)
            h = h * 31 + (unsigned char)r->str[i];
    }
    if (r->type == REDIS_REPLY_INTEGER) h += (uint64_t)r->integer;
    for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++)
        h = walk(r->element[i], h);
    return h;
}

static uint64_t replies(struct cf_str s, size_t step)
{
    redisReader *reader = redisReaderCreate();
    uint64_t h = 1;
    bool bad = false;
    for (size_t at = 0; at < s.len && !bad; at += step) {
        size_t n = s.len - at < step ? s.len - at : step;
        if (redisReaderFeed(reader, s.ptr + at, n) != REDIS_OK) break;
        for (;;) {
            void *reply = NULL;
            if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
                bad = true;
                break;
            }
            if (!reply) break;
            h = walk(reply, h);
            freeReplyObject(reply);
        }
    }
    redisReaderFree(reader);
    return bad ? h ^ UINT64_MAX : h;
}

/* A command as bytes is one array of its words. */
static void commands(struct cf_str s)
{
    struct cf_buf b;
    void *reply = NULL;
    cf_buf_init(&b, 1 << 20);
    struct cf_str head = fuzz_take(&s, s.len / 3);
    cf_redis_words(&b, 3);
    cf_redis_word(&b, head);
    cf_redis_word2(&b, head, s);
    cf_redis_word(&b, CF_STR("PING"));
    redisReader *reader = redisReaderCreate();
    MUST(redisReaderFeed(reader, b.ptr, b.len) == REDIS_OK);
    MUST(redisReaderGetReply(reader, &reply) == REDIS_OK && reply);
    const redisReply *r = reply;
    MUST(r->type == REDIS_REPLY_ARRAY && r->elements == 3);
    MUST(cf_str_eq((struct cf_str){r->element[0]->str, r->element[0]->len}, head));
    MUST(r->element[1]->len == head.len + s.len);
    MUST(!s.len || memcmp(r->element[1]->str + head.len, s.ptr, s.len) == 0);
    freeReplyObject(reply);
    redisReaderFree(reader);
    cf_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cf_str in = fuzz_str(data, size);
    uint8_t which = fuzz_byte(&in);
    if (in.len > 65536) in.len = 65536;
    if (which == 'u')
        urls(in);
    else if (which == 'c')
        commands(in);
    else {
        uint64_t whole = replies(in, in.len ? in.len : 1);
        MUST(replies(in, 1 + which % 13) == whole);
    }
    return 0;
}
