/* Papers given before: a unit that has handed in its papers with a list, or with an application,
 * refers to that. */
#include "common/io/stage/pgbin.h"
#include "services/intake/api.h"

enum { CLIENT, UNIT, LETTER, COPIES, AGENT };

/* A list of this client, for the unit that refers to it. */
static bool is_own(const struct intake_papers_ref *ref, const PGresult *res)
{
    struct cf_str unit = cf_pgf_get(res, 0, UNIT);
    if (!cf_str_is(cf_pgf_get(res, 0, CLIENT), ref->w->req->client->name)) return false;
    return ref->unit_code.len == 0 || cf_str_eq(ref->unit_code, unit);
}

static struct cf_str kept(struct cf_arena *a, struct cf_str s)
{
    return s.len ? cf_arena_str(a, s) : (struct cf_str){0};
}

static int fill(struct intake_papers_ref *ref, const PGresult *res)
{
    struct cf_arena *a = ref->w->req->arena;
    struct cf_key key = cf_key_roster(ref->roster_id);
    struct cf_str copies = cf_pgf_get(res, 0, COPIES), agent = cf_pgf_get(res, 0, AGENT);
    ref->request->unit_code = kept(a, cf_pgf_get(res, 0, UNIT));
    ref->request->introduction_letter_no = kept(a, cf_pgf_get(res, 0, LETTER));
    ref->request->id_copies_held = copies.len == 1 && copies.ptr[0];
    if (agent.len == 0) return 0;
    return intake_codec_agent_open(ref->w->front->app->ring, a, kept(a, agent), &key, ref->agent);
}

static void found(void *arg, int e, const PGresult *res)
{
    struct intake_papers_ref *ref = arg;
    bool there = !e && PQntuples(res) > 0 && is_own(ref, res);
    if (there) e = fill(ref, res);
    if (e)
        cf_problem_away(ref->w->req, "postgres");
    else
        ref->then(ref->w);
}

static int find_list(struct intake_papers_ref *ref)
{
    char part[2];
    struct intake_write *w = ref->w;
    struct cf_key key = cf_key_roster(ref->roster_id);
    cf_put16(part, (uint16_t)cf_key_partition(&key, (uint32_t)w->front->app->partitions));
    const struct cf_str params[] = {
        {part, 2},
        cf_key_str(&key)
    };
    return cf_pgf_send(w->front->app->pg, INTAKE_SQL_ROSTER_PAPERS, params, 2, found, ref);
}

/* Papers count as given when that application of the same unit was accepted with them. */
static void application_found(void *arg, int e, const PGresult *res)
{
    struct intake_papers_ref *ref = arg;
    struct intake_view v;
    if (e) {
        cf_problem_away(ref->w->req, "postgres");
        return;
    }
    ref->request->papers_given_before =
        PQntuples(res) > 0 && !intake_view_read(res, 0, ref->w->req->arena, &v) &&
        v.app.receipt_no.len && v.app.introduction_letter_no.len && v.app.id_copies_held &&
        (int)v.app.channel == ref->channel && cf_str_eq(v.app.unit_code, ref->unit_code);
    ref->then(ref->w);
}

static int find_application(struct intake_papers_ref *ref)
{
    char n[4];
    struct cf_app *app = ref->w->front->app;
    cf_put32(n, (uint32_t)app->partitions);
    const struct cf_str params[] = {{(const char *)ref->application_id, 16}, {n, 4}};
    return cf_pgf_send(app->pg, INTAKE_SQL_APPLICATION, params, 2, application_found, ref);
}

void intake_papers_find(struct intake_papers_ref *ref, struct intake_write *w,
                        struct intake_request *request, struct intake_agent *agent,
                        void (*then)(struct intake_write *w))
{
    ref->w = w;
    ref->request = request;
    ref->agent = agent;
    ref->then = then;
    if (!ref->with_list && !ref->with_application)
        then(w);
    else if (ref->with_list ? find_list(ref) : find_application(ref))
        cf_problem_away(w->req, "postgres");
}

/* A reference that is none is like one that leads nowhere: the papers are missing. */
void intake_papers_ref_in(struct cf_in *in, struct intake_papers_ref *ref)
{
    struct cf_in papers = cf_in_object(in, "unit_papers", CF_OPTIONAL);
    struct cf_str text = cf_in_text(&papers, "papers_ref", CF_OPTIONAL, 0, 64);
    ref->with_application = cf_uuid_parse(text, ref->application_id);
}
