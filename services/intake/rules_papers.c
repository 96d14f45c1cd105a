/* Papers of units and schools (S2), outlet and bank, and which channel may do what. */
#include "common/pure/channels.h"
#include "services/intake/rules.h"

void intake_check_papers(const struct intake_request *r, const struct intake_agent *agent,
                         cf_day today, struct cf_reason_set *out)
{
    if (r->channel != CF_CHANNEL_UNIT && r->channel != CF_CHANNEL_SCHOOL) return;
    if (r->papers_given_before) return;
    bool has_agent = agent->name.len && agent->document_number.len;
    if (r->unit_code.len == 0 || r->introduction_letter_no.len == 0 || !has_agent)
        cf_reason_set_add(out, CF_REASON_MISSING_UNIT_PAPERS);
    if (has_agent) {
        char buf[CF_IDNUM_MAX];
        size_t n;
        enum cf_doc_type type;
        struct cf_idnum id;
        if (!intake_number_valid(agent->document_type, agent->document_number, today, &type, &id,
                                 buf, &n))
            cf_reason_set_add(out, CF_REASON_AGENT_DOCUMENT_INVALID);
    }
    if (!r->id_copies_held) cf_reason_set_add(out, CF_REASON_ID_COPIES_NOT_CONFIRMED);
}

void intake_check_outlet(const struct intake_request *r, const struct cf_outlets *outlets,
                         struct cf_reason_set *out)
{
    const struct cf_outlet *o = cf_outlet_find(outlets, r->bank_code, r->outlet_code);
    if (!o)
        cf_reason_set_add(out, CF_REASON_UNKNOWN_OUTLET);
    else if (!o->active)
        cf_reason_set_add(out, CF_REASON_OUTLET_INACTIVE);
}

bool intake_channel_allows(enum cf_channel channel, enum cf_app_kind kind)
{
    static const unsigned channels[CF_KIND_COUNT] = {
#define X(value, name, at) [CF_KIND_##value] = (at),
        CF_MATRIX_APPLICATIONS(X)
#undef X
    };
    return cf_matrix_may(channels[kind], channel);
}
