/* rows.csv: the input's columns, and what became of each row; read and sent in parts. */
#include "common/io/stage/pgbin.h"
#include "services/intake/api_rosters.h"
#include "services/intake/roster_reader.h"
#include "services/intake/splitter.h"

#include <stdlib.h>

enum { PAGE = 1000, PART = 64 << 10, ROW_ARENA = 8 << 20, PAGE_ARENA = 8 << 20 };

/* What became of a row, as text. */
struct outcome {
    int32_t row_no;
    const char *word;
    struct cf_str reasons, warnings, application_id, notices;
};

struct listing {
    struct intake_ask *ask;
    struct cf_pieces pieces;
    struct intake_reader *reader;
    struct cf_arena *row, *page_arena;
    struct outcome page[PAGE];
    size_t n_page, at_page;
    int32_t page_to; /* rows up to this one are known: those that are not in the page are pending */
    size_t columns;  /* of the header; 0: not read yet */
    int32_t row_no;
    struct cf_csv_record rec;
    bool has_rec; /* rec waits for its page */
    bool begun;   /* the answer: before its first part it can still be a problem */
    struct cf_buf out;
};

static void go_on(void *arg);

static bool send_part(struct listing *l)
{
    struct cf_request *req = l->ask->req;
    if (!l->begun) cf_answer_begin(req, 200, "text/csv; charset=utf-8", go_on, l);
    l->begun = true;
    bool more = cf_answer_part(req, cf_buf_str(&l->out));
    cf_buf_reset(&l->out);
    return more;
}

static void end(struct listing *l, bool whole)
{
    struct cf_request *req = l->ask->req;
    bool taken = !whole || send_part(l), begun = l->begun;
    (void)taken; /* it is the last part */
    intake_reader_free(l->reader);
    cf_pieces_free(&l->pieces);
    cf_arena_free(l->row);
    cf_arena_free(l->page_arena);
    cf_buf_free(&l->out);
    free(l);
    if (begun)
        cf_answer_end(req, whole);
    else
        cf_problem_away(req, "postgres");
}

/* ---- writing --------------------------------------------------------------------------------- */

static void csv_field(struct cf_buf *b, struct cf_str s)
{
    bool quote = false;
    for (size_t i = 0; i < s.len && !quote; i++)
        quote = memchr(",\"\r\n", s.ptr[i], 4) != NULL;
    if (!quote) {
        cf_buf_adds(b, s);
        return;
    }
    cf_buf_add(b, "\"", 1);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"') cf_buf_add(b, "\"", 1);
        cf_buf_add(b, s.ptr + i, 1);
    }
    cf_buf_add(b, "\"", 1);
}

static void csv_input(struct listing *l)
{
    for (size_t i = 0; i < l->columns; i++) {
        if (i < l->rec.n) csv_field(&l->out, l->rec.fields[i]);
        cf_buf_add(&l->out, ",", 1);
    }
}

static void write_header(struct listing *l)
{
    l->columns = l->rec.n;
    csv_input(l);
    cf_buf_printf(&l->out, "row_no,outcome,reasons,warnings,application_id,notices\n");
}

static void write_row(struct listing *l)
{
    static const struct outcome pending = {.word = "pending"};
    while (l->at_page < l->n_page && l->page[l->at_page].row_no < l->row_no)
        l->at_page++;
    bool known = l->at_page < l->n_page && l->page[l->at_page].row_no == l->row_no;
    const struct outcome *o = known ? &l->page[l->at_page] : &pending;
    csv_input(l);
    cf_buf_printf(&l->out, "%d,%s,%.*s,%.*s,%.*s,%.*s\n", (int)l->row_no, o->word,
                  CF_ARG(o->reasons), CF_ARG(o->warnings), CF_ARG(o->application_id),
                  CF_ARG(o->notices));
}

/* ---- what has to be asked for ---------------------------------------------------------------- */

static struct cf_str copy(struct listing *l, const PGresult *res, int row, const char *name)
{
    struct cf_str s = cf_pgf_get(res, row, PQfnumber(res, name));
    return s.len ? cf_arena_str(l->page_arena, s) : CF_STR("");
}

