/* POST /v1/rosters: a unit's list is taken as a file. */
#include "common/io/ids.h"
#include "common/io/multipart.h"
#include "common/io/stage/pgbin.h"
#include "services/intake/api.h"
#include "services/intake/roster_reader.h"
#include "services/intake/rules_roster.h"
#include "services/intake/splitter.h"

enum { CHUNK = INTAKE_ROSTER_PIECE, CHUNKS = 4 /* a statement */ };
#define HEADER_WITHIN (64u << 20) /* of a workbook's text */

struct upload {
    struct intake_write w;
    struct intake_roster_meta meta;
    struct intake_agent agent;
    struct intake_request papers; /* of the list, and of the one it refers to */
    struct intake_papers_ref papers_ref;
    struct cf_key key;
    struct cf_str file;
    size_t stored; /* bytes of it */
};

static void sent(void *arg, int e)
{
    struct upload *u = arg;
    if (e)
        cf_problem_away(u->w.req, "kafka");
    else
        intake_answer_id(&u->w, 202, "roster_id");
}

static int store_some(struct upload *u);

static void stored(void *arg, int e, const PGresult *res)
{
    struct upload *u = arg;
    (void)res;
    if (!e && u->stored < u->file.len) e = store_some(u);
    else if (!e) {
        intake_write_send(&u->w, "intake.internal", &u->key, "roster.opened",
                          intake_codec_roster_opened(u->w.req->arena, &u->meta), sent);
        return;
    }
    if (e) cf_problem_away(u->w.req, "postgres");
}

/* One piece, sealed; it is added to the two columns. */
static int seal_piece(struct upload *u, struct cf_arena *a, struct cf_pgarray *no,
                      struct cf_pgarray *bytes)
{
    size_t left = u->file.len - u->stored;
    struct cf_str plain = {u->file.ptr + u->stored, left < CHUNK ? left : CHUNK}, sealed;
    int e = cf_seal(u->w.front->app->ring, plain, cf_key_str(&u->key), INTAKE_FIELD_FILE, a,
                    &sealed);
    if (e) return e;
    cf_pgarray_int4(no, (int32_t)(u->stored / CHUNK));
    cf_pgarray_bytes(bytes, sealed.ptr, sealed.len);
    u->stored += plain.len;
    return 0;
}

/* A few pieces at a time: a list of 200,000 must not stand in memory a second time. */
static int store_some(struct upload *u)
{
    struct cf_app *app = u->w.front->app;
    struct cf_pgarray no = {.count = 0}, bytes = {.count = 0};
    char part[2];
    int e = 0;
    cf_pgarray_begin(&no, CF_OID_INT4);
    cf_pgarray_begin(&bytes, CF_OID_BYTEA);
    struct cf_arena *a = cf_arena_new(4 * CHUNK);
    for (int i = 0; i < CHUNKS && u->stored < u->file.len && !e; i++) {
        e = seal_piece(u, a, &no, &bytes);
        cf_arena_reset(a);
    }
    cf_arena_free(a);
    cf_put16(part, (uint16_t)cf_key_partition(&u->key, (uint32_t)app->partitions));
    const struct cf_str params[] = {
        {part,                            2 },
        {(const char *)u->meta.roster_id, 16},
        cf_pgarray_end(&no),
        cf_pgarray_end(&bytes)
    };
    if (bytes.buf.full) e = CF_E_TOO_LARGE;
    if (!e) e = cf_pgf_send(app->pg, INTAKE_SQL_ROSTER_CHUNK_ADD, params, 4, stored, u);
    cf_buf_free(&no.buf);
    cf_buf_free(&bytes.buf);
    return e;
}

static void store(struct intake_write *w)
{
    struct upload *u = (struct upload *)w;
    if (!u->meta.unit_code.len) u->meta.unit_code = u->papers.unit_code;
    u->meta.introduction_letter_no = u->papers.introduction_letter_no;
    u->meta.id_copies_held = u->papers.id_copies_held;
    struct cf_arena *a = w->req->arena;
    memcpy(u->meta.roster_id, w->id, 16);
    u->key = cf_key_roster(w->id);
    if (u->meta.submitted_at <= 0) u->meta.submitted_at = w->sent_at;
    bool has_agent = u->agent.name.len || u->agent.document_number.len;
    if (has_agent && cf_seal(w->front->app->ring, intake_codec_agent_pack(a, &u->agent),
                             cf_key_str(&u->key), INTAKE_FIELD_AGENT, a, &u->meta.agent)) {
        cf_problem_away(w->req, "sealing");
        return;
    }
    if (store_some(u)) cf_problem_away(w->req, "postgres");
}

