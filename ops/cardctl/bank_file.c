#include "ops/cardctl/bank_file.h"

#include "common/io/ids.h"
#include "common/io/json.h"

#include <stdio.h>
#include <string.h>

const char *const bank_order_columns[] = {
    "line_no",       "bank_code",     "batch_id",
    "routing_key",   "application_id", "card_no",
    "kind",          "due_on",        "outlet_code",
    "document_type", "document_number", "name",
    "sex",           "birth_date",    "phone",
    "address",       "guardian_name", "guardian_document_type",
    "guardian_document_number", "guardian_relation", "guardian_phone",
    "photo_ref",     NULL};
const char *const bank_notice_columns[] = {"no",      "bank_code", "notice_id", "routing_key",
                                           "card_no", "what",      "at",        "attempt",   NULL};
const char *const bank_report_columns[] = {"line", "no", "outcome", "column", "rule", "cure", NULL};

void bank_fault_add(struct bank_faults *f, unsigned line, const char *column, const char *rule,
                    const char *cure)
{
    if (f->n < BANK_FAULTS) f->list[f->n] = (struct bank_fault){line, column, rule, cure};
    f->n++;
}

/* ---- CSV ----------------------------------------------------------------------------------- */

static bool calculates(struct cf_str s)
{
    return s.len && memchr("=+-@\t\r", s.ptr[0], 6);
}

static bool needs_quotes(struct cf_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (memchr(",\"\r\n", s.ptr[i], 4)) return true;
    /* Blanks at the ends are part of the field. */
    return s.len && (s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' ');
}

void bank_csv_field(struct cf_buf *b, struct cf_str s, bool last)
{
    /* An apostrophe before what would be harmless is doubled by one more: it comes off again. */
    bool harmless = !calculates(s) && !(s.len && s.ptr[0] == '\'');
    bool quote = needs_quotes(s);
    if (quote) cf_buf_add(b, "\"", 1);
    if (!harmless) cf_buf_add(b, "'", 1);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"') cf_buf_add(b, "\"", 1);
        cf_buf_add(b, s.ptr + i, 1);
    }
    if (quote) cf_buf_add(b, "\"", 1);
    if (last)
        cf_buf_add(b, "\r\n", 2);
    else
        cf_buf_add(b, ",", 1);
}

void bank_csv_header(struct cf_buf *b, const char *const *names)
{
    for (; *names; names++)
        bank_csv_field(b, cf_str_of(*names), names[1] == NULL);
}

struct cf_str bank_csv_plain(struct cf_str field)
{
    struct cf_str rest = {field.ptr + 1, field.len - 1};
    if (field.len < 2 || field.ptr[0] != '\'') return field;
    return calculates(rest) || rest.ptr[0] == '\'' ? rest : field;
}

/* ---- manifests ----------------------------------------------------------------------------- */

bool bank_code_good(struct cf_str code)
{
    if (code.len == 0 || code.len > BANK_CODE_MAX) return false;
    for (size_t i = 0; i < code.len; i++) {
        char c = code.ptr[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') return false;
    }
    return true;
}

void bank_manifest_write(struct cf_buf *b, const struct bank_manifest *m)
{
    char hex[2 * sizeof m->sha256 + 1];
    cf_hex(m->sha256, sizeof m->sha256, hex);
    struct cf_out o = cf_out_to(b);
    cf_out_object(&o, NULL);
    cf_out_z(&o, "what", m->what);
    cf_out_z(&o, "bank_code", m->bank);
    cf_out_z(&o, "file", m->file);
    cf_out_uint(&o, "lines", m->lines);
    cf_out_z(&o, "sha256", hex);
    cf_out_end(&o);
    cf_buf_add(b, "\n", 1);
}

static void take_text(struct cf_in *in, const char *name, char *to, size_t max)
{
    struct cf_str s = cf_in_word(in, name, CF_NEEDED, 1, max, max);
    if (s.len && s.len <= max) memcpy(to, s.ptr, s.len);
}

bool bank_manifest_read(struct cf_str json, struct cf_arena *a, struct bank_manifest *out,
                        struct bank_faults *f)
{
    struct cf_json_error wrong;
    struct cf_field_errors errors = {0};
    memset(out, 0, sizeof *out);
    json_t *root = cf_json_parse(json, &wrong);
    if (!root) {
        bank_fault_add(f, 0, "manifest", wrong.rule, "Make the manifest again.");
        return false;
    }
    struct cf_in in = cf_in_of(root, a, &errors);
    take_text(&in, "what", out->what, sizeof out->what - 1);
    take_text(&in, "bank_code", out->bank, BANK_CODE_MAX);
    take_text(&in, "file", out->file, BANK_NAME_MAX);
    out->lines = (unsigned)cf_in_int(&in, "lines", CF_NEEDED, 0, 10000000, 0);
    struct cf_str hash = cf_in_text(&in, "sha256", CF_NEEDED, 64, 64);
    if (hash.len && !cf_unhex(hash, out->sha256, sizeof out->sha256))
        cf_in_wrong(&in, "sha256", "64 hexadecimal digits", "Give the SHA-256 of the file.");
    for (size_t i = 0; i < errors.n && i < CF_FIELD_ERRORS; i++)
        bank_fault_add(f, 0, errors.list[i].field, errors.list[i].rule, errors.list[i].cure);
    json_decref(root);
    return errors.n == 0;
}
