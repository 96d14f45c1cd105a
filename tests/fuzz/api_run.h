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

struct fuzz_api {
    struct cf_service service; /* whose codec reads what is sent */
    /* Adds columns of the row that a statement finds; NULL: none finds any. */
    void (*row)(PGresult *res, size_t statement);
};

/* Makes the front and its routes; app is filled but for `own`. Called once. */
void fuzz_api(struct cf_app *app, struct fuzz_api *out);

const struct cf_calendar *fuzz_calendar(void);
struct cf_str fuzz_data(const char *name);
const struct cf_seal_ring *fuzz_ring(void);
/* A binary value of a row in the making. */
void fuzz_value(PGresult *res, int column, struct cf_str bytes);
