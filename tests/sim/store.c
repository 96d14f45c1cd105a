/* store -- a service's schema in memory, and the door of a stage to it.
 *
 * Guards as those of common/io/stage/sql and of the statements made from columns: shard epoch,
 * position, place of a loaded row, primary keys. A commit is one step: all of it or nothing. */
#include "common/io/stage/bundle.h"
#include "common/pure/hash.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUCKETS = 8192, MEMBERS = 64, TIMEOUT_MS = 3000, TOPICS = 32, NUMBERS = 8,
       LATE_MS = 3000 };

struct row {
    struct row *next;
    bool aux;
    uint16_t kind;
    int16_t part;
    struct cf_key key;
    uint64_t place;
    void *data;
};

struct work_row {
    struct work_row *next;
    struct cf_work work; /* args are malloc'ed */
};

struct journal_row {
    struct journal_row *next;
    int64_t seq;
    struct cf_str messages;
};

struct parked_row {
    struct parked_row *next;
    uint16_t topic;
    int64_t offset;
    int32_t index;
    struct cf_key key;
};

struct sim_store {
    const struct cf_service *service;
    size_t n_in, n_out, n_parked;
    uint64_t places;
    struct row *rows[BUCKETS];
    struct work_row *work[SIM_PARTS];
    struct {
        bool owned;
        uint8_t owner[16];
        int64_t epoch, journal_seq, acked_seq;
        cf_ms last_now;
        struct journal_row *first, *last;
        struct parked_row *parked;
        struct {
            int64_t last_offset, last_no[SIM_PARTS];
            uint64_t last_hash;
        } in[TOPICS];
        struct {
            int64_t last_no[SIM_PARTS], acked_no[SIM_PARTS], acked_offset[SIM_PARTS];
        } out[TOPICS];
    } shards[SIM_PARTS];
    struct {
        uint8_t replica[16];
        cf_ms seen_at, steady_since;
    } members[MEMBERS];
    size_t n_members;
    struct {
        const char *name;
        uint64_t next;
    } numbers[NUMBERS];
    struct late_save *late;
};

/* Acknowledgements that were being saved when the connection was lost: the server may do it yet. */
struct late_save {
    struct late_save *next;
    cf_ms at;
    struct cf_commit c;
    struct cf_commit_shard shards[SIM_PARTS];
    struct cf_commit_output outputs[SIM_PARTS * TOPICS];
    int64_t numbers[SIM_PARTS * TOPICS][3][SIM_PARTS];
    uint8_t replica[16];
};

struct store_mem {
    struct cf_store door;
    struct sim_store *data;
    struct replica *r;
    uint8_t replica[16];
    bool in_limbo; /* a commit has left, but has not come yet: the connection is lost */
};

/* ---- rows ------------------------------------------------------------------------------------- */

static size_t columns_of(const struct sim_store *d, bool aux, uint16_t kind,
                         const struct cf_column **columns, size_t *size)
{
    const struct cf_service *v = d->service;
    *columns = aux ? v->aux[kind].columns : v->kinds[kind].columns;
    *size = aux ? v->aux[kind].size : v->kinds[kind].size;
    return aux ? v->aux[kind].n_columns : v->kinds[kind].n_columns;
}

static size_t text_bytes(const struct cf_column *c, size_t n, const void *row)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        struct cf_str s;
        if (c[i].type != CF_COL_TEXT && c[i].type != CF_COL_BYTES) continue;
        memcpy(&s, (const char *)row + c[i].offset, sizeof s);
        bytes += s.len + 1;
    }
    return bytes;
}

/* Only what the columns name survives, as in a database. `to` has room for the row and its text. */
static void copy_row(const struct cf_column *c, size_t n, size_t size, char *to, const void *row)
{
    static const size_t bytes[] = {
        [CF_COL_BOOL] = sizeof(bool), [CF_COL_INT2] = 2, [CF_COL_INT4] = 4, [CF_COL_INT8] = 8,
        [CF_COL_ID] = 16,             [CF_COL_KEY] = sizeof(struct cf_key)};
    char *text = to + size;
    memset(to, 0, size);
    for (size_t i = 0; i < n; i++) {
        const char *from = (const char *)row + c[i].offset;
        if (c[i].type == CF_COL_TEXT || c[i].type == CF_COL_BYTES) {
            struct cf_str s;
            memcpy(&s, from, sizeof s);
            if (s.len) memcpy(text, s.ptr, s.len);
            if (s.ptr) s.ptr = text;
            text += s.len;
            *text++ = 0;
            memcpy(to + c[i].offset, &s, sizeof s);
        } else {
            memcpy(to + c[i].offset, from, bytes[c[i].type]);
        }
    }
}

