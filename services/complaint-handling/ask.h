/* ask -- outside work: asks inquiry where a holder's application stands.
 *
 * The outcome's payload is the sentence an agent would read out, sealed for the order.
 *
 * Errors   inquiry away or busy: CF_WORK_RETRY; nobody found, or we may not ask: CF_WORK_FAILED
 * Threads  the front thread
 */
#pragma once
#include "common/io/http_client.h"
#include "common/io/seal.h"
#include "common/io/work.h"

struct complaint_asker;

struct complaint_ask_conf {
    const char *url, *key;
    cf_ms timeout;
    int connections;
};

void complaint_asker_free(struct complaint_asker *a);
int complaint_asker_new(struct cf_loop *loop, const struct cf_seal_ring *ring,
                        const struct complaint_ask_conf *conf,
                        struct complaint_asker **out) CF_MUST;
void complaint_asker_run(struct complaint_asker *a, struct cf_work_call *call);