static void go(struct intake_write *w)
{
    struct upload *u = (struct upload *)w;
    u->papers_ref.unit_code = u->papers.unit_code;
    intake_papers_find(&u->papers_ref, w, &u->papers, &u->agent, store);
}

/* The first record that is not blank. */
static const char *find_header(struct intake_reader *reader, struct cf_arena *a,
                               struct cf_csv_record *rec)
{
    for (;;) {
        cf_arena_reset(a);
        enum intake_read e = intake_reader_next(reader, a, rec);
        if (e == INTAKE_READ_RECORD && !rec->blank) return NULL;
        if (e == INTAKE_READ_BROKEN) return intake_reader_why(reader);
        if (e == INTAKE_READ_END || e == INTAKE_READ_WAIT ||
            intake_reader_spent(reader) > HEADER_WITHIN)
            return "the file has no header";
    }
}

/* A rule that the file breaks, or NULL: what cannot be read at all is told at once. */
static const char *look_at_file(struct cf_str file, const char **encoding)
{
    struct cf_csv_record rec;
    struct intake_header header;
    const char *missing, *why = intake_file_look(file, encoding);
    if (why) return why;
    struct cf_pieces pieces = cf_pieces_in_memory(file);
    struct cf_arena *a = cf_arena_new(4 << 20);
    struct intake_reader *reader = intake_reader_new(&pieces, cf_str_of(*encoding));
    why = find_header(reader, a, &rec);
    if (!why && !intake_header_read(&rec, &header, &missing))
        why = "the header lacks one of name, document_type, document_number, phone, address";
    intake_reader_free(reader);
    cf_arena_free(a);
    return why;
}

/* The channel a roster comes by: the one the key may speak for. */
static enum cf_channel channel_of(const struct cf_client *client, struct cf_str said)
{
    if (said.len) return cf_channel_parse(said);
    return cf_client_channel(client, "unit") || !cf_client_channel(client, "school")
               ? CF_CHANNEL_UNIT
               : CF_CHANNEL_SCHOOL;
}

/* A copy that outlives the part's own document. */
static struct cf_str text_in(struct cf_in *in, const char *name)
{
    struct cf_str s = intake_word_in(in, name);
    return s.len ? cf_arena_str(in->arena, s) : s;
}

static void keep_agent(struct cf_arena *a, struct intake_agent *agent)
{
    agent->name = cf_arena_str(a, agent->name);
    agent->document_type = cf_arena_str(a, agent->document_type);
    agent->document_number = cf_arena_str(a, agent->document_number);
}

/* One reason for all rows; without it none of them could be accepted. */
static void read_kind(struct cf_in *in, struct intake_roster_meta *m)
{
    struct cf_str kind = cf_in_text(in, "kind", CF_OPTIONAL, 0, 64);
    m->kind = kind.len ? cf_app_kind_parse(kind) : CF_KIND_FIRST_ISSUE;
    m->reissue_reason = text_in(in, "reissue_reason");
    if (m->kind == CF_KIND_REISSUE && cf_reissue_reason_parse(m->reissue_reason) == CF_REISSUE_NONE)
        cf_in_wrong(in, "reissue_reason",
                    "must be mass_exchange, expiry, data_changed or bank_change",
                    "Give the reason of all rows; send a list for each reason.");
}

