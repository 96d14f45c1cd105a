#include "common/io/reason_out.h"

void cf_pair_out(struct cf_out *o, const char *name, const char *zh, const char *en)
{
    cf_out_object(o, name);
    cf_out_z(o, "zh", zh);
    cf_out_z(o, "en", en);
    cf_out_end(o);
}

void cf_reason_out(struct cf_out *o, enum cf_reason reason)
{
    static const struct cf_reason_info unknown;
    static const struct cf_reason_help none;
    bool is_known = reason < CF_REASON_COUNT;
    const struct cf_reason_info *info = is_known ? cf_reason_info(reason) : &unknown;
    const struct cf_reason_help *help = is_known ? cf_reason_help(reason) : &none;
    cf_out_z(o, "field", info->field);
    cf_pair_out(o, "text", info->text_zh, info->text_en);
    cf_pair_out(o, "cure", info->cure_zh, info->cure_en);
    cf_pair_out(o, "materials", help->materials_zh, help->materials_en);
    cf_pair_out(o, "procedure", help->procedure_zh, help->procedure_en);
}
