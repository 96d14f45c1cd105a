/* api_inside -- what the files of the API share. */
#pragma once
#include "services/production/api.h"

#include <stdlib.h>

/* The key of the holder with that document, number as entered. */
bool production_api_key(const struct cf_seal_ring *ring, struct cf_str type, struct cf_str number,
                        struct cf_key *key);
/* {"amount": yuan} in cents, rounded up; 0 for nothing. */
int64_t production_api_cents(const json_t *fee);
/* "code,code" with field, text and cure of each, as the array `reasons`. */
void production_api_reasons(struct cf_out *o, struct cf_str codes);
/* The routes of api_results.c and api_papers.c. */
void production_api_results(struct production_front *front);
void production_api_papers(struct production_front *front);
