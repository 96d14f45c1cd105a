/* The domain's table, and what the code has beside it. */
#include "common/pure/csv.h"
#include "ops/states/states.h"

static const char *const names[STATES_MACHINES] = {"application", "temporary", "card"};

const char *states_machine_name(enum states_machine machine)
{
    return names[machine];
}

bool states_moves(const struct states_edge *e)
{
    /* A second notice is one more, though the state is the same. */
    return e->to[0] && (strcmp(e->from, e->to) != 0 || strcmp(e->by, "intake") == 0);
}

static bool read_row(const struct cf_csv_record *rec, struct states_row *out)
{
    if (rec->broken || rec->n != 4) return false;
    for (int m = 0; m < STATES_MACHINES; m++) {
        if (!cf_str_is(rec->fields[0], names[m])) continue;
        *out = (struct states_row){(enum states_machine)m, rec->fields[1], rec->fields[2],
                                   rec->fields[3], false};
        return true;
    }
    return false;
}

bool states_domain_read(struct cf_str text, struct states_domain *out)
{
    struct cf_arena *a = cf_arena_new(4096);
    struct cf_csv csv = cf_csv_of(text);
    struct cf_csv_record rec;
    bool ok = cf_csv_next(&csv, a, &rec); /* the names of the columns */
    out->n = 0;
    while (ok && cf_csv_next(&csv, a, &rec))
        ok = out->n < STATES_EDGES && read_row(&rec, &out->row[out->n++]);
    cf_arena_free(a); /* without quotes all fields point into the text */
    return ok;
}

struct states_row *states_domain_find(struct states_domain *d, enum states_machine machine,
                                      const char *from, const char *to)
{
    for (size_t i = 0; i < d->n; i++) {
        struct states_row *r = &d->row[i];
        if (r->machine == machine && cf_str_is(r->from, from) && cf_str_is(r->to, to)) return r;
    }
    return NULL;
}

size_t states_compare(const struct states_list *list, struct states_domain *d)
{
    size_t bad = 0;
    for (size_t i = 0; i < list->n; i++) {
        const struct states_edge *e = &list->edge[i];
        struct states_row *r = states_domain_find(d, e->machine, e->from, e->to);
        if (r) r->seen = true;
        if (r || !states_moves(e)) continue;
        bad++;
        fprintf(stderr, "states: %s goes from %s to %s on %s; the domain does not say so\n",
                names[e->machine], e->from, e->to, e->on);
    }
    return bad;
}
