/* codec_collect -- card.collect: the agent of a unit's list takes a card. */
#include "services/production/codec_inside.h"

#include "cardflow/v1/card.pb-c.h"

int production_codec_collection(struct cf_decode *d, const struct cf_record *rec)
{
    struct cf_key key;
    int err = production_codec_holder_key(d, rec, &key);
    if (err) return err;
    const Cardflow__V1__CardCollection *x =
        cf_unpack(d->arena, &cardflow__v1__card_collection__descriptor, rec->value);
    struct production_collection *b = cf_arena_zero(d->arena, sizeof *b);
    if (!x || !production_codec_id(x->operation_id, b->id) ||
        !production_codec_id(x->application_id, b->app_id))
        return production_codec_wrong(d, "operation_id, application_id: 16 bytes");
    b->outlet = production_codec_text(x->outlet_code);
    b->channel = cf_channel_parse(production_codec_text(x->channel));
    if (x->collector.len) b->collector = cf_bytes(x->collector);
    if (b->outlet.len > 64 || b->collector.len > 4096)
        return production_codec_wrong(d, "outlet_code, collector: too long");
    struct cf_msg *m = production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_COLLECT, &key, b);
    m->is_command = true;
    memcpy(m->id, b->id, 16);
    m->sent_at = rec->ce_time;
    return 0;
}
