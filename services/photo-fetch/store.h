/* store -- photo-fetch's rows: which column holds what; and the front's statements.
 *
 * Shapes   struct photo_fetch_job is the row of `holder`; struct photo_fetch_answer of `upload`
 * Owns     text lives in the batch arena
 */
#pragma once
#include "common/io/pg_front.h"
#include "common/io/stage/stage.h"

struct photo_fetch_job {
    uint8_t application_id[16];
    int16_t kind, state, source; /* enum cf_app_kind, photo_state, photo_source */
    bool is_child;
    uint8_t photo_ref[16]; /* zero: none */
    int32_t reasons;       /* OR of enum cf_photo_reason */
    cf_day respond_by;
    uint8_t work_id[16]; /* the fetch, or the timer of the last day; zero: none */
    struct cf_str command_ids;
};

enum photo_fetch_upload_result {
    PHOTO_UPLOAD_DONE = 1,
    PHOTO_UPLOAD_ENDED,    /* the application is not open, or has its photo */
    PHOTO_UPLOAD_UNUSABLE, /* the photo cannot be used */
    PHOTO_UPLOAD_EXPIRED,  /* the command is older than 7 days */
    PHOTO_UPLOAD_TOO_MANY, /* commands within 7 days */
    PHOTO_UPLOAD_NOT_A_CHILD /* to declare that there is no photo */
};

struct photo_fetch_answer {
    uint8_t application_id[16];
    int16_t result;
};

enum photo_fetch_aux { PHOTO_AUX_UPLOAD };

extern const struct cf_kind photo_fetch_kinds[];
extern const size_t photo_fetch_n_kinds;
extern const struct cf_aux photo_fetch_aux[];
extern const size_t photo_fetch_n_aux;

/* Statements of the front, by index. */
enum photo_fetch_statement { PHOTO_SQL_STORE_PHOTOS, PHOTO_SQL_FIND_HOLDER };
extern const struct cf_pgf_statement photo_fetch_statements[];
extern const size_t photo_fetch_n_statements;
/* For Prefer: wait. */
extern const struct cf_pgf_statement photo_fetch_wait;
