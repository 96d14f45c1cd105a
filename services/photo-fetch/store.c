#include "services/photo-fetch/store.h"

#include "embed/photo_fetch_sql.h"

#define COLUMN(name, type, field)                                                                  \
    {                                                                                              \
        name, type, offsetof(struct photo_fetch_job, field)                                        \
    }
static const struct cf_column job_columns[] = {
    COLUMN("application_id", CF_COL_ID, application_id),
    COLUMN("kind", CF_COL_INT2, kind),
    COLUMN("state", CF_COL_INT2, state),
    COLUMN("source", CF_COL_INT2, source),
    COLUMN("is_child", CF_COL_BOOL, is_child),
    COLUMN("photo_ref", CF_COL_ID, photo_ref),
    COLUMN("reasons", CF_COL_INT4, reasons),
    COLUMN("respond_by", CF_COL_INT4, respond_by),
    COLUMN("work_id", CF_COL_ID, work_id),
    COLUMN("command_ids", CF_COL_BYTES, command_ids),
};
#undef COLUMN

const struct cf_kind photo_fetch_kinds[] = {
    {"holder", sizeof(struct photo_fetch_job), job_columns,
     sizeof job_columns / sizeof *job_columns}
};
const size_t photo_fetch_n_kinds = 1;

static const struct cf_column answer_columns[] = {
    {"application_id", CF_COL_ID,   offsetof(struct photo_fetch_answer, application_id)},
    {"result",         CF_COL_INT2, offsetof(struct photo_fetch_answer, result)        },
};

const struct cf_aux photo_fetch_aux[] = {
    {"upload", sizeof(struct photo_fetch_answer), answer_columns,
     sizeof answer_columns / sizeof *answer_columns, true}
};
const size_t photo_fetch_n_aux = 1;

const struct cf_pgf_statement photo_fetch_statements[] = {
    [PHOTO_SQL_STORE_PHOTOS] = {"store_photos", photo_fetch_sql_store_photos, false},
    [PHOTO_SQL_FIND_HOLDER] = {"find_holder",  photo_fetch_sql_find_holder,  false},
};
const size_t photo_fetch_n_statements = 2;
const struct cf_pgf_statement photo_fetch_wait = {"upload_answers", photo_fetch_sql_upload_answers,
                                                  false};
