/* sms_text -- one message as the SMS gateway takes it: whom to, and what it says.
 *
 * Owns     contacts point into the database's answer; what is written goes to the caller's buffer
 * Errors   a literal: why the message is not sent
 */
#pragma once
#include "common/io/seal.h"
#include "services/notification/codec.h"

struct notification_contact {
    struct cf_str key, person; /* person: sealed */
    bool died;
};

struct notification_contacts {
    struct notification_contact *list;
    size_t n;
};

/* NULL: never heard of. */
const struct notification_contact *notification_contact_of(const struct notification_contacts *c,
                                                           const struct cf_key *key);
/* Adds {"id", "to", "text"} to out. NULL when done; else holder_died, no_contact, no_phone,
 * person_not_readable, template_not_known or template_value_missing. */
const char *notification_sms_write(const struct cf_seal_ring *ring, const char *signature,
                                   const struct cf_work *work,
                                   const struct notification_contact *to, struct cf_arena *arena,
                                   struct cf_buf *out);
