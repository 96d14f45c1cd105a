/* codec_inside -- what the decoding files share. */
#pragma once
#include "services/production/codec.h"

#include "cardflow/v1/card.pb-c.h"

/* CF_E_DECODE, with why. */
int production_codec_wrong(struct cf_decode *d, const char *why);
/* Text of protobuf-c; empty is ptr NULL. */
struct cf_str production_codec_text(const char *z);
bool production_codec_id(ProtobufCBinaryData b, uint8_t id[16]);
/* Optional: nothing, or 16 bytes. */
bool production_codec_ref(ProtobufCBinaryData b, uint8_t id[16]);
struct cf_msg *production_codec_add(struct cf_decode *d, uint16_t kind,
                                    enum production_message type, const struct cf_key *key,
                                    const void *body);
/* The holder's key as the record carries it, in the partition that is the key's. */
int production_codec_holder_key(struct cf_decode *d, const struct cf_record *rec,
                                struct cf_key *key) CF_MUST;
/* A BankResult under that key. */
int production_codec_bank_result(struct cf_decode *d, const struct cf_key *key,
                                 struct cf_str bytes) CF_MUST;
/* card.collect (codec_collect.c). */
int production_codec_collection(struct cf_decode *d, const struct cf_record *rec) CF_MUST;
/* card.settle_failure (codec_failure.c). */
int production_codec_failure(struct cf_decode *d, const struct cf_record *rec) CF_MUST;
/* The body of a command, NULL when it is malformed; the bytes are kept with it. */
struct production_op *production_codec_operation_body(struct cf_arena *a,
                                                      const Cardflow__V1__CardCommand *c,
                                                      struct cf_str bytes);
/* What is sealed in a command for `owner`: whose it is, and the document of who asks
 * (codec_persons.c). */
int production_codec_persons(struct cf_decode *d, const struct cf_key *owner,
                             const Cardflow__V1__CardCommand *c, cf_ms at,
                             struct production_op *op) CF_MUST;
/* The 16th birthday of whom that person is, 0 when it is over by `today`; sealed for the key. */
int production_codec_sixteen(struct cf_decode *d, const struct cf_key *key, struct cf_str sealed,
                             cf_day today, cf_day *out) CF_MUST;
/* Records of production.internal (codec_internal.c). */
int production_codec_internal(struct cf_decode *d, const struct cf_record *rec);
