/* route -- which handler answers a method and a path. No sockets in here.
 *
 * Shapes   patterns are "/v1/applications/{application_id}/photo"; a {name} takes exactly one
 *          segment that is not empty. Where two patterns fit, the one with text in the first
 *          segment that differs wins.
 * Owns     patterns must stay (literals); parameters of a match are decoded into the arena
 * Errors   see enum cf_match
 */
#pragma once
#include "common/pure/arena.h"

#define CF_ROUTE_SEGMENTS 12
#define CF_ROUTE_PARAMS 4

struct cf_router;

enum cf_match { CF_MATCH_FOUND, CF_MATCH_NO_PATH, CF_MATCH_NO_METHOD };

struct cf_matched {
    size_t index; /* of the route, as given out by cf_router_add */
    size_t n_params;
    struct cf_str params[CF_ROUTE_PARAMS]; /* still percent-encoded */
    char allow[64];                        /* for CF_MATCH_NO_METHOD: "GET, POST" */
};

void cf_router_free(struct cf_router *r);
struct cf_router *cf_router_new(void) CF_FREED_BY(cf_router_free);
/* The route's index: 0, 1, 2... A malformed pattern is a bug. */
size_t cf_router_add(struct cf_router *r, const char *method, const char *pattern);
enum cf_match cf_router_match(const struct cf_router *r, struct cf_str method, struct cf_str path,
                              struct cf_matched *out);
/* The number of the parameter `name` in the pattern of route `index`, or -1. */
int cf_router_param(const struct cf_router *r, size_t index, const char *name);

/* Is it a path we take: begins with '/', visible ASCII, well-formed percent escapes, and without
 * U+0000 and control characters, as UTF-8, when decoded? */
bool cf_path_ok(struct cf_str path);
/* Decodes %XX (and + as space when `form`) into out, which has room for in.len bytes; false when
 * malformed. */
bool cf_percent_decode(struct cf_str in, bool form, char *out, size_t *n);