static struct row **row_at(struct sim_store *d, bool aux, uint16_t kind, int16_t part,
                           const struct cf_key *key)
{
    uint64_t h = cf_hash64_seed(key->b, key->len, (uint64_t)kind << 1 | aux);
    struct row **at = &d->rows[h % BUCKETS];
    while (*at && ((*at)->aux != aux || (*at)->kind != kind || (*at)->part != part ||
                   !cf_key_eq(&(*at)->key, key)))
        at = &(*at)->next;
    return at;
}

static void save_row(struct sim_store *d, bool aux, uint16_t kind, int16_t part,
                     const struct cf_key *key, const void *row)
{
    const struct cf_column *c;
    size_t size, n = columns_of(d, aux, kind, &c, &size);
    struct row **at = row_at(d, aux, kind, part, key);
    char *data = cf_malloc(size + text_bytes(c, n, row));
    if (!*at) {
        *at = cf_calloc(1, sizeof **at);
        (*at)->aux = aux;
        (*at)->kind = kind;
        (*at)->part = part;
        (*at)->key = *key;
    }
    copy_row(c, n, size, data, row);
    free((*at)->data);
    (*at)->data = data;
    (*at)->place = ++d->places;
}

static void place_of(const struct row *row, struct cf_place *place)
{
    place->there = row ? CF_THERE_YES : CF_THERE_NOT;
    for (int i = 0; row && i < 6; i++)
        place->at[i] = (char)(row->place >> (8 * i));
}

static void *load_row(const struct sim_store *d, struct cf_arena *a, const struct row *row)
{
    const struct cf_column *c;
    size_t size, n = columns_of(d, row->aux, row->kind, &c, &size);
    char *to = cf_arena_alloc(a, size + text_bytes(c, n, row->data));
    copy_row(c, n, size, to, row->data);
    return to;
}

static struct work_row **work_at(struct sim_store *d, int16_t part, const uint8_t id[16])
{
    struct work_row **at = &d->work[part];
    while (*at && memcmp((*at)->work.id, id, 16))
        at = &(*at)->next;
    return at;
}

static struct cf_key key_of_id(const uint8_t id[16])
{
    struct cf_key key;
    if (!cf_key_bytes(id, 16, &key)) CF_BUG("an id is a key");
    return key;
}

/* ---- who lives -------------------------------------------------------------------------------- */

static size_t member(const struct sim_store *d, const uint8_t replica[16])
{
    size_t i = 0;
    while (i < d->n_members && memcmp(d->members[i].replica, replica, 16))
        i++;
    return i;
}

static bool lives(const struct sim_store *d, const uint8_t replica[16])
{
    size_t i = member(d, replica);
    return i < d->n_members && d->members[i].seen_at > sim_now - TIMEOUT_MS;
}

static void forget_old(struct sim_store *d)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->n_members; i++)
        if (d->members[i].seen_at > sim_now - 20 * TIMEOUT_MS) d->members[kept++] = d->members[i];
    d->n_members = kept;
}

void sim_store_beat(struct sim_store *d, const uint8_t replica[16])
{
    size_t i = member(d, replica);
    if (i == d->n_members) {
        if (i == MEMBERS) forget_old(d);
        if ((i = d->n_members) == MEMBERS) CF_BUG("too many members");
        memcpy(d->members[i].replica, replica, 16);
        d->members[i].steady_since = sim_now;
        d->n_members++;
    } else if (d->members[i].seen_at < sim_now - TIMEOUT_MS) {
        d->members[i].steady_since = sim_now;
    }
    d->members[i].seen_at = sim_now;
}

void sim_store_leave(struct sim_store *d, const uint8_t replica[16])
{
    size_t i = member(d, replica);
    if (i < d->n_members) d->members[i] = d->members[--d->n_members];
}

