/* units -- counting a unit's people: the work of its clock, and questions over HTTP.
 *
 * Owns     nothing between calls
 * Errors   PostgreSQL away: the work ends as "try again", a request as 503
 */
#pragma once
#include "services/intake/front.h"

void intake_units_run(struct intake_front *front, struct cf_work_call *call);
/* People enrolled with the unit by that day, and how many are missing; as cf_pgf_send. */
int intake_units_count(struct cf_app *app, struct cf_str unit_code, cf_day due_on,
                       cf_pgf_done *done, void *arg) CF_MUST;
struct intake_units_counted {
    uint32_t enrolled, missing;
};
struct intake_units_counted intake_units_read(const PGresult *res);
