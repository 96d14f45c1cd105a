/* codec -- bytes to inquiry's events and documents and back; the only files that know protobuf
 * names (codec.c: records; codec_doc.c: documents and what goes out).
 *
 * Owns     what is read lives in the arena and may point into the bytes it was read from
 * Errors   CF_E_DECODE with field and rule; CF_E_VERSION for a body this version does not know;
 *          CF_E_DATA where a stored section cannot be read
 */
#pragma once
#include "common/io/stage/stage.h"
#include "services/inquiry/rules.h"
#include "services/inquiry/store.h"

enum inquiry_in {
    INQUIRY_IN_APPLICATIONS,
    INQUIRY_IN_PHOTOS,
    INQUIRY_IN_CARDS,
    INQUIRY_IN_COMPLAINTS,
    INQUIRY_IN_AUDIT,
    INQUIRY_IN_INTERNAL
};
enum inquiry_out { INQUIRY_OUT_INTERNAL, INQUIRY_OUT_STATUS };

enum inquiry_message {
    INQUIRY_MSG_EVENT, /* struct inquiry_event */
    INQUIRY_MSG_AUDIT, /* struct inquiry_audit */
    INQUIRY_MSG_SWEEP  /* no body: tell the status again */
};

int inquiry_codec_decode(struct cf_decode *d, const struct cf_record *rec);

/* ---- documents ------------------------------------------------------------------------------ */

int inquiry_codec_section_read(struct cf_arena *a, struct cf_str bytes,
                               struct inquiry_section *out) CF_MUST;
struct cf_str inquiry_codec_section_pack(struct cf_arena *a, const struct inquiry_section *s);
/* The document as it stands in Redis. */
struct cf_str inquiry_codec_document_pack(struct cf_arena *a, const struct inquiry_row *row);

struct inquiry_facts {
    cf_ms as_of;
    struct inquiry_section sections[INQUIRY_SOURCES];
};
int inquiry_codec_document_read(struct cf_arena *a, struct cf_str payload,
                                struct inquiry_facts *out) CF_MUST;

/* For topic status: nothing personal. The same picture gives the same bytes. */
struct cf_str inquiry_codec_status(struct cf_arena *a, const struct inquiry_facts *facts,
                                   const struct inquiry_picture *p, int64_t version, cf_ms as_of);

/* ---- aliases: what else leads to a holder --------------------------------------------------- */

/* Normalised: without blanks, upper-case. */
void inquiry_alias_receipt(struct cf_str receipt_no, uint8_t id[16]);
void inquiry_alias_card(struct cf_str card_no, uint8_t id[16]);

/* ---- what the front needs ------------------------------------------------------------------- */

struct inquiry_person {
    struct cf_str document_type, document_number, name, phone;
};
int inquiry_codec_person(struct cf_arena *a, struct cf_str plain,
                         struct inquiry_person *out) CF_MUST;
struct cf_str inquiry_codec_audit(struct cf_arena *a, const struct inquiry_audit *audit);
struct cf_str inquiry_codec_sweep(struct cf_arena *a, const struct cf_key *holder);
