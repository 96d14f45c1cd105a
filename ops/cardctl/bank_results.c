/* The results file of a bank: every line is checked before one is sent. */
#include "common/io/ids.h"
#include "common/pure/cardnum.h"
#include "common/pure/csv.h"
#include "ops/cardctl/bank_file.h"

#include <stdio.h>

enum column {
    NO,
    BANK,
    TYPE,
    ROUTING_KEY,
    APPLICATION,
    BATCH,
    LINE_NO,
    CARD_NO,
    REASON,
    AT,
    FEE_TYPE,
    FEE_AMOUNT,
    NOTICE,
    PASSWORD_KIND,
    TRIES,
    COLUMNS
};

const char *const bank_result_columns[] = {
    "no",      "bank_code", "type",          "routing_key", "application_id", "batch_id",
    "line_no", "card_no",   "reason",        "at",          "fee_type",       "fee_amount",
    "notice_id", "password_kind", "tries", NULL};

/* What each type of answer needs beside number, bank, type, routing key and time. */
static const struct {
    const char *type;
    enum column needs[3];
    size_t n;
} types[] = {
    {"account_opened",      {APPLICATION},                   1},
    {"account_failed",      {APPLICATION, REASON},           2},
    {"produced",            {APPLICATION, CARD_NO},          2},
    {"failed",              {APPLICATION, REASON},           2},
    {"shipped",             {APPLICATION},                   1},
    {"arrived",             {APPLICATION},                   1},
    {"collected",           {APPLICATION},                   1},
    {"notice_acknowledged", {NOTICE},                        1},
    {"password_wrong",      {CARD_NO, PASSWORD_KIND, TRIES}, 3},
};

struct reading {
    struct cf_str bank;
    struct bank_faults *faults;
    struct cf_str field[COLUMNS];
    struct bank_result_line *to;
};

static void wrong(struct reading *r, enum column c, const char *rule, const char *cure)
{
    bank_fault_add(r->faults, r->to->line, bank_result_columns[c], rule, cure);
}

static bool number(struct cf_str s, uint32_t max, uint32_t *out)
{
    uint64_t n = 0;
    if (s.len == 0 || s.len > 9) return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
        n = 10 * n + (uint64_t)(s.ptr[i] - '0');
    }
    *out = (uint32_t)n;
    return n <= max;
}

static void take_id(struct reading *r, enum column c, uint8_t id[16])
{
    if (r->field[c].len && !cf_uuid_parse(r->field[c], id))
        wrong(r, c, "a UUID", "Copy it from the file of orders or notices.");
}

static void take_number(struct reading *r, enum column c, uint32_t max, uint32_t *out)
{
    if (r->field[c].len && !number(r->field[c], max, out))
        wrong(r, c, "a whole number in range", "Write it in digits.");
}

static void take_text(struct reading *r, enum column c, size_t max, struct cf_str *out)
{
    *out = r->field[c];
    if (out->len > max) wrong(r, c, "text that is not so long", "Shorten it.");
}

/* Yuan with at most two decimals, in cents. */
static bool cents_of(struct cf_str s, int64_t *cents)
{
    size_t point = 0, decimals;
    while (point < s.len && s.ptr[point] != '.')
        point++;
    uint32_t yuan = 0, rest = 0;
    if (!number((struct cf_str){s.ptr, point}, 999999999, &yuan)) return false;
    *cents = 100 * (int64_t)yuan;
    if (point == s.len) return true;
    decimals = s.len - point - 1;
    if (decimals > 2 || !number((struct cf_str){s.ptr + point + 1, decimals}, 99, &rest))
        return false;
    *cents += decimals == 1 ? 10 * (int64_t)rest : (int64_t)rest;
    return true;
}

static void take_fee(struct reading *r)
{
    if (r->field[FEE_AMOUNT].len && !cents_of(r->field[FEE_AMOUNT], &r->to->fee_cents))
        wrong(r, FEE_AMOUNT, "yuan with at most two decimals", "Write it as 12.50.");
}

static void take_password(struct reading *r)
{
    take_number(r, TRIES, 1000, &r->to->tries);
    r->to->password_kind = r->field[PASSWORD_KIND];
    if (r->to->password_kind.len && !cf_str_is(r->to->password_kind, "social_security") &&
        !cf_str_is(r->to->password_kind, "financial"))
        wrong(r, PASSWORD_KIND, "social_security or financial", "Say which password.");
}

static void take_type(struct reading *r)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!cf_str_is(r->field[TYPE], types[i].type)) continue;
        r->to->step = r->field[TYPE];
        for (size_t k = 0; k < types[i].n; k++)
            if (r->field[types[i].needs[k]].len == 0)
                wrong(r, types[i].needs[k], "needed for this type", "Fill it in.");
        return;
    }
    wrong(r, TYPE, "a step of a bank",
          "account_opened, account_failed, produced, failed, shipped, arrived, collected, "
          "notice_acknowledged or password_wrong.");
}

static void take_card(struct reading *r)
{
    take_text(r, CARD_NO, CF_CARDNUM_LEN, &r->to->card_no);
    if (r->to->card_no.len && !cf_cardnum_valid(r->to->card_no))
        wrong(r, CARD_NO, "a card number with its check character", "Copy it from the order.");
}

