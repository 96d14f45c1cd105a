/* api_run -- requests through a service's routes: server, handler, the command it makes.
 *
 * An input is an HTTP request in short (see api_run.c). Whatever a handler asks PostgreSQL, Redis
 * or Kafka is answered here, as the input says; what it sends is decoded by the stage's own codec.
 *
 * Errors   the process ends when an answer is 500 or no JSON where it says so, when a handler does
 *          not answer, or when the stage could not read a command that the front has taken
 */
#pragma once
#include "common/io/app.h"

/* What a request waits for, beside the statements of the service. */
#define FUZZ_WAITED SIZE_MAX

struct fuzz_row;

struct fuzz_api {
    struct cf_service service; /* whose codec reads what is sent */
    /* Adds the columns of the n-th row that a statement finds, or none: there is no more. The
     * variant, 0 to 3, is the input's. NULL: no statement finds any. */
    void (*row)(struct fuzz_row *row, size_t statement, int n, unsigned variant);
    const char *id; /* stands in paths for a good id; NULL: any is good */
};

/* Makes the front and its routes; app is filled but for `own`. Called once. */
void fuzz_api(struct cf_app *app, struct fuzz_api *out);

const struct cf_calendar *fuzz_calendar(void);
const struct cf_policies *fuzz_policies(void);
struct cf_str fuzz_data(const char *name);
const struct cf_seal_ring *fuzz_ring(void);
/* Was it this key that the statement's last parameter named? */
bool fuzz_asked_for(const struct fuzz_row *row, const struct cf_key *key);
/* The next column: bytes or text (NULL when it has no ptr), and a number of 1, 2, 4 or 8 bytes. */
void fuzz_column(struct fuzz_row *row, const char *name, struct cf_str value);
void fuzz_number(struct fuzz_row *row, const char *name, size_t bytes, int64_t value);