static void read_meta(struct cf_in *in, struct upload *u)
{
    struct intake_roster_meta *m = &u->meta;
    const struct cf_client *client = u->w.req->client;
    intake_papers_in(in, &u->papers, &u->agent, &u->papers_ref);
    keep_agent(in->arena, &u->agent);
    m->client = cf_str_of(client->name);
    m->unit_code = text_in(in, "unit_code");
    if (!m->unit_code.len) m->unit_code = cf_arena_str(in->arena, u->papers.unit_code);
    u->papers.unit_code = m->unit_code;
    m->bank_code = text_in(in, "bank_code");
    m->outlet_code = text_in(in, "outlet_code");
    read_kind(in, m);
    m->channel = channel_of(client, cf_in_text(in, "channel", CF_OPTIONAL, 0, 64));
    u->papers.introduction_letter_no =
        cf_arena_str(in->arena, u->papers.introduction_letter_no);
    m->submitted_at = intake_time_in(in, "submitted_at");
    m->may_backdate = client->may_backdate;
    if (m->submitted_at < 0)
        cf_in_wrong(in, "submitted_at", "must be a time of RFC 3339", "Leave it out for now.");
    if (m->channel != CF_CHANNEL_UNIT && m->channel != CF_CHANNEL_SCHOOL)
        cf_in_wrong(in, "channel", "must be unit or school", "Leave it out for the key's own.");
}

static const char *parts_of(struct cf_request *req, struct cf_parts *parts, struct cf_str *meta,
                            struct cf_str *file)
{
    const char *why = cf_multipart(cf_request_header(req, "Content-Type"), req->body, parts);
    if (why) return why;
    const struct cf_part *m = cf_multipart_part(parts, "meta"),
                         *f = cf_multipart_part(parts, "file");
    if (!m) return "has no part named meta";
    if (!f) return "has no part named file";
    *meta = m->body;
    *file = f->body;
    return NULL;
}

static json_t *meta_json(struct cf_request *req, struct cf_str text)
{
    struct cf_json_error e;
    json_t *root = cf_json_parse(text, &e);
    if (!root)
        cf_problem_field(req, 400, "invalid_body", "meta",
                         cf_arena_printf(req->arena, "%s at byte %zu", e.rule, e.position).ptr,
                         "Send a JSON object.");
    return root;
}

static void claim(struct upload *u, struct cf_str key, const json_t *meta)
{
    uint8_t hash[CF_SHA256_LEN];
    char hex[2 * CF_SHA256_LEN + 1];
    cf_sha256(u->file, hash);
    memcpy(u->meta.sha256, hash, sizeof hash);
    u->meta.size = u->file.len;
    cf_hex(hash, sizeof hash, hex);
    struct cf_str text = intake_meaning(u->w.req->arena, meta);
    intake_write_claim(&u->w, "roster", key,
                       cf_arena_printf(u->w.req->arena, "%s %.*s", hex, CF_ARG(text)));
}

static void post_roster(struct cf_request *req, void *arg)
{
    struct cf_field_errors errors = {0};
    struct cf_parts parts;
    struct cf_str meta;
    struct upload *u = cf_arena_zero(req->arena, sizeof *u);
    u->w = (struct intake_write){.req = req, .front = arg, .go = go};
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return;
    const char *why = parts_of(req, &parts, &meta, &u->file), *encoding = "";
    if (why) {
        cf_problem_field(req, 400, "invalid_body", "body", why,
                         "Send multipart/form-data with the parts meta (JSON) and file.");
        return;
    }
    if (u->file.len > (size_t)u->w.front->settings.roster_max_bytes) {
        cf_problem_field(req, 413, "too_large", "file", "is larger than the limit",
                         "Split the list.");
        return;
    }
    json_t *root = meta_json(req, meta);
    if (!root) return;
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    if (!errors.n) read_meta(&in, u);
    why = errors.n ? NULL : look_at_file(u->file, &encoding);
    u->meta.encoding = cf_str_of(encoding);
    if (errors.n)
        cf_problem_fields(req, &errors);
    else if (why)
        cf_problem_field(req, 400, "unreadable_roster", "file", why,
                         "Send CSV (UTF-8, GBK or UTF-16) or XLSX with a header row.");
    else if (!cf_client_channel(req->client, cf_channel_name(u->meta.channel)))
        cf_problem_field(req, 403, "missing_scope", "channel", "is not one of this key's channels",
                         "Use the key of a unit or a school.");
    else
        claim(u, key, root);
    json_decref(root);
}

void intake_api_roster_routes(struct intake_front *front)
{
    const struct cf_route post = {"POST",
                                  "/v1/rosters",
                                  "rosters:write",
                                  (size_t)front->settings.roster_max_bytes + (64 << 10),
                                  "multipart/form-data",
                                  60000};
    cf_http_route(front->app->http, &post, post_roster, front);
}