/* ---- the door: shards -------------------------------------------------------------------------- */

/* The other process of the fibers may go on here; and PostgreSQL may be away. */
static int enter(struct store_mem *s, const char *what)
{
    int e = sim_door(s->r, what);
    if (!e && sim_fault(2000)) e = CF_E_DB;
    return e;
}

static int door_open(void *self)
{
    return enter(self, "open");
}

static int door_standing(void *self, struct cf_standing *out)
{
    struct store_mem *s = self;
    int e = enter(s, "standing");
    if (e) return e;
    struct sim_store *d = s->data;
    *out = (struct cf_standing){.rank = -1};
    size_t me = member(d, s->replica);
    if (lives(d, s->replica)) {
        out->rank = 0;
        out->steady = d->members[me].steady_since <= sim_now - TIMEOUT_MS;
    }
    for (size_t i = 0; i < d->n_members; i++) {
        if (!lives(d, d->members[i].replica)) continue;
        out->alive++;
        out->rank += out->rank >= 0 && memcmp(d->members[i].replica, s->replica, 16) < 0;
    }
    return 0;
}

static int door_take(void *self, const int16_t *held, size_t n_held, int want,
                     struct cf_taken *taken, size_t *n)
{
    struct store_mem *s = self;
    struct sim_store *d = s->data;
    *n = 0;
    int e = enter(s, "take");
    for (int16_t p = 0; p < SIM_PARTS && !e && (int)*n < want; p++) {
        bool have = false;
        for (size_t i = 0; i < n_held; i++)
            have = have || held[i] == p;
        bool mine = d->shards[p].owned && !memcmp(d->shards[p].owner, s->replica, 16);
        if (have || (d->shards[p].owned && !mine && lives(d, d->shards[p].owner))) continue;
        d->shards[p].owned = true;
        memcpy(d->shards[p].owner, s->replica, 16);
        d->shards[p].epoch++;
        taken[(*n)++] = (struct cf_taken){p, d->shards[p].epoch, d->shards[p].last_now,
                                          d->shards[p].journal_seq, d->shards[p].acked_seq};
        sim_note("%s takes shard %d, epoch %lld", sim_replica_name(s->r), p,
                 (long long)d->shards[p].epoch);
    }
    return e ? e : sim_door(s->r, "taken");
}

static int door_give(void *self, const int16_t *parts, size_t n)
{
    struct store_mem *s = self;
    int e = enter(s, "give");
    for (size_t i = 0; i < n && !e; i++)
        if (!memcmp(s->data->shards[parts[i]].owner, s->replica, 16))
            s->data->shards[parts[i]].owned = false;
    return e;
}

static bool is_mine(const struct store_mem *s, int16_t part, int64_t epoch)
{
    const struct sim_store *d = s->data;
    return d->shards[part].owned && d->shards[part].epoch == epoch &&
           !memcmp(d->shards[part].owner, s->replica, 16);
}

static int door_still(void *self, struct cf_taken *shards, size_t n)
{
    struct store_mem *s = self;
    int e = enter(s, "still");
    for (size_t i = 0; i < n && !e; i++)
        if (!is_mine(s, shards[i].part, shards[i].epoch)) shards[i].part = -1;
    return e;
}

static int door_streams(void *self, int16_t part, struct cf_shard_streams *out,
                        cf_parked_seen *parked, void *arg)
{
    struct store_mem *s = self;
    const struct sim_store *d = s->data;
    size_t bytes = SIM_PARTS * sizeof(int64_t);
    int e = enter(s, "streams");
    if (e) return e;
    for (size_t t = 0; t < d->n_in; t++) {
        out->in[t].last_offset = d->shards[part].in[t].last_offset;
        out->in[t].last_hash = d->shards[part].in[t].last_hash;
        memcpy(out->in[t].last_no, d->shards[part].in[t].last_no, bytes);
    }
    for (size_t t = 0; t < d->n_out; t++) {
        memcpy(out->out[t].last_no, d->shards[part].out[t].last_no, bytes);
        memcpy(out->out[t].acked_no, d->shards[part].out[t].acked_no, bytes);
        memcpy(out->out[t].acked_offset, d->shards[part].out[t].acked_offset, bytes);
    }
    for (const struct parked_row *p = d->shards[part].parked; p; p = p->next)
        parked(arg, part, p->topic, cf_key_str(&p->key));
    return 0;
}