static void take_line(struct reading *r, unsigned no)
{
    struct bank_result_line *to = r->to;
    if (!number(r->field[NO], UINT32_MAX, &to->no) || to->no != no)
        wrong(r, NO, "1, 2, 3 without a gap", "Lines are missing or reordered: export it again.");
    to->no = no;
    if (!cf_str_eq(r->field[BANK], r->bank))
        wrong(r, BANK, "the bank of this file", "Send each bank's results in its own file.");
    take_type(r);
    if (!cf_unhex(r->field[ROUTING_KEY], to->routing_key, sizeof to->routing_key))
        wrong(r, ROUTING_KEY, "32 hexadecimal digits", "Copy it from the order.");
    take_id(r, APPLICATION, to->app_id);
    take_id(r, BATCH, to->batch_id);
    take_id(r, NOTICE, to->notice_id);
    take_number(r, LINE_NO, 1000000, &to->line_no);
    take_card(r);
    take_text(r, REASON, 100, &to->reason);
    take_text(r, FEE_TYPE, 60, &to->fee_type);
    take_fee(r);
    take_password(r);
    if (!cf_rfc3339_parse(r->field[AT], &to->at))
        wrong(r, AT, "a time of RFC 3339", "Give date, time and offset.");
}

/* The first line is the names of the columns, in their order. */
static bool header_good(const struct cf_csv_record *rec, struct bank_faults *f)
{
    bool good = !rec->broken && rec->n == COLUMNS;
    for (size_t i = 0; good && i < COLUMNS; i++) {
        good = cf_str_is(rec->fields[i], bank_result_columns[i]);
        if (!good)
            bank_fault_add(f, rec->line, bank_result_columns[i], "the columns in their order",
                           "Take the first line from docs/bank-files.md.");
    }
    if (!good && f->n == 0)
        bank_fault_add(f, rec->line, "header", "15 columns, comma between them",
                       "Take the first line from docs/bank-files.md.");
    return good;
}

static bool utf8_good(struct cf_str csv, struct bank_faults *f)
{
    unsigned line = 1;
    if (cf_utf8_valid(csv)) return true;
    for (struct cf_str rest = csv; rest.len;) {
        int32_t cp = cf_utf8_next(&rest);
        if (cp <= 0) break;
        line += cp == '\n';
    }
    bank_fault_add(f, line, "file", "UTF-8", "Save it as UTF-8.");
    return false;
}

/* The file must be, to the byte, the one that the manifest is about. */
static void check_manifest(struct cf_str csv, const struct bank_manifest *m, struct cf_str bank,
                           struct bank_faults *f)
{
    uint8_t hash[CF_SHA256_LEN];
    if (strcmp(m->what, "results") != 0)
        bank_fault_add(f, 0, "what", "results", "This is not a file of results.");
    if (!cf_str_is(bank, m->bank))
        bank_fault_add(f, 0, "bank_code", "the bank of this exchange",
                       "The file is another bank's: put it into that bank's folder.");
    cf_sha256(csv, hash);
    if (memcmp(hash, m->sha256, sizeof hash) != 0)
        bank_fault_add(f, 0, "sha256", "the SHA-256 of the file",
                       "The file was changed or broken off on its way: send it again.");
}

static size_t count_lines(struct cf_str csv)
{
    size_t n = 1;
    for (size_t i = 0; i < csv.len; i++)
        n += csv.ptr[i] == '\n';
    return n;
}

static void read_lines(struct cf_str csv, struct reading *r, struct cf_arena *a,
                       struct bank_result_line *lines, size_t *n)
{
    struct cf_csv at = cf_csv_of(csv);
    struct cf_csv_record rec;
    if (!cf_csv_next(&at, a, &rec)) {
        bank_fault_add(r->faults, 1, "header", "15 columns", "The file is empty: send it again.");
        return;
    }
    if (!header_good(&rec, r->faults)) return;
    while (cf_csv_next(&at, a, &rec)) {
        r->to = &lines[*n];
        r->to->line = rec.line;
        ++*n;
        if (rec.broken || rec.n != COLUMNS) {
            bank_fault_add(r->faults, rec.line, "line",
                           rec.broken ? "quotes that are closed" : "15 columns",
                           "Quote fields with commas, quotes or line ends as RFC 4180 has it.");
            continue;
        }
        for (size_t i = 0; i < COLUMNS; i++)
            r->field[i] = bank_csv_plain(rec.fields[i]);
        take_line(r, (unsigned)*n);
    }
}

bool bank_results_read(struct cf_str csv, const struct bank_manifest *m, struct cf_str bank,
                       struct cf_arena *a, struct bank_result_line **out, size_t *n,
                       struct bank_faults *f)
{
    struct reading r = {.bank = bank, .faults = f};
    *n = 0;
    check_manifest(csv, m, bank, f);
    if (!utf8_good(csv, f)) return false;
    *out = cf_arena_zero(a, count_lines(csv) * sizeof **out);
    read_lines(csv, &r, a, *out, n);
    if (*n != m->lines)
        bank_fault_add(f, 0, "lines", "as many lines as the file has",
                       "Lines are missing or too many: send it again.");
    return f->n == 0;
}
