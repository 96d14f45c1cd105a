#include "services/intake/splitter.h"

#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/stage/pgbin.h"
#include "services/intake/roster_reader.h"

#include <stdlib.h>

enum { KEPT = 4, META_ARENA = 1 << 20, ROW_ARENA = 8 << 20 };
#define STEP_TEXT (8u << 20) /* looked at in one step, if that many rows take no less */

/* A roster under way. */
struct reading {
    struct reading *next;
    struct intake_splitter *owner;
    struct intake_roster_meta meta;
    struct cf_key key;
    struct intake_agent agent;
    struct cf_arena *arena; /* of the meta */
    struct cf_pieces pieces;
    struct intake_reader *reader;
    struct intake_header header;
    struct intake_seen *seen;
    uint32_t row_no; /* of the last row read */
    bool has_header, at_end;
    struct cf_work_call *call; /* the step under way, or NULL */
    uint32_t first;            /* row of this step */
    uint64_t spent;            /* by the reader, before this step */
    size_t outstanding;
    const char *why; /* the file cannot be read on */
    bool failed, reading_now, fetching;
    cf_ms used_at;
};

struct intake_splitter {
    struct intake_front *front;
    struct reading *list;
    struct cf_arena *row; /* reset after each row */
};

static void reading_free(struct reading *r)
{
    intake_reader_free(r->reader);
    cf_pieces_free(&r->pieces);
    intake_seen_free(r->seen);
    cf_arena_free(r->arena);
    free(r);
}

void intake_splitter_free(struct intake_splitter *p)
{
    if (!p) return;
    while (p->list) {
        struct reading *r = p->list;
        p->list = r->next;
        reading_free(r);
    }
    cf_arena_free(p->row);
    free(p);
}

struct intake_splitter *intake_splitter_new(struct intake_front *front)
{
    struct intake_splitter *p = cf_calloc(1, sizeof *p);
    p->front = front;
    p->row = cf_arena_new(ROW_ARENA);
    return p;
}

static void forget(struct reading *r)
{
    struct reading **at = &r->owner->list;
    while (*at && *at != r)
        at = &(*at)->next;
    if (*at) *at = r->next;
    reading_free(r);
}

/* Keeps the few that were used last. */
static void make_room(struct intake_splitter *p)
{
    size_t n = 0;
    struct reading *oldest = NULL;
    for (struct reading *r = p->list; r; r = r->next, n++)
        if (!r->call && (!oldest || r->used_at < oldest->used_at)) oldest = r;
    if (n >= KEPT && oldest) forget(oldest);
}

/* ---- ending a step --------------------------------------------------------------------------- */

/* The front has looked at this file before it answered 202: a person must look. */
static void end_unreadable(struct reading *r, struct cf_work_call *call)
{
    cf_log(LOG_ERROR, "roster.unreadable", F("why", r->why));
    cf_work_done(call, 0, CF_WORK_DONE, "unreadable",
                 intake_codec_progress(r->owner->row, r->meta.roster_id, r->row_no + 1, r->row_no,
                                       true, r->why));
    forget(r);
}

static void end_step(struct reading *r)
{
    struct cf_work_call *call = r->call;
    r->call = NULL;
    r->used_at = cf_mono_ms();
    if (r->failed) {
        cf_work_done(call, 0, CF_WORK_RETRY, "not_sent", (struct cf_str){0});
        forget(r);
        return;
    }
    if (r->why) {
        end_unreadable(r, call);
        return;
    }
    struct cf_str progress = intake_codec_progress(
        r->owner->row, r->meta.roster_id, r->row_no + 1, r->at_end ? r->row_no : 0, r->at_end, NULL);
    cf_work_done(call, 0, CF_WORK_DONE, "", progress);
    cf_arena_reset(r->owner->row);
    if (r->at_end) forget(r);
}

/* When all that was sent is there, and nothing more is to be read for this step. */
static void end_step_if_over(struct reading *r)
{
    if (r->outstanding == 0 && !r->reading_now && !r->fetching) end_step(r);
}