static int door_journal(void *self, int16_t part, int64_t after, cf_journal_seen *seen, void *arg)
{
    struct store_mem *s = self;
    int e = enter(s, "journal");
    /* Publishing gives way, and rows may be added then: only those seen by this statement. */
    int64_t until = s->data->shards[part].last ? s->data->shards[part].last->seq : 0;
    for (const struct journal_row *j = s->data->shards[part].first; j && !e && j->seq <= until;
         j = j->next)
        if (j->seq > after) e = seen(arg, part, j->seq, j->messages);
    return e;
}

static int door_numbers(void *self, const char *kind, uint64_t count, uint64_t *first)
{
    struct store_mem *s = self;
    struct sim_store *d = s->data;
    int e = enter(s, "numbers");
    if (e) return e;
    size_t i = 0;
    while (i < NUMBERS && d->numbers[i].name && strcmp(d->numbers[i].name, kind))
        i++;
    if (i == NUMBERS) CF_BUG("too many kinds of numbers");
    d->numbers[i].name = kind;
    if (!d->numbers[i].next) d->numbers[i].next = 1;
    *first = d->numbers[i].next;
    d->numbers[i].next += count;
    return 0;
}

/* ---- the door: a batch ------------------------------------------------------------------------ */

static int by_kind_part_key(const void *a, const void *b)
{
    const struct cf_load_row *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return cf_key_cmp(&x->key, &y->key);
}

static int door_load(void *self, struct cf_arena *arena, struct cf_load *l)
{
    struct store_mem *s = self;
    struct sim_store *d = s->data;
    int e = enter(s, "load");
    if (e) return e;
    if (l->n_rows) qsort(l->rows, l->n_rows, sizeof *l->rows, by_kind_part_key);
    for (size_t i = 0; i < l->n_rows; i++) {
        struct cf_load_row *x = &l->rows[i];
        const struct row *row = *row_at(d, false, x->kind, x->part, &x->key);
        place_of(row, &x->place);
        if (row) memcpy(x->row, load_row(d, arena, row), d->service->kinds[x->kind].size);
    }
    for (size_t i = 0; i < l->n_aux; i++) {
        struct cf_load_aux *x = &l->aux[i];
        struct cf_key key = key_of_id(x->id);
        const struct row *row = *row_at(d, true, x->aux, x->part, &key);
        place_of(row, &x->place);
        if (row) x->row = load_row(d, arena, row);
    }
    for (size_t i = 0; i < l->n_work; i++) {
        const struct work_row *w = *work_at(d, l->work[i].part, l->work[i].id);
        l->work[i].exists = w != NULL;
        if (!w) continue;
        l->work[i].work = w->work;
        l->work[i].work.args = cf_arena_str(arena, w->work.args);
    }
    return 0;
}

static int guard_shards(const struct store_mem *s, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_shards && !sim_opt.no_epoch_guard; i++)
        if (!is_mine(s, c->shards[i].part, c->shards[i].epoch)) return CF_E_FENCED;
    return 0;
}

static int guard_cursors(const struct store_mem *s, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_cursors && !sim_opt.no_offset_guard; i++) {
        const struct cf_commit_cursor *k = &c->cursors[i];
        if (s->data->shards[k->part].in[k->topic].last_offset != k->old_offset) return CF_E_FENCED;
    }
    return 0;
}

static int guard_place(const struct row *row, const struct cf_place *place)
{
    struct cf_place is = {0};
    place_of(row, &is);
    if (place->there == CF_THERE_NOT && row) return CF_E_DATA; /* the primary key */
    if (place->there != CF_THERE_YES || sim_opt.no_place_guard) return 0;
    return row && !memcmp(is.at, place->at, sizeof is.at) ? 0 : CF_E_DB;
}

