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
/* Columns of sql/voucher.sql and sql/notice.sql. */
enum production_paper_column {
    PRODUCTION_PAPER_OPERATION,
    PRODUCTION_PAPER_RESULT,
    PRODUCTION_PAPER_REASONS,
    PRODUCTION_PAPER_CARD_NO,
    PRODUCTION_PAPER_CARD_STATE,
    PRODUCTION_PAPER_VOUCHER_NO,
    PRODUCTION_PAPER_NOTICE_NO,
    PRODUCTION_PAPER_CHANNEL,
    PRODUCTION_PAPER_AT,
    PRODUCTION_PAPER_ID,
    PRODUCTION_PAPER_HOLDER,
    PRODUCTION_PAPER_ROLE,
    PRODUCTION_PAPER_METHOD,
    PRODUCTION_PAPER_SIGNED_AT
};

/* The voucher or notice `no`, of row 0 of res, as a paper. */
struct cf_paper;
void production_api_paper(struct cf_paper *paper, enum cf_lang lang, const char *phones,
                          bool voucher, struct cf_str no, const PGresult *res);
/* A page of a list: `name` is its array, `row` writes one; columns `at` (ms) and `id` order it. */
struct production_page {
    struct cf_request *req;
    int limit;
    const char *name;
    int at, id;
    void (*row)(struct cf_out *o, const PGresult *res, int row);
};
/* Answers with the rows; arg: struct production_page. */
void production_page_show(void *arg, int e, const PGresult *res);
/* "ms.id", the next_after of a page before; false: it is none. */
bool production_page_after(struct cf_str after, int64_t *at, struct cf_str *id);
/* The routes of api_results.c, api_papers.c and api_unsigned.c; the metrics of api_notices.c. */
void production_api_results(struct production_front *front);
void production_api_papers(struct production_front *front);
void production_api_unsigned(struct production_front *front);
void production_api_notices(struct production_front *front);
void production_api_failures(struct production_front *front);
