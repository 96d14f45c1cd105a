#include "common/io/api_keys.h"

#include "common/io/json.h"
#include "common/pure/arena.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX (1024u * 1024)
#define HASH 32

struct entry {
    unsigned char hash[HASH];
    struct cf_client client;
};

struct cf_api_keys {
    struct cf_arena *arena;
    EVP_MD *sha256;
    EVP_MD_CTX *ctx;
    size_t n;
    struct entry *list;
};

void cf_api_keys_free(struct cf_api_keys *k)
{
    if (!k) return;
    EVP_MD_CTX_free(k->ctx);
    EVP_MD_free(k->sha256);
    cf_arena_free(k->arena);
    free(k);
}

static bool hash_of(const struct cf_api_keys *k, struct cf_str key, unsigned char out[HASH])
{
    return EVP_DigestInit_ex2(k->ctx, k->sha256, NULL) == 1 &&
           EVP_DigestUpdate(k->ctx, key.ptr, key.len) == 1 &&
           EVP_DigestFinal_ex(k->ctx, out, NULL) == 1;
}

const struct cf_client *cf_api_keys_find(const struct cf_api_keys *k, struct cf_str key)
{
    unsigned char hash[HASH];
    const struct cf_client *found = NULL;
    if (!k || !hash_of(k, key, hash)) return NULL;
    for (size_t i = 0; i < k->n; i++)
        if (CRYPTO_memcmp(k->list[i].hash, hash, HASH) == 0) found = &k->list[i].client;
    return found;
}

static bool listed(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0) return true;
    return false;
}

bool cf_client_may(const struct cf_client *c, const char *scope)
{
    return listed(c->scopes, "*") || listed(c->scopes, scope);
}

bool cf_client_channel(const struct cf_client *c, const char *channel)
{
    return !c->channels || listed(c->channels, channel);
}

/* ---- reading the file ----------------------------------------------------------------------- */

static const char *const *texts_of(struct cf_in *in, const char *name, enum cf_need need)
{
    const json_t *array = cf_in_array(in, name, need, 100);
    if (!array) return NULL;
    size_t n = json_array_size(array);
    const char **list = cf_arena_zero(in->arena, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        struct cf_str s = cf_in_text_item(in, name, array, i, 1, 100);
        list[i] = s.ptr ? cf_arena_str(in->arena, s).ptr : "";
    }
    return list;
}

static void take_entry(struct cf_api_keys *k, struct cf_in *in, struct entry *e)
{
    static const char *const names[] = {"name",     "key",          "key_sha256", "scopes",
                                        "channels", "may_backdate", NULL};
    static const char *const none[] = {NULL};
    struct cf_str name = cf_in_text(in, "name", CF_NEEDED, 1, 100);
    struct cf_str key = cf_in_text(in, "key", CF_OPTIONAL, 16, 200);
    struct cf_str hex = cf_in_text(in, "key_sha256", CF_OPTIONAL, 2 * HASH, 2 * HASH);
    cf_in_only(in, names);
    if (cf_in_has(in, "key") == cf_in_has(in, "key_sha256"))
        cf_in_wrong(in, "key_sha256", "exactly one of key and key_sha256 is needed", "give one");
    else if (hex.ptr && !cf_unhex(hex, e->hash, HASH))
        cf_in_wrong(in, "key_sha256", "must be hexadecimal", "give the SHA-256 of the key in hex");
    else if (key.ptr && !hash_of(k, key, e->hash))
        cf_in_wrong(in, "key", "SHA-256 is not available", "install OpenSSL's default provider");
    e->client.name = name.ptr ? cf_arena_str(in->arena, name).ptr : "";
    e->client.scopes = texts_of(in, "scopes", CF_NEEDED);
    if (!e->client.scopes) e->client.scopes = none;
    e->client.channels = texts_of(in, "channels", CF_OPTIONAL);
    e->client.may_backdate = cf_in_bool(in, "may_backdate", CF_OPTIONAL, false);
}

static void take_list(struct cf_api_keys *k, const json_t *root, struct cf_field_errors *errors)
{
    struct cf_in top = {NULL, "", k->arena, errors, true};
    if (!json_is_array(root)) {
        cf_field_error_add(errors, "file", "must be an array of clients", "write [{...}]");
        return;
    }
    k->n = json_array_size(root);
    k->list = cf_arena_zero(k->arena, (k->n + 1) * sizeof *k->list);
    for (size_t i = 0; i < k->n; i++) {
        struct cf_in in = cf_in_item(&top, NULL, root, i);
        if (in.object) take_entry(k, &in, &k->list[i]);
        for (size_t j = 0; j < i; j++)
            if (memcmp(k->list[i].hash, k->list[j].hash, HASH) == 0)
                cf_in_wrong(&in, "key", "is another client's, too", "give each its own");
    }
}

int cf_api_keys_parse(struct cf_str json, struct cf_api_keys **out, char why[200])
{
    struct cf_json_error e;
    struct cf_field_errors errors = {.n = 0};
    struct cf_api_keys *k = cf_calloc(1, sizeof *k);
    k->arena = cf_arena_new(8 * FILE_MAX);
    k->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    k->ctx = EVP_MD_CTX_new();
    json_t *root = cf_json_parse(json, &e);
    if (!root)
        snprintf(why, 200, "line %d column %d: %s", e.line, e.column, e.rule);
    else
        take_list(k, root, &errors);
    if (errors.n)
        snprintf(why, 200, "%s: %s; %s", errors.list[0].field, errors.list[0].rule,
                 errors.list[0].cure);
    bool good = root && !errors.n;
    json_decref(root);
    if (!good) {
        cf_api_keys_free(k);
        return CF_E_CONFIG;
    }
    *out = k;
    return 0;
}

int cf_api_keys_load(const char *path, struct cf_api_keys **out, char why[200])
{
    FILE *f = fopen(path, "re");
    if (!f) {
        snprintf(why, 200, "cannot be opened: %s", strerror(errno));
        return CF_E_CONFIG;
    }
    char *text = cf_malloc(FILE_MAX);
    size_t n = fread(text, 1, FILE_MAX, f);
    int e = CF_E_CONFIG;
    if (ferror(f) || n == FILE_MAX)
        snprintf(why, 200, "cannot be read, or is larger than 1 MiB");
    else
        e = cf_api_keys_parse((struct cf_str){text, n}, out, why);
    fclose(f);
    OPENSSL_cleanse(text, FILE_MAX);
    free(text);
    return e;
}
