/* Lists in pages: what their answers have in common. */
#include "services/production/api_inside.h"

/* Where the next page begins: time and id of the last row. */
static void write_next(struct cf_out *o, const struct production_page *p, const PGresult *res)
{
    char next[64];
    int n = PQntuples(res);
    if (n < p->limit) {
        cf_out_null(o, "next_after");
        return;
    }
    snprintf(next, sizeof next, "%s.%s", PQgetvalue(res, n - 1, p->at),
             PQgetvalue(res, n - 1, p->id));
    cf_out_z(o, "next_after", next);
}

void production_page_show(void *arg, int e, const PGresult *res)
{
    struct production_page *p = arg;
    struct cf_buf body;
    if (e) {
        cf_problem_away(p->req, "postgres");
        return;
    }
    cf_buf_init(&body, 512 << 10);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_array(&o, p->name);
    for (int i = 0; i < PQntuples(res); i++)
        p->row(&o, res, i);
    cf_out_end(&o);
    write_next(&o, p, res);
    cf_out_end(&o);
    cf_answer_json(p->req, 200, &body);
    cf_buf_free(&body);
}

bool production_page_after(struct cf_str after, int64_t *at, struct cf_str *id)
{
    const char *dot = after.len ? memchr(after.ptr, '.', after.len) : NULL;
    uint64_t ms;
    if (!dot) return false;
    size_t n = (size_t)(dot - after.ptr);
    *id = (struct cf_str){dot + 1, after.len - n - 1};
    if (!cf_digits((struct cf_str){after.ptr, n}, INT64_MAX, &ms)) return false;
    *at = (int64_t)ms;
    return true;
}
