/* store -- inquiry's rows: which column holds what; and the front's statements.
 *
 * Shapes   struct inquiry_row is the row of `document`, struct inquiry_chain of `audit_chain`,
 *          struct inquiry_alias of `alias`, struct inquiry_audit of `audit`
 * Owns     text lives in the batch arena
 */
#pragma once
#include "common/io/pg_front.h"
#include "common/io/stage/stage.h"
#include "services/inquiry/rules.h"

enum { INQUIRY_FRESH_MAX = 8 };

/* The document of one holder. */
struct inquiry_row {
    int64_t version; /* events folded in */
    cf_ms as_of;     /* highest event time */
    int64_t shown;   /* hash of what was last told on `status` */
    struct cf_str sections[INQUIRY_SOURCES];
    /* Not columns. To be told on `status` when the batch is done; aliases made in it, for Redis. */
    bool seen;
    uint32_t n_fresh;
    uint8_t fresh[INQUIRY_FRESH_MAX][16];
};

/* One row a client: the end of its chain of audit records. */
struct inquiry_chain {
    int64_t entries;
    struct cf_str hash; /* of the newest record, 32 bytes; null before the first */
};

/* From an application's id, or the hash of a receipt or card number, to the holder. Lies in the
 * holder's shard. */
struct inquiry_alias {
    struct cf_key holder;
    cf_ms at;
    struct cf_str past; /* packed section with the entry that had to make room in the document */
};

struct inquiry_audit {
    struct cf_str client, scope, operator_id, purpose, action, outcome, trace_id;
    struct cf_str holder_ref; /* null: nobody found */
    cf_ms at;
    int64_t entry;        /* 1, 2, 3... in the client's chain */
    struct cf_str before; /* hash of the record before it */
    struct cf_str hash;   /* SHA-256 of `before` and this record */
    uint8_t id[16];       /* ce_id; not a column of its own but the row's */
};

enum inquiry_kind { INQUIRY_KIND_DOCUMENT, INQUIRY_KIND_CHAIN };
enum inquiry_aux { INQUIRY_AUX_ALIAS, INQUIRY_AUX_AUDIT };

extern const struct cf_kind inquiry_kinds[];
extern const size_t inquiry_n_kinds;
extern const struct cf_aux inquiry_aux_tables[];
extern const size_t inquiry_n_aux;

/* Statements of the front, by index. */
enum inquiry_statement {
    INQUIRY_SQL_BY_KEY,
    INQUIRY_SQL_BY_ALIAS,
    INQUIRY_SQL_SWEEP_DOCUMENTS,
    INQUIRY_SQL_SWEEP_ALIASES
};
extern const struct cf_pgf_statement inquiry_statements[];
extern const size_t inquiry_n_statements;

/* Reads a document whose first column is `first` of a result; false when a column has another
 * shape. Text points into the result. */
bool inquiry_store_row(const PGresult *res, int row, int first, struct inquiry_row *out);
