/* reason_out -- what the catalogue says of a reason, as JSON: the same in every answer.
 *
 * Owns     nothing
 * Errors   none: of a code that the catalogue does not know all is null
 */
#pragma once
#include "common/io/json.h"
#include "common/pure/reasons.h"

/* {zh, en} */
void cf_pair_out(struct cf_out *o, const char *name, const char *zh, const char *en);
/* field, text, cure, materials and procedure, into the object that is open. */
void cf_reason_out(struct cf_out *o, enum cf_reason reason);
