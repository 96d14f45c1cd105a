/* api_rosters -- what the routes about a stored roster share.
 *
 * Owns     a struct intake_ask lives in its request's arena
 */
#pragma once
#include "services/intake/api.h"

struct intake_ask {
    struct cf_request *req;
    struct intake_front *front;
    uint8_t roster_id[16];
    struct cf_key key;
    char part[2], after[4], limit[4];
    int32_t max;
    void (*then)(struct intake_ask *k, const PGresult *roster);
};

/* Goes on with `then` when the roster is there and the caller's; else it has answered. */
void intake_roster_ask(struct cf_request *req, struct intake_front *front,
                       void (*then)(struct intake_ask *k, const PGresult *roster));
/* Asks for rows; as cf_pgf_send. */
int intake_roster_rows(struct intake_ask *k, int32_t after, int32_t limit, cf_pgf_done *done,
                       void *arg) CF_MUST;
/* "accepted", "refused", "unchanged" or "pending". */
const char *intake_row_outcome_at(const PGresult *res, int row);

/* The channel by which the list came. */
enum cf_channel intake_roster_channel(const PGresult *roster);

/* to_collect and not_collected: what sql/roster_states.sql found. */
void intake_collect_states(struct cf_out *o, const PGresult *res);

void intake_api_roster_csv_route(struct intake_front *front);
