/* outcome -- what a front says of a piece of work that has ended, or of a timer that is due; what a
 * bank says of a notice. */
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "common/io/ids.h"
#include "services/production/codec.h"
#include "tests/sim/sim.h"

#include <stdio.h>

static struct cf_str put_field_1(struct cf_arena *a, struct cf_str body)
{
    char *to = cf_arena_alloc(a, body.len + 6);
    size_t n = 0, len = body.len;
    to[n++] = 1 << 3 | 2;
    for (; len >= 0x80; len >>= 7)
        to[n++] = (char)(len | 0x80);
    to[n++] = (char)len;
    memcpy(to + n, body.ptr, body.len);
    return (struct cf_str){to, n + body.len};
}

/* As common/io/work_out.c packs it. */
void sim_tell_outcome(enum sim_service service, struct cf_arena *a, const struct cf_work *w,
                      const struct sim_answer *x)
{
    static const uint8_t none[16];
    Cardflow__V1__WorkOutcome o;
    cardflow__v1__work_outcome__init(&o);
    Cardflow__V1__WorkOutcome__Item item, *items = &item;
    cardflow__v1__work_outcome__item__init(&item);
    char topic[64], key[16], id[37], source[64];
    uint8_t ce_id[16];
    item.work_id = cf_data_id(w->id);
    if (memcmp(w->bundle, none, 16) != 0) item.bundle_id = cf_data_id(w->bundle);
    item.attempt = w->attempt;
    item.kind = w->kind;
    item.key = cf_data(cf_key_str(&w->key));
    item.result = (Cardflow__V1__WorkOutcome__Result)x->result;
    item.payload = cf_data(x->payload);
    item.reason = (char *)(uintptr_t)(x->reason ? x->reason : "");
    o.items = &items;
    o.n_items = 1;
    snprintf(topic, sizeof topic, "%s.internal", sim_service(service)->name);
    snprintf(source, sizeof source, "%s/front", sim_service(service)->name);
    int n = snprintf(key, sizeof key, "work:%d", w->part);
    cf_uuid4(ce_id);
    cf_uuid_text(ce_id, id);
    const struct sim_record rec = {.at = sim_now,
                                   .ce_time = sim_now,
                                   .key = {key, (size_t)n},
                                   .value = put_field_1(a, cf_pack(a, &o.base)),
                                   .ce_id = {id, 36},
                                   .ce_type = CF_STR("work.outcome"),
                                   .ce_source = cf_str_of(source)};
    sim_append(sim_topic(topic), w->part, &rec);
    if (sim_fault(20000)) sim_append(sim_topic(topic), w->part, &rec);
}

void sim_acknowledge(const Cardflow__V1__BankOrder *o, struct cf_key *holder,
                     struct production_result_fields *f)
{
    const Cardflow__V1__BankOrder__CardNotice *n = o->card_notice;
    if (n->notice_id.len != 16 || !cf_key_bytes(n->routing_key.data, n->routing_key.len, holder))
        sim_broken("a bank cannot read a notice");
    *f = (struct production_result_fields){.bank = cf_str_of(o->bank_code),
                                           .card_no = cf_str_of(n->card_no),
                                           .step = CF_STR(PRODUCTION_ACKNOWLEDGED),
                                           .at = sim_now};
    memcpy(f->notice_id, n->notice_id.data, 16);
    memcpy(f->result_id, n->notice_id.data, 16);
}