static int guard_rows(const struct store_mem *s, const struct cf_commit *c)
{
    struct sim_store *d = s->data;
    int e = 0;
    for (size_t i = 0; i < c->n_rows && !e; i++) {
        const struct cf_load_row *x = c->rows[i];
        e = guard_place(*row_at(d, false, x->kind, x->part, &x->key), &x->place);
    }
    for (size_t i = 0; i < c->n_aux && !e; i++) {
        struct cf_key key = key_of_id(c->aux[i].id);
        e = guard_place(*row_at(d, true, c->aux[i].aux, c->aux[i].part, &key), &c->aux[i].place);
    }
    for (size_t i = 0; i < c->n_journal && !e; i++) {
        const struct journal_row *last = d->shards[c->journal[i].part].last;
        if (last && c->journal[i].seq <= last->seq) e = CF_E_DATA; /* the primary key */
    }
    return e;
}

static void apply_streams(struct sim_store *d, const struct cf_commit *c)
{
    size_t bytes = SIM_PARTS * sizeof(int64_t);
    for (size_t i = 0; i < c->n_shards; i++) {
        const struct cf_commit_shard *h = &c->shards[i];
        if (h->journal_seq < d->shards[h->part].journal_seq ||
            h->acked_seq < d->shards[h->part].acked_seq)
            sim_broken("%s: shard %d: the journal's numbers go back", d->service->name, h->part);
        d->shards[h->part].last_now = h->last_now;
        d->shards[h->part].journal_seq = h->journal_seq;
        d->shards[h->part].acked_seq = h->acked_seq;
    }
    for (size_t i = 0; i < c->n_cursors; i++) {
        const struct cf_commit_cursor *k = &c->cursors[i];
        if (k->new_offset <= d->shards[k->part].in[k->topic].last_offset)
            sim_broken("%s: shard %d: a position goes back", d->service->name, k->part);
        d->shards[k->part].in[k->topic].last_offset = k->new_offset;
        d->shards[k->part].in[k->topic].last_hash = k->hash;
        memcpy(d->shards[k->part].in[k->topic].last_no, k->last_no, bytes);
    }
    for (size_t i = 0; i < c->n_outputs; i++) {
        const struct cf_commit_output *o = &c->outputs[i];
        memcpy(d->shards[o->part].out[o->topic].last_no, o->last_no, bytes);
        memcpy(d->shards[o->part].out[o->topic].acked_no, o->acked_no, bytes);
        memcpy(d->shards[o->part].out[o->topic].acked_offset, o->acked_offset, bytes);
    }
}

static struct cf_str keep(struct cf_str s)
{
    char *p = cf_malloc(s.len + 1);
    if (s.len) memcpy(p, s.ptr, s.len);
    return (struct cf_str){p, s.len};
}

static void apply_rows(struct sim_store *d, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_rows; i++)
        save_row(d, false, c->rows[i]->kind, c->rows[i]->part, &c->rows[i]->key, c->rows[i]->row);
    for (size_t i = 0; i < c->n_aux; i++) {
        const struct cf_commit_aux *x = &c->aux[i];
        struct cf_key key = key_of_id(x->id);
        if (d->service->aux[x->aux].insert_only && *row_at(d, true, x->aux, x->part, &key))
            continue;
        save_row(d, true, x->aux, x->part, &key, x->row);
    }
}

static void apply_work(struct sim_store *d, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_drops; i++) {
        struct work_row **at = work_at(d, c->drops[i].part, c->drops[i].id), *w = *at;
        if (!w) continue;
        *at = w->next;
        free((char *)(uintptr_t)w->work.args.ptr);
        free(w);
    }
    for (size_t i = 0; i < c->n_puts; i++) {
        struct work_row **at = work_at(d, c->puts[i].part, c->puts[i].id);
        if (!*at) *at = cf_calloc(1, sizeof **at);
        free((char *)(uintptr_t)(*at)->work.args.ptr);
        (*at)->work = c->puts[i];
        (*at)->work.args = keep(c->puts[i].args);
    }
}

static void apply_parked(struct sim_store *d, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_parked; i++) {
        struct parked_row *p = cf_calloc(1, sizeof *p);
        *p = (struct parked_row){.next = d->shards[c->parked[i].part].parked,
                                 .topic = c->parked[i].topic,
                                 .offset = c->parked[i].offset,
                                 .index = c->parked[i].index};
        if (!cf_key_bytes(c->parked[i].key.ptr, c->parked[i].key.len, &p->key)) p->key.len = 0;
        d->shards[c->parked[i].part].parked = p;
        d->n_parked++;
        sim_note("%s parks %.*s: %s", d->service->name, CF_ARG(c->parked[i].type),
                 c->parked[i].reason);
    }
}

