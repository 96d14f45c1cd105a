#include "services/notification/store.h"

#include "embed/notification_sql.h"

static const struct cf_column holder_columns[] = {
    {"person", CF_COL_BYTES, offsetof(struct notification_holder, person)},
    {"died",   CF_COL_BOOL,  offsetof(struct notification_holder, died)  },
    {"early",  CF_COL_BYTES, offsetof(struct notification_holder, early) },
};

const struct cf_kind notification_kinds[] = {
    {"holder", sizeof(struct notification_holder), holder_columns,
     sizeof holder_columns / sizeof *holder_columns}
};
const size_t notification_n_kinds = 1;

#define COLUMN(name, type, field)                                                                  \
    {                                                                                              \
        name, type, offsetof(struct notification_notice, field)                                    \
    }
static const struct cf_column notice_columns[] = {
    COLUMN("event_id", CF_COL_ID, event_id),
    COLUMN("application_id", CF_COL_ID, application_id),
    COLUMN("template", CF_COL_TEXT, template),
    COLUMN("channel", CF_COL_TEXT, channel),
    COLUMN("state", CF_COL_INT2, state),
    COLUMN("reason", CF_COL_TEXT, reason),
    COLUMN("at", CF_COL_INT8, at),
};
#undef COLUMN

const struct cf_aux notification_aux[] = {
    {"notice", sizeof(struct notification_notice), notice_columns,
     sizeof notice_columns / sizeof *notice_columns, false}
};
const size_t notification_n_aux = 1;

const struct cf_pgf_statement notification_statements[] = {
    [NOTIFY_SQL_CONTACTS] = {"contacts", notification_sql_contacts, false},
};
const size_t notification_n_statements = 1;
