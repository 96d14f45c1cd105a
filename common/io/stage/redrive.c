/* redrive -- an operator's commands for parked records: decide them again, in order, or drop them.
 *
 * The command is a record of <service>.internal in the partition of the parked records. It is a
 * batch of its own: the position moves over the command in the same transaction that takes the rows
 * out of `parked` and writes what they have caused. Each parked record is rebuilt as it was first
 * read, with its own topic, partition and offset, so what it sends has the ids it would have had
 * then. See docs/decisions/0008.
 */
#include "common/io/stage/batch.h"
#include "common/io/stage/journal.h"

#include "cardflow/v1/stage.pb-c.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 500 };

bool redrive_asked(const struct cf_stage *st, const struct cf_record *r)
{
    const char *topic = st->service->in[r->topic].name;
    return (cf_str_is(r->ce_type, "stage.redrive") || cf_str_is(r->ce_type, "stage.drop")) &&
           st->service->out[0] && strcmp(topic, st->service->out[0]) == 0;
}

/* ---- the command ----------------------------------------------------------------------------- */

static bool find_topic(const struct cf_stage *st, const char *name, uint16_t *topic)
{
    for (size_t i = 0; i < st->n_in; i++)
        if (strcmp(st->service->in[i].name, name) == 0) {
            *topic = (uint16_t)i;
            return true;
        }
    return false;
}

/* False when it is no command that this version can follow. */
static bool understand(struct cf_batch *b, struct redrive *d)
{
    const Cardflow__V1__StageCommand *c =
        cf_unpack(b->arena, &cardflow__v1__stage_command__descriptor, d->command->value);
    struct cf_commit_unpark *u = &d->unpark;
    *u = (struct cf_commit_unpark){.part = (int16_t)d->command->part,
                                   .dropped = cf_str_is(d->command->ce_type, "stage.drop")};
    if (!c || !find_topic(b->st, c->topic, &u->topic)) return false;
    u->key = c->key.len ? cf_arena_str(b->arena, cf_bytes(c->key)) : CF_STR("");
    if (!u->dropped) return true;
    struct cf_parked_place *places = cf_arena_zero(b->arena, (c->n_drop + 1) * sizeof *places);
    for (size_t i = 0; i < c->n_drop; i++)
        places[u->n++] = (struct cf_parked_place){c->drop[i]->log_offset, c->drop[i]->index};
    u->places = places;
    return true;
}

/* ---- parked records as they were read -------------------------------------------------------- */

static void take_extra(struct cf_record *r, const char *name, struct cf_str v)
{
    if (!strcmp(name, "orig_ce_id"))
        r->ce_id = v;
    else if (!strcmp(name, "orig_ce_type"))
        r->ce_type = v;
    else if (!strcmp(name, "orig_ce_source"))
        r->ce_source = v;
    else if (!strcmp(name, "orig_cf_src"))
        r->cf_src = v;
    else if (!strcmp(name, "orig_ce_time") && !cf_rfc3339_parse(v, &r->ce_time))
        r->ce_time = 0;
}

static bool rebuild(const struct redrive *d, const struct cf_parked_row *row, struct cf_record *r)
{
    struct cf_journal_reader reader = {.rest = row->record};
    struct cf_out_message m;
    struct cf_str topic, rest, value;
    const char *name;
    if (cf_journal_next(&reader, &topic, &m) || !m.type.ptr) return false;
    *r = (struct cf_record){.topic = d->unpark.topic,
                            .part = d->unpark.part,
                            .offset = row->place.offset,
                            .at = m.at,
                            .key = m.key,
                            .value = m.value,
                            .traceparent = m.trace,
                            .ce_time = m.at}; /* until the header says so */
    rest = m.extra;
    while (cf_extra_next(&rest, &name, &value))
        take_extra(r, name, value);
    return true;
}

/* ---- in a batch ------------------------------------------------------------------------------ */

static int load_rows(struct cf_batch *b, struct redrive *d)
{
    struct cf_store *store = b->st->store;
    size_t total = 0, matched = 0;
    const struct cf_commit_unpark *u = &d->unpark;
    d->n = 0;
    if (u->dropped) {
        int e = store->parked_count(store->self, u, &total, &matched);
        d->remain = total > matched;
        batch_count(b, "dropped_by_operator", (uint32_t)matched);
        return e;
    }
    d->rows = cf_arena_zero(b->arena, ROWS_MAX * sizeof *d->rows);
    int e = store->parked_rows(store->self, b->arena, u->part, u->topic, u->key, d->rows, ROWS_MAX,
                               &d->n, &total);
    d->remain = total > d->n;
    return e;
}

int redrive_admit(struct cf_batch *b)
{
    struct redrive *d = b->redrive;
    const struct cf_record *r = d->command;
    struct shard *h = &b->st->shards[r->part];
    d->asked = false;
    if (!h->owned || h->stopped || r->offset <= h->in[r->topic].last_offset) return 0;
    /* Without a number, as every message of a front: what it asks is there, or was done before. */
    batch_now(b->st, r);
    h->in[r->topic].last_offset = r->offset;
    h->in[r->topic].last_hash = cf_record_hash(r);
    if (r->cf_src.len || !understand(b, d)) {
        batch_count(b, "stage_command_refused", 1);
        return 0;
    }
    d->asked = true;
    int e = load_rows(b, d);
    if (e) return e;
    b->records = cf_arena_zero(b->arena, (d->n + 1) * sizeof *b->records);
    b->records[0] = *r;
    b->n_records = d->n + 1;
    for (size_t i = 0; i < d->n; i++) {
        if (!rebuild(d, &d->rows[i], &b->records[i + 1])) {
            /* Nobody can read it any more: it and what is behind it stay for a person. */
            d->n = i;
            d->remain = true;
            batch_count(b, "stage_command_refused", 1);
            break;
        }
        batch_decode(b, (uint32_t)i + 1, d->rows[i].place.index);
    }
    return 0;
}

static bool parks_again(const struct cf_batch *b, const struct cf_parked_place *place)
{
    for (size_t i = 0; i < b->parked.n; i++)
        if (b->parked.v[i].offset == place->offset && b->parked.v[i].index == place->index)
            return true;
    return false;
}

/* Which rows go: all that were decided and do not wait again. */
void redrive_decided(struct cf_batch *b)
{
    struct redrive *d = b->redrive;
    if (!d->asked || d->unpark.dropped) return;
    struct cf_parked_place *places = cf_arena_zero(b->arena, (d->n + 1) * sizeof *places);
    d->unpark.n = 0;
    for (size_t i = 0; i < d->n; i++)
        if (!parks_again(b, &d->rows[i].place)) places[d->unpark.n++] = d->rows[i].place;
    d->unpark.places = places;
    batch_count(b, "redriven", (uint32_t)d->unpark.n);
}

/* The key is free again, unless something of it still waits. */
void redrive_committed(struct cf_batch *b)
{
    const struct redrive *d = b->redrive;
    if (!d->asked || b->st->service->in[d->unpark.topic].open) return;
    struct shard *h = &b->st->shards[d->unpark.part];
    for (struct parked_key **p = &h->parked; *p;) {
        struct parked_key *key = *p;
        if (key->topic != d->unpark.topic || !cf_str_eq(cf_key_str(&key->key), d->unpark.key)) {
            p = &key->next;
            continue;
        }
        if (d->remain && b->parked_keys.n == 0) return; /* one is enough, and it is there */
        *p = key->next;
        free(key);
    }
}