static void take_outcome(struct listing *l, const PGresult *res, int row)
{
    struct cf_buf words;
    struct cf_str bits = copy(l, res, row, "warnings"), no = copy(l, res, row, "row_no");
    cf_buf_init(&words, 1024);
    intake_warnings_text((unsigned)strtoul(bits.ptr, NULL, 10), &words);
    l->page[row] = (struct outcome){
        .row_no = (int32_t)strtol(no.ptr, NULL, 10),
        .word = intake_row_outcome_at(res, row),
        .reasons = copy(l, res, row, "reasons"),
        .warnings = words.len ? cf_arena_str(l->page_arena, cf_buf_str(&words)) : CF_STR(""),
        .application_id = copy(l, res, row, "application_id"),
        .notices = copy(l, res, row, "notices")};
    cf_buf_free(&words);
}

static void page_found(void *arg, int e, const PGresult *res)
{
    struct listing *l = arg;
    if (e) {
        end(l, false);
        return;
    }
    int n = PQntuples(res);
    cf_arena_reset(l->page_arena);
    for (int i = 0; i < n; i++)
        take_outcome(l, res, i);
    l->n_page = (size_t)n;
    l->at_page = 0;
    l->page_to = n == PAGE ? l->page[n - 1].row_no : INT32_MAX;
    go_on(l);
}

static void piece_found(void *arg, int e, const PGresult *res)
{
    struct listing *l = arg;
    const struct cf_app *app = l->ask->front->app;
    if (e || intake_roster_piece(app->ring, l->ask->roster_id, res, &l->pieces))
        end(l, false);
    else
        go_on(l);
}

/* ---- record after record --------------------------------------------------------------------- */

/* True: go on; false: something is awaited, or it has ended. */
static bool take_record(struct listing *l)
{
    struct intake_ask *k = l->ask;
    if (l->rec.blank) {
        l->has_rec = false;
        return true;
    }
    if (l->columns && l->row_no + 1 > l->page_to) {
        if (intake_roster_rows(k, l->row_no, PAGE, page_found, l)) end(l, false);
        return false;
    }
    l->has_rec = false;
    if (l->columns) {
        l->row_no++;
        write_row(l);
    } else {
        write_header(l);
    }
    if (l->out.len < PART) return true;
    return send_part(l);
}

static bool read_record(struct listing *l)
{
    struct intake_ask *k = l->ask;
    cf_arena_reset(l->row);
    switch (intake_reader_next(l->reader, l->row, &l->rec)) {
    case INTAKE_READ_RECORD:
        l->has_rec = true;
        return true;
    case INTAKE_READ_REST: return true;
    case INTAKE_READ_WAIT:
        if (intake_roster_fetch(k->front->app, &k->key, k->roster_id, l->pieces.want, piece_found,
                                l))
            end(l, false);
        return false;
    case INTAKE_READ_END: end(l, true); return false;
    case INTAKE_READ_BROKEN: break;
    }
    end(l, true); /* as far as the rows went; the roster's `problem` says why */
    return false;
}

static void go_on(void *arg)
{
    struct listing *l = arg;
    bool more = true;
    while (more) {
        if (cf_request_gone(l->ask->req)) {
            end(l, false);
            return;
        }
        more = l->has_rec ? take_record(l) : read_record(l);
    }
}

static void answer_csv(struct intake_ask *k, const PGresult *roster)
{
    struct cf_str size = cf_pgf_get(roster, 0, PQfnumber(roster, "size"));
    struct listing *l = cf_calloc(1, sizeof *l);
    l->ask = k;
    l->pieces = cf_pieces_of(strtoull(size.ptr, NULL, 10), INTAKE_ROSTER_PIECE);
    l->reader = intake_reader_new(&l->pieces,
                                  cf_pgf_get(roster, 0, PQfnumber(roster, "encoding")));
    l->row = cf_arena_new(ROW_ARENA);
    l->page_arena = cf_arena_new(PAGE_ARENA);
    cf_buf_init(&l->out, 4 << 20);
    go_on(l);
}

static void get_rows_csv(struct cf_request *req, void *arg)
{
    intake_roster_ask(req, arg, answer_csv);
}

void intake_api_roster_csv_route(struct intake_front *front)
{
    static const struct cf_route csv = {.method = "GET",
                                        .pattern = "/v1/rosters/{roster_id}/rows.csv",
                                        .scope = "rosters:read",
                                        .answer_ms = 60000};
    cf_http_route(front->app->http, &csv, get_rows_csv, front);
}
