/* store_restore -- the store as it was at an older commit: PostgreSQL restored from a backup. */
#include "tests/sim/store_inside.h"

#include <stdio.h>

static void copy_work(struct sim_store *to, int16_t part, const struct work_row *from)
{
    to->work[part] = NULL;
    for (const struct work_row *w = from; w; w = w->next) {
        struct work_row *copy = cf_calloc(1, sizeof *copy);
        char *args = cf_malloc(w->work.args.len + 1);
        if (w->work.args.len) memcpy(args, w->work.args.ptr, w->work.args.len);
        copy->work = w->work;
        copy->work.args.ptr = args;
        copy->next = to->work[part];
        to->work[part] = copy;
    }
}

/* Journal and parked rows are only ever added, so that the backup shares them. */
struct sim_store *sim_store_backup(const struct sim_store *d)
{
    struct sim_store *to = cf_calloc(1, sizeof *to);
    *to = *d;
    memset(to->rows, 0, sizeof to->rows);
    to->late = NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct row *r = d->rows[i]; r; r = r->next)
            store_save_row(to, r->aux, r->kind, r->part, &r->key, r->data);
    for (int16_t p = 0; p < SIM_PARTS; p++)
        copy_work(to, p, d->work[p]);
    return to;
}

/* Does the log hold messages of the shard that the store does not know? The stage's recovery does
 * not look at an output of which the store knows no message at all, see docs/simulation.md. */
static bool has_lost(const struct sim_store *d, int16_t part)
{
    char source[40], name[128];
    snprintf(source, sizeof source, "%s/%d", d->service->name, part);
    for (uint16_t t = 0; t < d->n_out; t++) {
        const struct sim_topic *topic = sim_topic(cf_output_name(d->service, t, name));
        for (int target = 0; target < SIM_PARTS; target++)
            for (size_t i = 0; i < SIM_STREAMS; i++) {
                const struct sim_stream *s = &topic->parts[target].streams[i];
                int64_t known = d->shards[part].out[t].last_no[target];
                if (!strcmp(s->source, source) && known && s->n > known) return true;
            }
    }
    return false;
}

size_t sim_store_restore(struct sim_store *d, const struct sim_store *backup)
{
    size_t n = 0;
    *d = *backup;
    for (int16_t p = 0; p < SIM_PARTS; p++) {
        if (d->shards[p].last) d->shards[p].last->next = NULL;
        d->shards[p].lost = has_lost(d, p);
        n += d->shards[p].lost;
    }
    return n;
}

bool sim_store_lost(const struct sim_store *d)
{
    bool lost = false;
    for (int p = 0; p < SIM_PARTS; p++)
        lost |= d->shards[p].lost;
    return lost;
}
