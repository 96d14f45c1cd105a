/* channels -- the published matrix: which operation may be asked for by which channel.
 *
 * The table below is the only one: intake and production judge by it (`channel_not_allowed`),
 * `GET /v1/channels` serves it, and docs/channels.md is written from it by `cardctl channels`.
 *
 * Source   domain reference, "Applications"; Measures 2015, rows S1, S2 and S11
 */
#pragma once
#include "common/pure/kinds.h"

#define CF_AT(channel) (1u << CF_CHANNEL_##channel)
#define CF_AT_COUNTER CF_AT(BANK_OUTLET)
#define CF_AT_REMOTE (CF_AT(BANK_PHONE) | CF_AT(TERMINAL) | CF_AT(HOTLINE_12345) | CF_AT(ONLINE))
#define CF_AT_ANY ((1u << CF_CHANNEL_COUNT) - 1) /* and without a channel */
/* By phone nothing is applied for, since a document must be shown (S1). */
#define CF_AT_APPLYING                                                                             \
    (CF_AT_COUNTER | CF_AT(UNIT) | CF_AT(SCHOOL) | CF_AT(ONLINE) | CF_AT(TERMINAL) | CF_AT(UPSTREAM))

/* clang-format off */
/* X(KIND, "name" of the application, channels). A photo is swapped by the bank, a school or online; a temporary
 * card is handed over at once, so only where cards are. */
#define CF_MATRIX_APPLICATIONS(X) \
    X(FIRST_ISSUE,        "first_issue",        CF_AT_APPLYING)                  \
    X(LOSS_REPLACEMENT,   "loss_replacement",   CF_AT_APPLYING)                  \
    X(DAMAGE_REPLACEMENT, "damage_replacement", CF_AT_APPLYING)                  \
    X(PHOTO_SWAP,         "photo_swap",         CF_AT_APPLYING & ~CF_AT(UNIT))   \
    X(TEMPORARY,          "temporary",          CF_AT_COUNTER | CF_AT(UPSTREAM)) \
    X(REISSUE,            "reissue",            CF_AT_APPLYING)

/* X(OPERATION on a card, "name", channels). A temporary loss is taken anywhere, at any hour; for an
 * import the scope of the key decides. */
#define CF_MATRIX_OPERATIONS(X) \
    X(ACTIVATE,              "activate",              CF_AT_COUNTER | CF_AT(TERMINAL)) \
    X(REPORT_TEMPORARY_LOSS, "report_temporary_loss", CF_AT_COUNTER | CF_AT_REMOTE)    \
    X(REPORT_FORMAL_LOSS,    "report_formal_loss",    CF_AT_COUNTER)                   \
    X(RELEASE,               "release",               CF_AT_COUNTER)                   \
    X(LOCK,                  "lock",                  CF_AT_COUNTER | CF_AT(UPSTREAM)) \
    X(UNLOCK,                "unlock",                CF_AT_COUNTER | CF_AT(UPSTREAM)) \
    X(CANCEL,                "cancel",                CF_AT_COUNTER | CF_AT(UPSTREAM)) \
    X(SET_PASSWORD,          "set_password",          CF_AT_COUNTER | CF_AT(TERMINAL)) \
    X(RESET_PASSWORD,        "reset_password",        CF_AT_COUNTER)                   \
    X(DISABLE_PASSWORD,      "disable_password",      CF_AT_COUNTER)                   \
    X(EXTEND_TEMPORARY,      "extend_temporary",      CF_AT_COUNTER)                   \
    X(OPEN_ADD_ON,           "open_add_on",           CF_AT_COUNTER)                   \
    X(IMPORT_CARD,           "import_card",           CF_AT_ANY)
/* clang-format on */

struct cf_matrix_row {
    const char *about;     /* application, card */
    const char *operation; /* the kind of application, or the operation on a card */
    unsigned channels;     /* bit c: channel c may; bit 0: without one */
};

const struct cf_matrix_row *cf_matrix(size_t *n);
/* Is that channel among those of a row? */
bool cf_matrix_may(unsigned channels, enum cf_channel channel);