static void sent(void *arg, int e)
{
    struct reading *r = arg;
    if (e) r->failed = true;
    r->outstanding--;
    end_step_if_over(r);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void send(struct reading *r, const char *topic, const struct cf_key *key,
                 const uint8_t id[16], const char *type, struct cf_str value)
{
    struct cf_front_message m = {.topic = topic,
                                 .key = cf_key_str(key),
                                 .part = -1,
                                 .ce_type = type,
                                 .ce_source = "intake/front",
                                 .value = value};
    memcpy(m.ce_id, id, 16);
    if (cf_front_send(r->owner->front->app->producer, &m, sent, r))
        r->failed = true;
    else
        r->outstanding++;
}

static void send_refused(struct reading *r, const struct cf_reason_set *reasons, const uint8_t id[16])
{
    struct intake_row_msg m = {.row_no = (int32_t)r->row_no, .outcome = INTAKE_ROW_REFUSED};
    struct cf_buf text;
    cf_buf_init(&text, 8192);
    memcpy(m.roster_id, r->meta.roster_id, 16);
    intake_roster_reasons_text(reasons, &text);
    m.reasons = cf_buf_str(&text);
    send(r, "intake.internal", &r->key, id, "row.outcome",
         intake_codec_row(r->owner->row, &m));
    cf_buf_free(&text);
}

static void send_submit(struct reading *r, const struct intake_row *row, const uint8_t id[16])
{
    struct cf_app *app = r->owner->front->app;
    struct cf_arena *a = r->owner->row;
    struct cf_key key;
    struct intake_submit m = {.row_no = r->row_no,
                              .person = row->person,
                              .request = {.channel = r->meta.channel,
                                          .kind = r->meta.kind,
                                          .bank_code = r->meta.bank_code,
                                          .outlet_code = r->meta.outlet_code,
                                          .photo_choice = row->photo_choice,
                                          .reissue_reason = r->meta.reissue_reason,
                                          .unit_code = r->meta.unit_code,
                                          .introduction_letter_no = r->meta.introduction_letter_no,
                                          .id_copies_held = r->meta.id_copies_held,
                                          .submitted_at = r->meta.submitted_at,
                                          .may_backdate = r->meta.may_backdate,
                                          .warnings = row->warnings}};
    memcpy(m.application_id, id, 16);
    memcpy(m.roster_id, r->meta.roster_id, 16);
    m.person.agent = r->agent;
    intake_codec_key(app->ring, &m.person, id, &key);
    if (intake_codec_person_seal(app->ring, a, &m.person, &key, &m.sealed)) {
        r->failed = true;
        return;
    }
    send(r, "application.commands", &key, id, "application.submit", intake_codec_submit(a, &m));
}

static void take_row(struct reading *r, const struct cf_csv_record *rec, bool may_send)
{
    struct cf_arena *a = r->owner->row;
    struct intake_row row;
    struct intake_facts f;
    uint8_t id[16];
    intake_row_read(&r->header, rec, r->meta.unit_code, a, &row);
    intake_person_read(&row.person, cf_day_of_ms(r->meta.submitted_at), a, &f);
    bool again = f.number_ok && !row.number_damaged &&
                 intake_seen_add(r->seen, r->owner->front->seen_key, f.type, f.number);
    if (!may_send) return;
    intake_codec_row_id(r->meta.roster_id, r->row_no, id);
    /* What only the roster can tell, and rows that are nobody's, never become applications. */
    if (f.number_ok && !again && !cf_reason_set_any(&row.reasons)) {
        send_submit(r, &row, id);
        return;
    }
    struct cf_reason_set reasons = intake_row_reasons(&row, &f);
    if (again) cf_reason_set_add(&reasons, CF_REASON_DUPLICATE_IN_ROSTER);
    send_refused(r, &reasons, id);
}

static void read_on(struct reading *r);

/* ---- the file in pieces ---------------------------------------------------------------------- */

const char *intake_roster_piece(const struct cf_seal_ring *ring, const uint8_t roster_id[16],
                                const PGresult *res, struct cf_pieces *pieces)
{
    struct cf_key key = cf_key_roster(roster_id);
    struct cf_str plain;
    const char *why = NULL;
    if (PQntuples(res) != 1) return "a piece of the file is not stored";
    struct cf_arena *a = cf_arena_new(4 * INTAKE_ROSTER_PIECE);
    if (cf_unseal(ring, cf_pgf_get(res, 0, 0), cf_key_str(&key), INTAKE_FIELD_FILE, a, &plain))
        why = "a piece of the file does not open";
    else if (!cf_pieces_give(pieces, pieces->want, plain))
        why = "a piece of the file is not as long as it was";
    cf_arena_free(a);
    return why;
}

int intake_roster_fetch(struct cf_app *app, const struct cf_key *key, const uint8_t roster_id[16],
                        uint32_t piece, cf_pgf_done *done, void *arg)
{
    char part[2], index[4];
    cf_put16(part, (uint16_t)cf_key_partition(key, (uint32_t)app->partitions));
    cf_put32(index, piece);
    const struct cf_str params[] = {{part, 2}, {(const char *)roster_id, 16}, {index, 4}};
    return cf_pgf_send(app->pg, INTAKE_SQL_ROSTER_CHUNK, params, 3, done, arg);
}

static void fetched(void *arg, int e, const PGresult *res)
{
    struct reading *r = arg;
    r->fetching = false;
    if (e) r->failed = true;
    if (!e)
        r->why = intake_roster_piece(r->owner->front->app->ring, r->meta.roster_id, res,
                                     &r->pieces);
    if (r->failed || r->why)
        end_step_if_over(r);
    else
        read_on(r);
}

static void fetch(struct reading *r)
{
    r->fetching = true;
    if (intake_roster_fetch(r->owner->front->app, &r->key, r->meta.roster_id, r->pieces.want,
                            fetched, r)) {
        r->fetching = false;
        r->failed = true;
    }
}

/* ---- a step ---------------------------------------------------------------------------------- */

static void take_record(struct reading *r, const struct cf_csv_record *rec)
{
    const char *missing;
    if (rec->blank) return;
    if (r->has_header) {
        r->row_no++;
        take_row(r, rec, r->row_no >= r->first);
        return;
    }
    r->has_header = true;
    if (!intake_header_read(rec, &r->header, &missing)) r->why = "a column is missing";
}

static bool is_long(const struct reading *r)
{
    return intake_reader_spent(r->reader) - r->spent > STEP_TEXT;
}

/* Reads on; rows below `first` were sent by an earlier step and only fill the set of numbers. */
static void read_on(struct reading *r)
{
    uint32_t last = r->first + (uint32_t)r->owner->front->settings.roster_step - 1;
    struct cf_csv_record rec;
    enum intake_read e = INTAKE_READ_RECORD;
    r->reading_now = true;
    while (!r->failed && !r->why && r->row_no < last && e == INTAKE_READ_RECORD) {
        cf_arena_reset(r->owner->row);
        e = intake_reader_next(r->reader, r->owner->row, &rec);
        if (e == INTAKE_READ_RECORD) take_record(r, &rec);
        bool again = r->row_no + 1 < r->first; /* no step may end before its first row */
        if (e == INTAKE_READ_REST && again) e = INTAKE_READ_RECORD;
        if (e == INTAKE_READ_RECORD && !again && is_long(r)) e = INTAKE_READ_REST;
    }
    cf_arena_reset(r->owner->row);
    if (e == INTAKE_READ_WAIT) fetch(r);
    if (e == INTAKE_READ_END) r->at_end = true;
    if (e == INTAKE_READ_BROKEN) r->why = intake_reader_why(r->reader);
    if (r->at_end && !r->has_header) r->why = "the file has no header";
    r->reading_now = false;
    end_step_if_over(r);
}

static void step(struct reading *r, struct cf_work_call *call, uint32_t first)
{
    r->call = call;
    r->first = first;
    r->spent = intake_reader_spent(r->reader);
    read_on(r);
}

/* ---- opening --------------------------------------------------------------------------------- */

static struct reading *known(struct intake_splitter *p, const uint8_t id[16], uint32_t next_row)
{
    for (struct reading *r = p->list; r; r = r->next)
        if (!r->call && memcmp(r->meta.roster_id, id, 16) == 0) {
            if (r->row_no + 1 == next_row) return r;
            forget(r);
            return NULL;
        }
    return NULL;
}

static struct cf_str keep(struct cf_arena *a, struct cf_str s)
{
    return cf_arena_str(a, s);
}

/* The arguments belong to the call; what is needed longer moves to the reading's own arena. */
static struct reading *reading_new(struct intake_splitter *p, const struct intake_roster_meta *m)
{
    struct reading *r = cf_calloc(1, sizeof *r);
    r->owner = p;
    r->arena = cf_arena_new(META_ARENA);
    r->meta = *m;
    r->meta.client = keep(r->arena, m->client);
    r->meta.unit_code = keep(r->arena, m->unit_code);
    r->meta.bank_code = keep(r->arena, m->bank_code);
    r->meta.outlet_code = keep(r->arena, m->outlet_code);
    r->meta.introduction_letter_no = keep(r->arena, m->introduction_letter_no);
    r->meta.agent = keep(r->arena, m->agent);
    r->key = cf_key_roster(m->roster_id);
    r->meta.encoding = keep(r->arena, m->encoding);
    r->meta.reissue_reason = keep(r->arena, m->reissue_reason);
    r->seen = intake_seen_new();
    r->pieces = cf_pieces_of(m->size, INTAKE_ROSTER_PIECE);
    r->reader = intake_reader_new(&r->pieces, r->meta.encoding);
    r->next = p->list;
    p->list = r;
    return r;
}

static int start(struct intake_splitter *p, const struct intake_roster_meta *m, uint32_t next_row,
                 struct cf_work_call *call)
{
    struct reading *r = known(p, m->roster_id, next_row);
    if (!r) {
        make_room(p);
        r = reading_new(p, m);
        int e = intake_codec_agent_open(p->front->app->ring, r->arena, r->meta.agent, &r->key,
                                        &r->agent);
        if (e) {
            forget(r);
            return e;
        }
    }
    step(r, call, next_row);
    return 0;
}

void intake_splitter_run(struct intake_splitter *p, struct cf_work_call *call)
{
    struct intake_roster_meta meta;
    uint32_t next_row;
    const struct cf_work *w = cf_work_item(call, 0);
    struct cf_arena *a = cf_arena_new(1 << 20);
    int e = intake_codec_split_read(a, w->args, &meta, &next_row);
    if (e)
        cf_work_done(call, 0, CF_WORK_DONE, "unreadable",
                     intake_codec_progress(a, w->id, 1, 0, true, "arguments"));
    else if (start(p, &meta, next_row, call))
        cf_work_done(call, 0, CF_WORK_RETRY, "away", (struct cf_str){0});
    cf_arena_free(a);
}
