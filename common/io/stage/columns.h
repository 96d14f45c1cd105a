/* columns -- plain structs to and from PostgreSQL's binary form, driven by a column table.
 *
 * Owns     values read point into the arena that was passed
 * Errors   CF_E_DATA when a stored value does not fit its field
 */
#pragma once
#include "common/io/stage/pgbin.h"
#include "common/io/stage/stage.h"

#include <libpq-fe.h>

const char *cf_column_sql_type(enum cf_column_type type);
enum cf_oid cf_column_oid(enum cf_column_type type);
void cf_column_append(const struct cf_column *c, const void *row, struct cf_pgarray *a);
/* Field `field` of row `i` of a binary result into the struct. */
int cf_column_read(const struct cf_column *c, const PGresult *r, int i, int field,
                   struct cf_arena *arena, void *row) CF_MUST;

/* "select <id>, ctid, <columns> from <table> ...": the rows of part $1 with ids $2. */
void cf_columns_load_sql(struct cf_buf *sql, const char *table, const char *id, const char *id_type,
                         const struct cf_column *columns, size_t n);
/* "insert ... select * from unnest(...)": parts, ids, columns; for rows that are not there. */
void cf_columns_insert_sql(struct cf_buf *sql, const char *table, const char *id,
                           const char *id_type, const struct cf_column *columns, size_t n);
/* "update ... from unnest(...)": places, columns; for rows that were loaded. */
void cf_columns_update_sql(struct cf_buf *sql, const char *table, const struct cf_column *columns,
                           size_t n);
/* "insert ... select * from unnest(...) on conflict ...": for rows of which nothing is known. */
void cf_columns_save_sql(struct cf_buf *sql, const char *table, const char *id, const char *id_type,
                         const struct cf_column *columns, size_t n, bool insert_only);
