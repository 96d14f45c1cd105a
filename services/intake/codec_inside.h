/* codec_inside -- what the files that pack share; protobuf wants zero-terminated text. */
#pragma once
#include "services/intake/codec.h"

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/common.pb-c.h"

static inline char *z(struct cf_arena *a, struct cf_str s)
{
    return s.len ? (char *)(uintptr_t)cf_arena_str(a, s).ptr : (char *)(uintptr_t)"";
}

static inline char *literal(const char *s)
{
    return (char *)(uintptr_t)s;
}

static inline struct cf_str text(const char *s)
{
    return cf_str_of(s ? s : "");
}

static inline ProtobufCBinaryData id_or_nothing(const uint8_t id[16])
{
    static const uint8_t zero[16];
    return memcmp(id, zero, 16) ? cf_data_id(id) : (ProtobufCBinaryData){0, NULL};
}

/* "a|b" as a list of texts. */
size_t intake_codec_split_words(struct cf_arena *a, struct cf_str joined, char ***out);
