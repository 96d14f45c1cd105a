#include "common/io/clock.h"
#include "common/io/http_internal.h"
#include "common/pure/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PROBLEM_MAX 65536

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *text;
    } list[] = {
        {200, "OK"                             },
        {201, "Created"                        },
        {202, "Accepted"                       },
        {204, "No Content"                     },
        {303, "See Other"                      },
        {304, "Not Modified"                   },
        {400, "Bad Request"                    },
        {401, "Unauthorized"                   },
        {403, "Forbidden"                      },
        {404, "Not Found"                      },
        {405, "Method Not Allowed"             },
        {408, "Request Timeout"                },
        {409, "Conflict"                       },
        {411, "Length Required"                },
        {413, "Content Too Large"              },
        {415, "Unsupported Media Type"         },
        {422, "Unprocessable Content"          },
        {429, "Too Many Requests"              },
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"          },
        {503, "Service Unavailable"            },
        {505, "HTTP Version Not Supported"     }
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (list[i].status == status) return list[i].text;
    return "Unknown";
}

/* Made once a second. */
static struct cf_str date_line(struct cf_http *http)
{
    time_t now = time(NULL);
    if (now != http->date_at) {
        struct tm utc;
        gmtime_r(&now, &utc);
        strftime(http->date, sizeof http->date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
        http->date_at = now;
    }
    return cf_str_of(http->date);
}

static void put_number(struct cf_buf *out, unsigned long long n)
{
    char digits[20], *p = digits + sizeof digits;
    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    cf_buf_add(out, p, (size_t)(digits + sizeof digits - p));
}

static void put_line(struct cf_buf *out, struct cf_str name, struct cf_str value)
{
    cf_buf_adds(out, name);
    cf_buf_add(out, ": ", 2);
    cf_buf_adds(out, value);
    cf_buf_add(out, "\r\n", 2);
}

/* The head of an answer; length is a line of its own. */
static void write_head(struct cf_req *r, int status, const char *type, struct cf_str length)
{
    struct cf_conn *c = r->conn;
    struct cf_buf *out = &c->out;
    cf_buf_adds(out, CF_STR("HTTP/1.1 "));
    put_number(out, (unsigned)status);
    cf_buf_add(out, " ", 1);
    cf_buf_adds(out, cf_str_of(reason_of(status)));
    cf_buf_add(out, "\r\n", 2);
    cf_buf_adds(out, date_line(r->http));
    if (type) put_line(out, CF_STR("Content-Type"), cf_str_of(type));
    cf_buf_adds(out, length);
    /* Answers are about persons: no cache between us and the client may keep them. */
    cf_buf_adds(out, CF_STR("Cache-Control: no-store\r\n"));
    cf_buf_adds(out, cf_buf_str(&r->extra));
    if (c->close_after || !r->head.keep_alive || r->http->draining)
        cf_buf_adds(out, CF_STR("Connection: close\r\n"));
    cf_buf_add(out, "\r\n", 2);
}

static void write_answer(struct cf_req *r, int status, const char *type, struct cf_str body)
{
    struct cf_conn *c = r->conn;
    struct cf_buf length;
    cf_buf_init(&length, 64);
    cf_buf_adds(&length, CF_STR("Content-Length: "));
    put_number(&length, body.len);
    cf_buf_add(&length, "\r\n", 2);
    bool has_length = status != 204 && status != 304;
    write_head(r, status, type, has_length ? cf_buf_str(&length) : CF_STR(""));
    cf_buf_free(&length);
    if (!r->without_body) cf_buf_adds(&c->out, body);
    /* Half an answer is none: the client has to see that it was cut. */
    if (c->out.full) c->broken = true;
}

static void count_answer(const struct cf_req *r, int status)
{
    if (r->handed && r->route) {
        struct cf_counter *n = r->route->by_class[status / 100 % 6];
        if (n) cf_count_add(n, 1);
        if (r->route->seconds)
            cf_observe(r->route->seconds, (double)(cf_mono_us() - r->began_us) / 1e6);
    } else if (r->http->refused) {
        cf_count_add(r->http->refused, 1);
    }
}

void cf_answer(struct cf_request *req, int status, const char *type, struct cf_str body)
{
    struct cf_req *r = cf_req_of(req);
    struct cf_conn *c = r->conn;
    if (!type) body.len = 0;
    if (r->http) count_answer(r, status);
    if (!c) {
        cf_req_free(r);
        return;
    }
    write_answer(r, status, type, body);
    cf_conn_answered(c);
    cf_req_free(r);
    cf_conn_run(c);
}

/* ---- in parts -------------------------------------------------------------------------------- */

/* HTTP/1.0 knows no chunks: there the end of the connection is the end of the answer. */
static bool in_chunks(const struct cf_req *r)
{
    return !r->head.http_1_0;
}

void cf_answer_begin(struct cf_request *req, int status, const char *type, cf_answer_ready *ready,
                     void *arg)
{
    struct cf_req *r = cf_req_of(req);
    if (r->http) count_answer(r, status);
    r->ready = ready;
    r->ready_arg = arg;
    if (!r->conn) return;
    if (!in_chunks(r)) r->conn->close_after = true;
    write_head(r, status, type,
               in_chunks(r) ? CF_STR("Transfer-Encoding: chunked\r\n") : CF_STR(""));
}

bool cf_answer_part(struct cf_request *req, struct cf_str bytes)
{
    struct cf_req *r = cf_req_of(req);
    struct cf_conn *c = r->conn;
    if (!c || bytes.len == 0 || r->without_body) return true;
    if (in_chunks(r)) cf_buf_printf(&c->out, "%zx\r\n", bytes.len);
    cf_buf_adds(&c->out, bytes);
    if (in_chunks(r)) cf_buf_add(&c->out, "\r\n", 2);
    if (c->out.full) c->broken = true;
    r->waiting = !cf_conn_push(c) && r->conn;
    return !r->waiting;
}

void cf_answer_end(struct cf_request *req, bool whole)
{
    struct cf_req *r = cf_req_of(req);
    struct cf_conn *c = r->conn;
    r->ready = NULL;
    if (!c) {
        cf_req_free(r);
        return;
    }
    if (whole && in_chunks(r) && !r->without_body) cf_buf_adds(&c->out, CF_STR("0\r\n\r\n"));
    if (!whole) c->broken = true;
    cf_conn_answered(c);
    cf_req_free(r);
    cf_conn_run(c);
}

void cf_answer_json(struct cf_request *req, int status, const struct cf_buf *json)
{
    if (json->full) {
        cf_problem(req, 500, "answer_too_large", "The answer is too large", NULL, 0);
        return;
    }
    cf_answer(req, status, CF_JSON, cf_buf_str(json));
}

void cf_answer_header(struct cf_request *req, const char *name, struct cf_str value)
{
    struct cf_req *r = cf_req_of(req);
    if (value.len && (memchr(value.ptr, '\r', value.len) || memchr(value.ptr, '\n', value.len)))
        CF_BUG("a header of an answer has a line end");
    put_line(&r->extra, cf_str_of(name), value);
    if (r->extra.full) CF_BUG("headers of an answer are too long");
}

/* ---- problems ---------------------------------------------------------------------------------
 */

static void put_errors(struct cf_out *o, const struct cf_field_errors *errors)
{
    size_t n = errors->n < CF_FIELD_ERRORS ? errors->n : CF_FIELD_ERRORS;
    cf_out_array(o, "errors");
    for (size_t i = 0; i < n; i++) {
        cf_out_object(o, NULL);
        cf_out_z(o, "field", errors->list[i].field);
        cf_out_z(o, "rule", errors->list[i].rule);
        cf_out_z(o, "cure", errors->list[i].cure);
        cf_out_end(o);
    }
    cf_out_end(o);
}

void cf_problem(struct cf_request *req, int status, const char *code, const char *title,
                const struct cf_field_errors *errors, int retry_after_s)
{
    struct cf_buf body;
    char text[120];
    cf_buf_init(&body, PROBLEM_MAX);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    snprintf(text, sizeof text, "urn:cardflow:problem:%s", code);
    cf_out_z(&o, "type", text);
    cf_out_z(&o, "title", title);
    cf_out_int(&o, "status", status);
    cf_out_z(&o, "code", code);
    if (errors && errors->n) put_errors(&o, errors);
    cf_out_z(&o, "trace_id", req->trace_id);
    cf_out_end(&o);
    if (retry_after_s > 0) {
        snprintf(text, sizeof text, "%d", retry_after_s);
        cf_answer_header(req, "Retry-After", cf_str_of(text));
    }
    cf_answer(req, status, "application/problem+json", cf_buf_str(&body));
    cf_buf_free(&body);
}

void cf_problem_field(struct cf_request *req, int status, const char *code, const char *field,
                      const char *rule, const char *cure)
{
    struct cf_field_errors errors = {.n = 0};
    cf_field_error_add(&errors, field, rule, cure);
    cf_problem(req, status, code, rule, &errors, 0);
}

void cf_problem_fields(struct cf_request *req, const struct cf_field_errors *errors)
{
    cf_problem(req, 400, "invalid_body", "The body breaks rules", errors, 0);
}

void cf_problem_conflict(struct cf_request *req)
{
    struct cf_field_errors errors = {.n = 0};
    cf_field_error_add(&errors, "Idempotency-Key", "was used with other content",
                       "use a new key for other content, the same content for this key");
    cf_problem(req, 422, "request_id_conflict", "This Idempotency-Key was used with other content",
               &errors, 0);
}

void cf_problem_away(struct cf_request *req, const char *what)
{
    struct cf_field_errors errors = {.n = 0};
    cf_field_error_add(&errors, what, "is not available", "send the same request again later");
    cf_problem(req, 503, "unavailable", "A part that this needs is away", &errors, 1);
}

void cf_req_refuse(struct cf_req *r, const struct cf_head_wrong *w)
{
    struct cf_field_errors errors = {.n = 0};
    if (w->field) cf_field_error_add(&errors, w->field, w->rule, w->cure);
    cf_problem(&r->pub, w->status, w->code, w->title, &errors, w->status == 503 ? 1 : 0);
}
