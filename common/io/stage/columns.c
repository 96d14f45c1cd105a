#include "common/io/stage/columns.h"

static const struct {
    const char *sql;
    enum cf_oid oid;
} types[] = {
    [CF_COL_BOOL] = {"boolean",  CF_OID_BOOL },
      [CF_COL_INT2] = {"smallint", CF_OID_INT2 },
    [CF_COL_INT4] = {"integer",  CF_OID_INT4 },
      [CF_COL_INT8] = {"bigint",   CF_OID_INT8 },
    [CF_COL_TEXT] = {"text",     CF_OID_TEXT },
      [CF_COL_BYTES] = {"bytea",    CF_OID_BYTEA},
    [CF_COL_ID] = {"uuid",     CF_OID_UUID },
      [CF_COL_KEY] = {"bytea",    CF_OID_BYTEA},
};

const char *cf_column_sql_type(enum cf_column_type type)
{
    return types[type].sql;
}

enum cf_oid cf_column_oid(enum cf_column_type type)
{
    return types[type].oid;
}

static void append_id(const uint8_t *id, struct cf_pgarray *a)
{
    static const uint8_t none[16];
    if (memcmp(id, none, 16) == 0)
        cf_pgarray_null(a);
    else
        cf_pgarray_bytes(a, id, 16);
}

static void append_str(struct cf_str s, struct cf_pgarray *a)
{
    if (s.ptr)
        cf_pgarray_bytes(a, s.ptr, s.len);
    else
        cf_pgarray_null(a);
}

void cf_column_append(const struct cf_column *c, const void *row, struct cf_pgarray *a)
{
    const char *at = (const char *)row + c->offset;
    switch (c->type) {
    case CF_COL_BOOL:
        cf_pgarray_bool(a, *(const bool *)(const void *)at);
        break;
    case CF_COL_INT2:
        cf_pgarray_int2(a, *(const int16_t *)(const void *)at);
        break;
    case CF_COL_INT4:
        cf_pgarray_int4(a, *(const int32_t *)(const void *)at);
        break;
    case CF_COL_INT8:
        cf_pgarray_int8(a, *(const int64_t *)(const void *)at);
        break;
    case CF_COL_TEXT:
    case CF_COL_BYTES:
        append_str(*(const struct cf_str *)(const void *)at, a);
        break;
    case CF_COL_ID:
        append_id((const uint8_t *)at, a);
        break;
    case CF_COL_KEY: {
        const struct cf_key *key = (const void *)at;
        append_str(key->len ? cf_key_str(key) : (struct cf_str){0}, a);
        break;
    }
    }
}

int cf_column_read(const struct cf_column *c, const PGresult *r, int i, int field,
                   struct cf_arena *arena, void *row)
{
    char *to = (char *)row + c->offset;
    const char *from = PQgetvalue(r, i, field);
    size_t n = (size_t)PQgetlength(r, i, field);
    static const size_t size[] = {[CF_COL_BOOL] = 1, [CF_COL_INT2] = 2, [CF_COL_INT4] = 4,
                                  [CF_COL_INT8] = 8, [CF_COL_ID] = 16,  [CF_COL_KEY] = 0};
    if (PQgetisnull(r, i, field)) return 0; /* the struct is zeroed */
    if (c->type != CF_COL_TEXT && c->type != CF_COL_BYTES && size[c->type] && n != size[c->type])
        return CF_E_DATA;
    switch (c->type) {
    case CF_COL_BOOL:
        *(bool *)(void *)to = *from != 0;
        break;
    case CF_COL_INT2:
        *(int16_t *)(void *)to = (int16_t)cf_get16(from);
        break;
    case CF_COL_INT4:
        *(int32_t *)(void *)to = (int32_t)cf_get32(from);
        break;
    case CF_COL_INT8:
        *(int64_t *)(void *)to = (int64_t)cf_get64(from);
        break;
    case CF_COL_TEXT:
    case CF_COL_BYTES:
        *(struct cf_str *)(void *)to = cf_arena_str(arena, (struct cf_str){from, n});
        break;
    case CF_COL_ID:
        memcpy(to, from, 16);
        break;
    case CF_COL_KEY:
        if (!cf_key_bytes(from, n, (struct cf_key *)(void *)to)) return CF_E_DATA;
        break;
    }
    return 0;
}

static void names(struct cf_buf *sql, const struct cf_column *columns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cf_buf_printf(sql, ", %s", columns[i].name);
}

static void arrays(struct cf_buf *sql, size_t first, const struct cf_column *columns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cf_buf_printf(sql, ", $%zu::%s[]", first + i, cf_column_sql_type(columns[i].type));
}

/* Rows are found one by one in a subselect, which can only go by the whole primary key: for an array
 * of ids alone the planner may read all rows of the part, if the table was small when it looked. */
void cf_columns_load_sql(struct cf_buf *sql, const char *table, const char *id, const char *id_type,
                         const struct cf_column *columns, size_t n)
{
    cf_buf_printf(sql, "select %s, ctid", id);
    names(sql, columns, n);
    cf_buf_printf(sql,
                  " from %s where ctid = any (array(select (select t.ctid from %s t"
                  " where t.part = $1::smallint and t.%s = v.id) from unnest($2::%s[]) v(id)))",
                  table, table, id, id_type);
}

void cf_columns_insert_sql(struct cf_buf *sql, const char *table, const char *id,
                           const char *id_type, const struct cf_column *columns, size_t n)
{
    cf_buf_printf(sql, "insert into %s (part, %s", table, id);
    names(sql, columns, n);
    cf_buf_printf(sql, ") select * from unnest($1::smallint[], $2::%s[]", id_type);
    arrays(sql, 3, columns, n);
    cf_buf_printf(sql, ")");
}

void cf_columns_save_sql(struct cf_buf *sql, const char *table, const char *id, const char *id_type,
                         const struct cf_column *columns, size_t n, bool insert_only)
{
    cf_columns_insert_sql(sql, table, id, id_type, columns, n);
    cf_buf_printf(sql, " on conflict (part, %s) do ", id);
    cf_buf_printf(sql, insert_only || n == 0 ? "nothing" : "update set ");
    for (size_t i = 0; i < n && !insert_only; i++)
        cf_buf_printf(sql, "%s%s = excluded.%s", i ? ", " : "", columns[i].name, columns[i].name);
}

/* Goes to the rows by their place, past the index. A row that is not where it was loaded from
 * divides by zero, which ends the transaction: the batch is loaded again. */
void cf_columns_update_sql(struct cf_buf *sql, const char *table, const struct cf_column *columns,
                           size_t n)
{
    cf_buf_printf(sql, "with done as (update %s t set ", table);
    for (size_t i = 0; i < n; i++)
        cf_buf_printf(sql, "%s%s = v.%s", i ? ", " : "", columns[i].name, columns[i].name);
    cf_buf_printf(sql, " from unnest($1::tid[]");
    arrays(sql, 2, columns, n);
    cf_buf_printf(sql, ") v(place");
    names(sql, columns, n);
    cf_buf_printf(sql, ") where t.ctid = v.place returning 1)"
                       " select 1 / (count(*) = cardinality($1::tid[]))::int from done");
}
