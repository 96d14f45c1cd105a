/* show -- a work order as JSON. */
#pragma once
#include "common/io/json.h"
#include "services/complaint-handling/codec.h"

struct complaint_show {
    struct cf_arena *arena;
    const struct complaint_env *env;
    const struct cf_key *key;
    const struct complaint_order *order;
    const struct complaint_demand *demand;
    const struct complaint_step *steps;
    size_t n_steps;
};

/* Opens what is sealed for the party that works on it; of an anonymous order nothing tells who. */
void complaint_show(struct cf_buf *to, const struct complaint_show *in);
