/* api_inside -- what the files of the API share. */
#pragma once
#include "services/production/api.h"

#include <stdlib.h>

/* The key of the holder with that document, number as entered. */
bool production_api_key(const struct cf_seal_ring *ring, struct cf_str type, struct cf_str number,
                        struct cf_key *key);
/* {"amount": yuan} in cents, rounded up; 0 for nothing. */
int64_t production_api_cents(const json_t *fee);
/* The route of api_results.c. */
void production_api_results(struct production_front *front);
