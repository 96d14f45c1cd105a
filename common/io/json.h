/* json -- reading bodies with bounds, and writing answers without building objects.
 *
 * Reading: cf_json_parse() refuses what is too deep, has a name twice or is not UTF-8, and says
 * where. A struct cf_in then takes typed values out of one object and collects what is wrong with
 * all of them, so that a client hears everything at once:
 *
 *     struct cf_in in = cf_in_of(root, arena, &errors);
 *     struct cf_str name = cf_in_text(&in, "name", CF_NEEDED, 1, 200);
 *     struct cf_in holder = cf_in_object(&in, "holder", CF_NEEDED);
 *     if (errors.n) return cf_problem_fields(req, &errors);
 *
 * Writing: straight into a cf_buf.
 *
 *     struct cf_out o = cf_out_to(&buf);
 *     cf_out_object(&o, NULL);
 *     cf_out_text(&o, "state", state);
 *     cf_out_end(&o);
 *
 * Shapes   struct cf_str lengths are bytes, limits of text are characters (code points)
 * Owns     text taken from a document lives as long as the document; names of fields in errors
 *          live in the arena
 * Errors   never a value of the input in an error, only field, rule and cure
 */
#pragma once
#include "common/pure/arena.h"
#include "common/pure/date.h"

#include <jansson.h>

/* ---- errors of fields --------------------------------------------------------------------- */

#define CF_FIELD_ERRORS 20

struct cf_field_error {
    const char *field, *rule, *cure;
};

struct cf_field_errors {
    struct cf_field_error list[CF_FIELD_ERRORS]; /* the first of them */
    size_t n;                                    /* all, also those that found no room */
};

/* The texts must live until the answer is written. */
void cf_field_error_add(struct cf_field_errors *e, const char *field, const char *rule,
                        const char *cure);

/* ---- reading ------------------------------------------------------------------------------ */

#define CF_JSON_DEPTH 16

struct cf_json_error {
    size_t position; /* byte, from 0 */
    int line, column;
    const char *rule; /* a literal */
};

/* A document with an object or array on top; json_decref() it. NULL: *e says why and where. */
json_t *cf_json_parse(struct cf_str text, struct cf_json_error *e);

struct cf_in {
    const json_t *object; /* NULL: every optional value is absent, every needed one missing */
    const char *path;     /* "holder." or "" */
    struct cf_arena *arena;
    struct cf_field_errors *errors;
    bool absent; /* a part that is not there and may be missing: nothing in it is an error */
};

enum cf_need { CF_OPTIONAL, CF_NEEDED };

/* root must be an object; if not, that is an error of the field "body". */
struct cf_in cf_in_of(const json_t *root, struct cf_arena *arena, struct cf_field_errors *errors);
struct cf_in cf_in_object(struct cf_in *in, const char *name, enum cf_need need);
/* JSON null counts as absent everywhere. */
bool cf_in_has(const struct cf_in *in, const char *name);
/* Absent: ptr NULL. Text of min..max characters. */
struct cf_str cf_in_text(struct cf_in *in, const char *name, enum cf_need need, size_t min,
                         size_t max);
/* Absent or wrong: `fallback`. */
int64_t cf_in_int(struct cf_in *in, const char *name, enum cf_need need, int64_t min, int64_t max,
                  int64_t fallback);
bool cf_in_bool(struct cf_in *in, const char *name, enum cf_need need, bool fallback);
/* An array of at most `max`; NULL when absent or wrong. Items by cf_in_item(). */
const json_t *cf_in_array(struct cf_in *in, const char *name, enum cf_need need, size_t max);
/* The i-th item of an array of objects; `name` as given to cf_in_array, NULL for a top array. */
struct cf_in cf_in_item(struct cf_in *in, const char *name, const json_t *array, size_t i);
/* The i-th item of an array of texts. */
struct cf_str cf_in_text_item(struct cf_in *in, const char *name, const json_t *array, size_t i,
                              size_t min, size_t max);
/* The same; an error when it has more bytes than the stage, which counts bytes, would take. */
struct cf_str cf_in_word(struct cf_in *in, const char *name, enum cf_need need, size_t min,
                         size_t max, size_t max_bytes);
/* Adds an error about a field of this object. */
void cf_in_wrong(struct cf_in *in, const char *name, const char *rule, const char *cure);
/* Every name that is not in the list (NULL-terminated) is an error. */
void cf_in_only(struct cf_in *in, const char *const *names);

/* ---- writing ------------------------------------------------------------------------------ */

struct cf_out {
    struct cf_buf *to;
    uint64_t array; /* bit d: level d is an array */
    unsigned depth; /* at most 63 */
    bool comma;
};

struct cf_out cf_out_to(struct cf_buf *to);
/* name is a literal that needs no escaping; NULL inside arrays and on top. */
void cf_out_object(struct cf_out *o, const char *name);
void cf_out_array(struct cf_out *o, const char *name);
/* Ends the innermost object or array. */
void cf_out_end(struct cf_out *o);
/* ptr NULL is null. What is not UTF-8 is written as U+FFFD. */
void cf_out_text(struct cf_out *o, const char *name, struct cf_str v);
void cf_out_z(struct cf_out *o, const char *name, const char *v);
void cf_out_int(struct cf_out *o, const char *name, int64_t v);
void cf_out_uint(struct cf_out *o, const char *name, uint64_t v);
void cf_out_double(struct cf_out *o, const char *name, double v);
void cf_out_bool(struct cf_out *o, const char *name, bool v);
void cf_out_null(struct cf_out *o, const char *name);
/* null for an empty text, for a day and for a moment that is not after 1970-01-01. */
void cf_out_some(struct cf_out *o, const char *name, struct cf_str v);
void cf_out_day(struct cf_out *o, const char *name, cf_day day);
void cf_out_time(struct cf_out *o, const char *name, cf_ms at);
/* JSON as it stands. */
void cf_out_raw(struct cf_out *o, const char *name, struct cf_str json);
/* The quoted, escaped form of v alone. */
void cf_json_quote(struct cf_buf *to, struct cf_str v);
