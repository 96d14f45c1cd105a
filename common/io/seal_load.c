#include "common/io/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>

/* The sealing file is read by hand and not by a JSON library, since a library would leave copies
 * of the keys in memory that nobody wipes. */

enum { FILE_MAX = 16384, HEX = 2 * CF_SEAL_KEY_LEN };

struct text {
    char bytes[FILE_MAX + 1];
    struct cf_str left;
};

static int refuse(char why[CF_SEAL_WHY], const char *file, const char *rule)
{
    snprintf(why, CF_SEAL_WHY, "%s: %s", file, rule);
    return CF_E_CONFIG;
}

static int text_read(const char *file, struct text *t, char why[CF_SEAL_WHY])
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return refuse(why, file, strerror(errno));
    size_t len = 0;
    ssize_t n;
    while (len < sizeof t->bytes && (n = read(fd, t->bytes + len, sizeof t->bytes - len)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        len += (size_t)n;
    }
    int e = n < 0 ? errno : 0;
    close(fd);
    if (e) return refuse(why, file, strerror(e));
    if (len > FILE_MAX) return refuse(why, file, "longer than 16 KiB");
    t->left = (struct cf_str){t->bytes, len};
    return 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct cf_str *s)
{
    for (; s->len && is_space(*s->ptr); s->ptr++)
        s->len--;
}

static bool take(struct cf_str *s, char c)
{
    skip_space(s);
    if (s->len == 0 || *s->ptr != c) return false;
    s->ptr++;
    s->len--;
    return true;
}

/* A string without escapes: nothing in these files needs one. */
static bool take_string(struct cf_str *s, struct cf_str *out)
{
    if (!take(s, '"')) return false;
    size_t n = 0;
    while (n < s->len && s->ptr[n] != '"' && s->ptr[n] != '\\')
        n++;
    if (n == s->len || s->ptr[n] == '\\') return false;
    *out = (struct cf_str){s->ptr, n};
    s->ptr += n + 1;
    s->len -= n + 1;
    return true;
}

static bool digits_id(struct cf_str s, uint32_t *id)
{
    uint64_t v;
    if (!cf_digits(s, UINT32_MAX, &v)) return false;
    *id = (uint32_t)v;
    return v > 0;
}

/* An id, with or without quotes. */
static bool take_id(struct cf_str *s, uint32_t *id)
{
    struct cf_str word;
    if (take_string(s, &word)) return digits_id(word, id);
    size_t n = 0;
    while (n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9')
        n++;
    word = (struct cf_str){s->ptr, n};
    s->ptr += n;
    s->len -= n;
    return digits_id(word, id);
}

struct keys {
    size_t n;
    struct {
        uint32_t id;
        uint8_t bytes[CF_SEAL_KEY_LEN];
    } key[64];
};

static const char *take_keys(struct cf_str *s, struct keys *keys)
{
    const size_t max = sizeof keys->key / sizeof keys->key[0];
    if (!take(s, '{')) return "\"keys\" is not an object";
    do {
        struct cf_str word;
        if (keys->n == max) return "more than 64 keys";
        if (!take_string(s, &word) || !digits_id(word, &keys->key[keys->n].id))
            return "a key's id is not a number from 1 in quotes";
        if (!take(s, ':') || !take_string(s, &word) ||
            !cf_unhex(word, keys->key[keys->n].bytes, CF_SEAL_KEY_LEN))
            return "a key is not 64 hexadecimal digits in quotes";
        keys->n++;
    } while (take(s, ','));
    return take(s, '}') ? NULL : "\"keys\" does not end in }";
}

/* NULL, or the rule that the file breaks. */
static const char *parse(struct cf_str s, struct keys *keys, uint32_t *active)
{
    bool has_active = false, has_keys = false;
    if (!take(&s, '{')) return "is not a JSON object";
    do {
        struct cf_str name;
        if (!take_string(&s, &name) || !take(&s, ':')) return "is not a JSON object";
        if (cf_str_is(name, "active") && !has_active) {
            if (!take_id(&s, active)) return "\"active\" is not the id of a key";
            has_active = true;
        } else if (cf_str_is(name, "keys") && !has_keys) {
            const char *rule = take_keys(&s, keys);
            if (rule) return rule;
            has_keys = true;
        } else {
            return "may hold \"active\" and \"keys\", each once";
        }
    } while (take(&s, ','));
    if (!take(&s, '}')) return "does not end in }";
    skip_space(&s);
    if (s.len) return "has text after its end";
    return has_active && has_keys ? NULL : "needs \"active\" and \"keys\"";
}

/* Adds all keys, the active one last, since the last added seals. */
static const char *add(struct cf_seal_ring *ring, const struct keys *keys, uint32_t active)
{
    const size_t none = keys->n;
    size_t seals = none;
    for (size_t i = 0; i < keys->n; i++) {
        if (keys->key[i].id == active && seals == none)
            seals = i;
        else if (!cf_seal_ring_add(ring, keys->key[i].id, keys->key[i].bytes))
            return "an id stands twice";
    }
    if (seals == none) return "\"active\" is not among \"keys\"";
    return cf_seal_ring_add(ring, active, keys->key[seals].bytes) ? NULL : "an id stands twice";
}

int cf_seal_ring_load(const char *reference_file, const char *sealing_file,
                      struct cf_seal_ring **out, char why[CF_SEAL_WHY])
{
    struct text t;
    struct keys keys = {0};
    uint8_t reference[CF_SEAL_KEY_LEN];
    uint32_t active = 0;
    const char *rule = NULL;
    *out = NULL;
    why[0] = 0;
    int e = text_read(reference_file, &t, why);
    if (e) goto end;
    skip_space(&t.left);
    while (t.left.len && is_space(t.left.ptr[t.left.len - 1]))
        t.left.len--;
    if (t.left.len != HEX || !cf_unhex(t.left, reference, sizeof reference)) {
        e = refuse(why, reference_file, "is not 64 hexadecimal digits");
        goto end;
    }
    e = text_read(sealing_file, &t, why);
    if (e) goto end;
    rule = parse(t.left, &keys, &active);
    if (!rule) {
        *out = cf_seal_ring_new(reference);
        rule = add(*out, &keys, active);
    }
    if (rule) {
        cf_seal_ring_free(*out);
        *out = NULL;
        e = refuse(why, sealing_file, rule);
    }
end:
    OPENSSL_cleanse(&t, sizeof t);
    OPENSSL_cleanse(&keys, sizeof keys);
    OPENSSL_cleanse(reference, sizeof reference);
    return e;
}
