#include "services/inquiry/store.h"

#include "common/io/stage/pgbin.h"
#include "embed/inquiry_sql.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

#define COLUMN(name, type, field)                                                                  \
    {                                                                                              \
        name, type, offsetof(struct inquiry_row, field)                                            \
    }
static const struct cf_column document_columns[] = {
    COLUMN("version", CF_COL_INT8, version),
    COLUMN("as_of", CF_COL_INT8, as_of),
    COLUMN("shown", CF_COL_INT8, shown),
    COLUMN("intake", CF_COL_BYTES, sections[INQUIRY_INTAKE]),
    COLUMN("photo", CF_COL_BYTES, sections[INQUIRY_PHOTO]),
    COLUMN("production", CF_COL_BYTES, sections[INQUIRY_PRODUCTION]),
    COLUMN("complaint", CF_COL_BYTES, sections[INQUIRY_COMPLAINT]),
};
#undef COLUMN

static const struct cf_column chain_columns[] = {
    {"entries", CF_COL_INT8,  offsetof(struct inquiry_chain, entries)},
    {"hash",    CF_COL_BYTES, offsetof(struct inquiry_chain, hash)   },
};

const struct cf_kind inquiry_kinds[] = {
    [INQUIRY_KIND_DOCUMENT] = {"document",    sizeof(struct inquiry_row),   document_columns,
                               COUNT(document_columns)},
    [INQUIRY_KIND_CHAIN] = {"audit_chain", sizeof(struct inquiry_chain), chain_columns,
                               COUNT(chain_columns)   },
};
const size_t inquiry_n_kinds = COUNT(inquiry_kinds);

static const struct cf_column alias_columns[] = {
    {"holder", CF_COL_KEY,   offsetof(struct inquiry_alias, holder)},
    {"at",     CF_COL_INT8,  offsetof(struct inquiry_alias, at)    },
    {"past",   CF_COL_BYTES, offsetof(struct inquiry_alias, past)  },
};

#define COLUMN(name, type, field)                                                                  \
    {                                                                                              \
        name, type, offsetof(struct inquiry_audit, field)                                          \
    }
static const struct cf_column audit_columns[] = {
    COLUMN("client", CF_COL_TEXT, client),
    COLUMN("scope", CF_COL_TEXT, scope),
    COLUMN("operator", CF_COL_TEXT, operator_id),
    COLUMN("purpose", CF_COL_TEXT, purpose),
    COLUMN("action", CF_COL_TEXT, action),
    COLUMN("outcome", CF_COL_TEXT, outcome),
    COLUMN("trace_id", CF_COL_TEXT, trace_id),
    COLUMN("holder_ref", CF_COL_BYTES, holder_ref),
    COLUMN("at", CF_COL_INT8, at),
    COLUMN("entry", CF_COL_INT8, entry),
    COLUMN("before", CF_COL_BYTES, before),
    COLUMN("hash", CF_COL_BYTES, hash),
};
#undef COLUMN

const struct cf_aux inquiry_aux_tables[] = {
    [INQUIRY_AUX_ALIAS] = {"alias", sizeof(struct inquiry_alias), alias_columns,
                           COUNT(alias_columns), false},
    [INQUIRY_AUX_AUDIT] = {"audit", sizeof(struct inquiry_audit), audit_columns,
                           COUNT(audit_columns), true },
};
const size_t inquiry_n_aux = COUNT(inquiry_aux_tables);

const struct cf_pgf_statement inquiry_statements[] = {
    [INQUIRY_SQL_BY_KEY] = {"document_by_key",   inquiry_sql_document_by_key,   false},
    [INQUIRY_SQL_BY_ALIAS] = {"document_by_alias", inquiry_sql_document_by_alias, false},
    [INQUIRY_SQL_SWEEP_DOCUMENTS] = {"sweep_documents",   inquiry_sql_sweep_documents,   false},
    [INQUIRY_SQL_SWEEP_ALIASES] = {"sweep_aliases",     inquiry_sql_sweep_aliases,     false},
};
const size_t inquiry_n_statements = COUNT(inquiry_statements);

bool inquiry_store_row(const PGresult *res, int row, int first, struct inquiry_row *out)
{
    struct cf_str version = cf_pgf_get(res, row, first), as_of = cf_pgf_get(res, row, first + 1);
    *out = (struct inquiry_row){0};
    if (version.len != 8 || as_of.len != 8) return false;
    out->version = (int64_t)cf_get64(version.ptr);
    out->as_of = (cf_ms)cf_get64(as_of.ptr);
    for (int i = 0; i < INQUIRY_SOURCES; i++)
        out->sections[i] = cf_pgf_get(res, row, first + 2 + i);
    return true;
}
