/* Papers given before: a unit that has handed in its papers with a list refers to that list. */
#include "common/io/stage/pgbin.h"
#include "services/intake/api.h"

enum { CLIENT, UNIT, LETTER, COPIES, AGENT };

/* A list of this client, for the unit that is named now, or for the first one that is. */
static bool is_own(const struct intake_papers_ref *ref, const PGresult *res)
{
    struct cf_str unit = cf_pgf_get(res, 0, UNIT);
    if (!cf_str_is(cf_pgf_get(res, 0, CLIENT), ref->w->req->client->name)) return false;
    return ref->request->unit_code.len == 0 || cf_str_eq(ref->request->unit_code, unit);
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

void intake_papers_find(struct intake_papers_ref *ref, struct intake_write *w,
                        struct intake_request *request, struct intake_agent *agent,
                        void (*then)(struct intake_write *w))
{
    char part[2];
    struct cf_key key = cf_key_roster(ref->roster_id);
    ref->w = w;
    ref->request = request;
    ref->agent = agent;
    ref->then = then;
    cf_put16(part, (uint16_t)cf_key_partition(&key, (uint32_t)w->front->app->partitions));
    const struct cf_str params[] = {
        {part, 2},
        cf_key_str(&key)
    };
    if (cf_pgf_send(w->front->app->pg, INTAKE_SQL_ROSTER_PAPERS, params, 2, found, ref))
        cf_problem_away(w->req, "postgres");
}
