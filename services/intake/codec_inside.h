/* codec_inside -- what the files of the codec share; protobuf wants zero-terminated text. */
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

/* ---- reading ---------------------------------------------------------------------------------- */

static inline int refuse(struct cf_decode *d, const char *reason)
{
    d->reason = reason;
    return CF_E_DECODE;
}

static inline int wrong_key(struct cf_decode *d, const char *reason)
{
    d->reason = reason;
    return CF_E_WRONG_KEY;
}

static inline const struct intake_env *env_of(const struct cf_decode *d)
{
    return d->env;
}

/* Codes and words go into text columns: bounded, and UTF-8. */
static inline bool word_ok(struct cf_str s)
{
    return s.len <= INTAKE_WORD_BYTES && cf_utf8_valid(s);
}

static inline bool take_id(ProtobufCBinaryData in, uint8_t out[16])
{
    if (in.len != 16) return false;
    memcpy(out, in.data, 16);
    return true;
}

static inline struct cf_msg *add(struct cf_decode *d, enum intake_kind kind, enum intake_message type,
                          const struct cf_key *key, const void *body)
{
    if (d->n == d->max) CF_BUG("more messages in a record than there is room for");
    struct cf_msg *m = &d->msgs[d->n++];
    *m = (struct cf_msg){.kind = (uint16_t)kind, .type = (uint16_t)type, .key = *key};
    m->body = body;
    return m;
}

static inline void as_command(struct cf_msg *m, const struct cf_record *rec, const uint8_t id[16])
{
    m->is_command = true;
    m->sent_at = rec->ce_time;
    memcpy(m->id, id, 16);
}

/* A submission under that key, its person opened; shared by commands and moved applications. */
int intake_codec_read_submit(struct cf_decode *d,
                             const Cardflow__V1__ApplicationCommand__Submit *s,
                             const struct cf_key *key, struct intake_submit *m) CF_MUST;
int intake_codec_check_partition(struct cf_decode *d, const struct cf_record *rec,
                                 const struct cf_key *key) CF_MUST;
int intake_codec_open(struct cf_decode *d, struct cf_str sealed, const struct cf_key *key,
                      struct intake_person *out) CF_MUST;
int intake_codec_enrolment_event(struct cf_decode *d, const struct cf_record *rec,
                                 const struct cf_key *key) CF_MUST;
/* sent_on: from an alias, under the canonical key, which no document of it need give. */
int intake_codec_enrolment_body(struct cf_decode *d, const struct cf_key *key, bool sent_on,
                                struct cf_str value) CF_MUST;
int intake_codec_unit_event(struct cf_decode *d, const struct cf_record *rec) CF_MUST;
int intake_codec_photo(struct cf_decode *d, const struct cf_record *rec,
                       const struct cf_key *key) CF_MUST;
int intake_codec_card(struct cf_decode *d, const struct cf_record *rec,
                      const struct cf_key *key) CF_MUST;
/* NULL: the payload is no count, or the key no unit's. */
struct cf_msg *intake_codec_unit_outcome(struct cf_decode *d, const struct cf_key *key, bool failed,
                                         struct cf_str payload);
/* roster.collect (codec_collect.c). */
int intake_codec_roster_collect(struct cf_decode *d, const struct cf_record *rec,
                                const Cardflow__V1__IntakeInternal__RosterCollect *x) CF_MUST;
int intake_codec_internal(struct cf_decode *d, const struct cf_record *rec) CF_MUST;

/* ---- writing ---------------------------------------------------------------------------------- */

/* "a|b" as a list of texts. */
size_t intake_codec_split_words(struct cf_arena *a, struct cf_str joined, char ***out);