static void apply_journal(struct sim_store *d, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_journal; i++) {
        struct journal_row *j = cf_calloc(1, sizeof *j);
        int16_t part = c->journal[i].part;
        j->seq = c->journal[i].seq;
        j->messages = keep(c->journal[i].messages);
        if (d->shards[part].last)
            d->shards[part].last->next = j;
        else
            d->shards[part].first = j;
        d->shards[part].last = j;
    }
}

static int apply(struct store_mem *s, const struct cf_commit *c)
{
    int e = guard_shards(s, c);
    if (!e) e = guard_cursors(s, c);
    if (!e) e = guard_rows(s, c);
    if (e) return e;
    apply_streams(s->data, c);
    apply_rows(s->data, c);
    apply_journal(s->data, c);
    apply_work(s->data, c);
    apply_parked(s->data, c);
    return 0;
}

static void save_later(struct store_mem *s, const struct cf_commit *c)
{
    size_t bytes = SIM_PARTS * sizeof(int64_t);
    struct late_save *l = cf_calloc(1, sizeof *l);
    l->at = sim_now + (cf_ms)sim_below(LATE_MS);
    l->c = (struct cf_commit){.shards = l->shards,
                              .outputs = l->outputs,
                              .n_shards = c->n_shards,
                              .n_outputs = c->n_outputs};
    memcpy(l->shards, c->shards, c->n_shards * sizeof *l->shards);
    memcpy(l->replica, s->replica, 16);
    for (size_t i = 0; i < c->n_outputs; i++) {
        int64_t(*to)[SIM_PARTS] = l->numbers[i];
        const struct cf_commit_output *o = &c->outputs[i];
        memcpy(to[0], o->last_no, bytes);
        memcpy(to[1], o->acked_no, bytes);
        memcpy(to[2], o->acked_offset, bytes);
        l->outputs[i] = (struct cf_commit_output){o->part, o->topic, to[0], to[1], to[2]};
    }
    l->next = s->data->late;
    s->data->late = l;
}

/* The server comes to what a lost connection has left in its buffer. */
static void do_late_saves(struct store_mem *s)
{
    for (struct late_save **at = &s->data->late; *at;) {
        struct late_save *l = *at;
        if (l->at > sim_now) {
            at = &l->next;
            continue;
        }
        struct store_mem as = {.data = s->data};
        memcpy(as.replica, l->replica, 16);
        sim_note("%s: acknowledgements are saved late: %d", s->data->service->name,
                 apply(&as, &l->c));
        *at = l->next;
        free(l);
    }
}

static int door_commit(void *self, const struct cf_commit *c)
{
    struct store_mem *s = self;
    int e = sim_door(s->r, "commit");
    do_late_saves(s);
    if (e) return e;
    if (sim_fault(4000)) return CF_E_DB;
    s->in_limbo = sim_fault(4000);
    if (s->in_limbo && !c->n_cursors) save_later(s, c);
    if (s->in_limbo) return CF_E_UNKNOWN;
    e = apply(s, c);
    sim_note("%s commits %zu rows, %zu positions: %d", sim_replica_name(s->r), c->n_rows,
             c->n_cursors, e);
    if (!e) e = sim_door(s->r, "committed");
    if (!e && sim_fault(6000)) e = CF_E_UNKNOWN; /* and now after it */
    return e;
}

static int door_verdict(void *self, const struct cf_commit *c, bool *committed)
{
    struct store_mem *s = self;
    int e = enter(s, "verdict");
    if (e) return e;
    const struct cf_commit_cursor *k = &c->cursors[0];
    const struct cf_commit_shard *h = c->shards;
    while (h->part != k->part)
        h++;
    *committed = is_mine(s, h->part, h->epoch) &&
                 s->data->shards[k->part].in[k->topic].last_offset >= k->new_offset;
    sim_note("%s learns: %s", sim_replica_name(s->r), *committed ? "committed" : "not committed");
    /* What the server had not read yet when it was asked, it may still do. */
    if (s->in_limbo && sim_chance(500000))
        sim_note("%s: a commit comes late: %d", sim_replica_name(s->r), apply(s, c));
    s->in_limbo = false;
    return 0;
}

