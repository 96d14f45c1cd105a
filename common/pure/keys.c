#include "common/pure/keys.h"

#include "common/pure/hash.h"

bool cf_key_bytes(const void *bytes, size_t n, struct cf_key *out)
{
    *out = (struct cf_key){0};
    if (n == 0 || n > CF_KEY_MAX) return false;
    memcpy(out->b, bytes, n);
    out->len = (uint8_t)n;
    return true;
}

static bool prefixed(struct cf_str prefix, struct cf_str text, struct cf_key *out)
{
    *out = (struct cf_key){0};
    if (text.len == 0 || text.len > CF_KEY_MAX - prefix.len) return false;
    memcpy(out->b, prefix.ptr, prefix.len);
    memcpy(out->b + prefix.len, text.ptr, text.len);
    out->len = (uint8_t)(prefix.len + text.len);
    return true;
}

struct cf_key cf_key_holder(const uint8_t ref[CF_REF_LEN])
{
    struct cf_key key = {.len = CF_REF_LEN};
    memcpy(key.b, ref, CF_REF_LEN);
    return key;
}

struct cf_key cf_key_order(const uint8_t ref[CF_REF_LEN])
{
    return cf_key_holder(ref);
}

bool cf_key_unit(struct cf_str code, struct cf_key *out)
{
    return prefixed(CF_STR("unit:"), code, out);
}

struct cf_key cf_key_roster(const uint8_t id[16])
{
    struct cf_key key;
    char text[37];
    cf_uuid_text(id, text);
    prefixed(CF_STR("roster:"), (struct cf_str){text, 36}, &key);
    return key;
}

bool cf_key_bank(struct cf_str code, struct cf_key *out)
{
    return prefixed(CF_STR("bank:"), code, out);
}

bool cf_key_eq(const struct cf_key *a, const struct cf_key *b)
{
    return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

int cf_key_cmp(const struct cf_key *a, const struct cf_key *b)
{
    int order = memcmp(a->b, b->b, a->len < b->len ? a->len : b->len);
    return order ? order : (int)a->len - (int)b->len;
}

uint64_t cf_key_hash(const struct cf_key *key)
{
    return cf_hash64(key->b, key->len);
}

uint32_t cf_key_partition(const struct cf_key *key, uint32_t partitions)
{
    return cf_partition_of(key->b, key->len, partitions);
}

size_t cf_ref_input(enum cf_doc_type type, struct cf_str number, uint8_t out[CF_REF_INPUT_MAX])
{
    if (type == CF_DOC_HOUSEHOLD_BOOK) type = CF_DOC_RESIDENT_ID;
    if (type == CF_DOC_NONE || number.len == 0 || number.len > CF_IDNUM_MAX) return 0;
    struct cf_str name = cf_str_of(cf_doc_type_name(type));
    memcpy(out, name.ptr, name.len);
    out[name.len] = 0;
    memcpy(out + name.len + 1, number.ptr, number.len);
    return name.len + 1 + number.len;
}
