#include "common/pure/idnum.h"

static const struct {
    const char *name, *zh;
} types[] = {{"", ""},
#define X(value, name, zh) {name, zh},
             CF_DOC_TYPES(X)
#undef X
};

static const char *const reasons[] = {
#define X(value, name) name,
    CF_ID_REASONS(X)
#undef X
};

enum cf_doc_type cf_doc_type_parse(struct cf_str name)
{
    for (unsigned i = 1; i < CF_DOC_COUNT; i++)
        if (cf_str_is(name, types[i].name)) return (enum cf_doc_type)i;
    return CF_DOC_NONE;
}

enum cf_doc_type cf_doc_type_parse_zh(struct cf_str name)
{
    for (unsigned i = 1; i < CF_DOC_COUNT; i++)
        if (cf_str_is(name, types[i].zh)) return (enum cf_doc_type)i;
    return cf_doc_type_parse(name);
}

const char *cf_doc_type_name(enum cf_doc_type type)
{
    return types[(unsigned)type < CF_DOC_COUNT ? type : CF_DOC_NONE].name;
}

const char *cf_doc_type_name_zh(enum cf_doc_type type)
{
    return types[(unsigned)type < CF_DOC_COUNT ? type : CF_DOC_NONE].zh;
}

const char *cf_id_reason_name(enum cf_id_reason reason)
{
    return (unsigned)reason < CF_ID_REASON_COUNT ? reasons[reason] : "";
}

const char *cf_id_reason_code(enum cf_id_reason reason)
{
    return reason == CF_ID_EMPTY ? "missing_document_number" : cf_id_reason_name(reason);
}
