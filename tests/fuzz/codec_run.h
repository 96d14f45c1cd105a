/* codec_run -- records through a service: decode, load, decide, commit, over doors in memory.
 *
 * An input is a list of records (see codec_run.c). Values are protobuf as it stands on the wire;
 * where the input says so, sealed fields hold the plain value, and are sealed here for the key of
 * the record, since nobody can guess a sealed value.
 *
 * Errors   the process ends when a text column or a text of a message that is sent is not UTF-8,
 *          or when a message that is sent cannot be unpacked again
 */
#pragma once
#include "common/io/seal.h"
#include "common/io/stage/stage.h"

struct fuzz_topic {
    const char *name; /* of topics in */
    const ProtobufCMessageDescriptor *type;
};

struct fuzz_service {
    struct cf_service service;
    const struct cf_seal_ring *ring;
    const struct fuzz_topic *topics; /* ended by a NULL name; in the order of service.in */
    /* The key that a record with this body should have; false: there is none. May be NULL. */
    bool (*key)(const ProtobufCMessage *body, struct cf_key *key);
};

/* What each target gives: the service, made once. */
const struct fuzz_service *fuzz_service(void);

/* ---- for the targets ------------------------------------------------------------------------- */

const struct cf_seal_ring *fuzz_ring(void);
const struct cf_calendar *fuzz_calendar(void);
const struct cf_policies *fuzz_policies(void);
/* The bytes of a file of tests/data, with a zero behind; never freed. */
struct cf_str fuzz_data(const char *name);