static const char *door_why(void *self)
{
    (void)self;
    return "as the seed wants it";
}

/* ---- seen from outside ------------------------------------------------------------------------ */

void sim_store_work(const struct sim_store *d, int16_t part, struct cf_arena *a,
                    sim_work_seen *seen, void *arg)
{
    for (const struct work_row *w = d->work[part]; w; w = w->next) {
        struct cf_str rest = w->work.args;
        struct cf_work piece = w->work;
        piece.args = cf_arena_str(a, w->work.args);
        if (!w->work.pieces) seen(arg, &piece);
        while (w->work.pieces && rest.len) {
            if (cf_bundle_next(&w->work, &rest, &piece)) sim_broken("a bundle cannot be read");
            seen(arg, &piece);
        }
    }
}

void sim_store_rows(const struct sim_store *d, bool aux, uint16_t kind, sim_row_seen *seen,
                    void *arg)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct row *row = d->rows[i]; row; row = row->next)
            if (row->aux == aux && row->kind == kind) seen(arg, &row->key, row->data);
}

const void *sim_store_row(const struct sim_store *d, bool aux, uint16_t kind, int16_t part,
                          const struct cf_key *key)
{
    const struct row *row = *row_at((struct sim_store *)(uintptr_t)d, aux, kind, part, key);
    return row ? row->data : NULL;
}

size_t sim_store_parked(const struct sim_store *d)
{
    return d->n_parked;
}

size_t sim_store_work_due(const struct sim_store *d, cf_ms until)
{
    size_t n = 0;
    for (int p = 0; p < SIM_PARTS; p++)
        for (const struct work_row *w = d->work[p]; w; w = w->next)
            n += w->work.due <= until;
    return n;
}

const char *sim_store_busy(const struct sim_store *d)
{
    static char why[160];
    for (int p = 0; p < SIM_PARTS; p++) {
        snprintf(why, sizeof why, "%s, shard %d: messages %lld to %lld", d->service->name, p,
                 (long long)d->shards[p].acked_seq + 1, (long long)d->shards[p].journal_seq);
        if (d->shards[p].acked_seq < d->shards[p].journal_seq) return why;
        for (size_t t = 0; t < d->n_in; t++) {
            snprintf(why, sizeof why, "%s, shard %d: %s", d->service->name, p,
                     d->service->in[t].name);
            if (d->shards[p].in[t].last_offset + 1 < sim_topic(d->service->in[t].name)->parts[p].n)
                return why;
        }
    }
    return NULL;
}

/* ---- making it -------------------------------------------------------------------------------- */

struct sim_store *sim_store_new(const struct cf_service *service)
{
    struct sim_store *d = cf_calloc(1, sizeof *d);
    d->service = service;
    d->n_in = cf_inputs(service);
    d->n_out = cf_outputs(service);
    if (d->n_in > TOPICS || d->n_out > TOPICS) CF_BUG("too many topics");
    for (int p = 0; p < SIM_PARTS; p++) {
        for (size_t t = 0; t < d->n_in; t++)
            d->shards[p].in[t].last_offset = -1;
        for (size_t t = 0; t < d->n_out; t++)
            memset(d->shards[p].out[t].acked_offset, 0xFF, SIM_PARTS * sizeof(int64_t));
    }
    return d;
}

static void door_free(void *self)
{
    free(self);
}

struct cf_store *sim_store_door(struct sim_store *data, struct replica *r)
{
    struct store_mem *s = cf_calloc(1, sizeof *s);
    s->data = data;
    s->r = r;
    memcpy(s->replica, sim_replica_id(r), 16);
    s->door = (struct cf_store){.self = s,
                                .open = door_open,
                                .standing = door_standing,
                                .take = door_take,
                                .give = door_give,
                                .streams = door_streams,
                                .journal = door_journal,
                                .numbers = door_numbers,
                                .load = door_load,
                                .commit = door_commit,
                                .verdict = door_verdict,
                                .still = door_still,
                                .why = door_why,
                                .free = door_free};
    return &s->door;
}
