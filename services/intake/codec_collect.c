/* codec_collect -- the cards of a roster are collected: asked for, and told to production. */
#include "services/intake/codec_inside.h"

#include "cardflow/v1/card.pb-c.h"
#include "common/io/ids.h"

typedef Cardflow__V1__IntakeInternal__RosterCollect pb_collect;

static void fill(struct cf_arena *a, const struct intake_collect *m, pb_collect *x)
{
    cardflow__v1__intake_internal__roster_collect__init(x);
    x->collection_id = cf_data_id(m->id);
    x->roster_id = cf_data_id(m->roster_id);
    x->outlet_code = z(a, m->outlet_code);
    x->channel = literal(cf_channel_name(m->channel));
    x->collector = cf_data(m->collector);
    x->n_rows = m->n_rows;
    x->rows = (uint32_t *)(uintptr_t)m->rows;
    x->next_row = m->next_row;
}

struct cf_str intake_codec_collect(struct cf_arena *a, const struct intake_collect *m)
{
    Cardflow__V1__IntakeInternal x;
    pb_collect c;
    cardflow__v1__intake_internal__init(&x);
    fill(a, m, &c);
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_COLLECT;
    x.roster_collect = &c;
    return cf_pack(a, &x.base);
}

static bool take(const pb_collect *x, struct intake_collect *out)
{
    *out = (struct intake_collect){.outlet_code = text(x->outlet_code),
                                   .channel = cf_channel_parse(text(x->channel)),
                                   .collector = cf_bytes(x->collector),
                                   .rows = x->rows,
                                   .n_rows = x->n_rows,
                                   .next_row = x->next_row};
    return take_id(x->collection_id, out->id) && take_id(x->roster_id, out->roster_id) &&
           word_ok(out->outlet_code);
}

int intake_codec_collect_read(struct cf_arena *a, struct cf_str args, struct intake_collect *out)
{
    const pb_collect *x =
        cf_unpack(a, &cardflow__v1__intake_internal__roster_collect__descriptor, args);
    return x && take(x, out) ? 0 : CF_E_DECODE;
}

struct cf_str intake_codec_collect_args(struct cf_arena *a, struct cf_str args, uint32_t next_row)
{
    pb_collect *x = cf_unpack(a, &cardflow__v1__intake_internal__roster_collect__descriptor, args);
    if (!x) CF_BUG("arguments of a collection that do not unpack");
    x->next_row = next_row;
    return cf_pack(a, &x->base);
}

int intake_codec_roster_collect(struct cf_decode *d, const struct cf_record *rec,
                                const pb_collect *x)
{
    struct intake_collect *m = cf_arena_zero(d->arena, sizeof *m);
    if (!take(x, m)) return refuse(d, "collection_id, roster_id: 16 bytes; outlet_code: a word");
    m->args = cf_pack(d->arena, &x->base);
    struct cf_key key = cf_key_roster(m->roster_id);
    as_command(add(d, INTAKE_KIND_ROSTER, INTAKE_MSG_COLLECT, &key, m), rec, m->id);
    return 0;
}

/* ---- to production --------------------------------------------------------------------------- */

void intake_codec_collection_id(const uint8_t collect_id[16], uint32_t row_no, uint8_t out[16])
{
    char row[12];
    int n = snprintf(row, sizeof row, "%u", row_no);
    cf_uuid8_of(out, CF_STR("card.collect"), ((struct cf_str){(const char *)collect_id, 16}),
                ((struct cf_str){row, (size_t)n}));
}

struct cf_str intake_codec_collection(struct cf_arena *a, const struct intake_collect *m,
                                      const uint8_t id[16], const uint8_t application_id[16],
                                      struct cf_str collector)
{
    Cardflow__V1__CardCollection x;
    cardflow__v1__card_collection__init(&x);
    x.operation_id = cf_data_id(id);
    x.application_id = cf_data_id(application_id);
    x.outlet_code = z(a, m->outlet_code);
    x.channel = literal(cf_channel_name(m->channel));
    x.collector = cf_data(collector);
    return cf_pack(a, &x.base);
}
