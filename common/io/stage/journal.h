/* journal -- the bytes of a journal row: every message of one batch and shard, in order.
 *
 * Shapes   a row is a version byte and then messages, each self-contained (topics by name), so
 *          that a newer binary can publish what an older one has committed
 * Errors   CF_E_DATA on bytes that are not such a row
 */
#pragma once
#include "common/io/stage/doors.h"

void cf_journal_begin(struct cf_buf *row);
void cf_journal_add(struct cf_buf *row, const char *topic, const struct cf_out_message *m);

struct cf_journal_reader {
    struct cf_str rest;
    bool begun;
};

/* The next message; text points into the row. 0 and m->type.ptr NULL at the end. `topic` gets
 * the name; m->topic is left alone. */
int cf_journal_next(struct cf_journal_reader *r, struct cf_str *topic,
                    struct cf_out_message *m) CF_MUST;
/* The next of the extra headers of a message; false at the end. */
bool cf_extra_next(struct cf_str *rest, const char **name, struct cf_str *value);
