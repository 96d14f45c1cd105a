/* store -- notification's rows: which column holds what; and the front's statement.
 *
 * Shapes   struct notification_holder is the row of `holder`, struct notification_notice of
 *          `notice`
 * Owns     text lives in the batch arena
 */
#pragma once
#include "common/io/pg_front.h"
#include "common/io/stage/stage.h"

struct notification_holder {
    struct cf_str person; /* sealed, as the last event brought it; ptr NULL: none */
    bool died;
    struct cf_str early; /* messages that came before the person; see codec */
};

struct notification_notice {
    uint8_t event_id[16], application_id[16];
    struct cf_str template, channel;
    int16_t state; /* enum notification_state */
    struct cf_str reason;
    cf_ms at;
};

enum notification_aux { NOTIFY_AUX_NOTICE };

extern const struct cf_kind notification_kinds[];
extern const size_t notification_n_kinds;
extern const struct cf_aux notification_aux[];
extern const size_t notification_n_aux;

enum notification_statement { NOTIFY_SQL_CONTACTS };
extern const struct cf_pgf_statement notification_statements[];
extern const size_t notification_n_statements;
