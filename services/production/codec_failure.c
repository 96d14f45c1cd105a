/* codec_failure -- card.settle_failure: what becomes of a card that was not made. */
#include "services/production/codec_inside.h"

#include "cardflow/v1/card.pb-c.h"

int production_codec_failure(struct cf_decode *d, const struct cf_record *rec)
{
    struct cf_key key;
    int err = production_codec_holder_key(d, rec, &key);
    if (err) return err;
    const Cardflow__V1__FailureSettlement *x =
        cf_unpack(d->arena, &cardflow__v1__failure_settlement__descriptor, rec->value);
    struct production_settlement *b = cf_arena_zero(d->arena, sizeof *b);
    if (!x || !production_codec_id(x->operation_id, b->id) ||
        !production_codec_id(x->application_id, b->app_id))
        return production_codec_wrong(d, "operation_id, application_id: 16 bytes");
    struct cf_str action = production_codec_text(x->action);
    b->remake = cf_str_is(action, "remake");
    b->staff_id = production_codec_text(x->staff_id);
    b->reason = production_codec_text(x->reason);
    if (!b->remake && !cf_str_is(action, "close"))
        return production_codec_wrong(d, "action: remake or close");
    if (b->staff_id.len > 64 || b->reason.len > 200)
        return production_codec_wrong(d, "staff_id, reason: too long");
    struct cf_msg *m = production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_SETTLE, &key, b);
    m->is_command = true;
    memcpy(m->id, b->id, 16);
    m->sent_at = rec->ce_time;
    return 0;
}

struct cf_str production_codec_settlement(struct cf_arena *a,
                                          const struct production_settlement *m)
{
    Cardflow__V1__FailureSettlement x;
    cardflow__v1__failure_settlement__init(&x);
    x.operation_id = cf_data_id(m->id);
    x.application_id = cf_data_id(m->app_id);
    x.action = (char *)(uintptr_t)(m->remake ? "remake" : "close");
    if (m->staff_id.len) x.staff_id = (char *)(uintptr_t)cf_arena_str(a, m->staff_id).ptr;
    if (m->reason.len) x.reason = (char *)(uintptr_t)cf_arena_str(a, m->reason).ptr;
    return cf_pack(a, &x.base);
}
