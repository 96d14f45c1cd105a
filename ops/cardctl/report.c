/* How records are listed and counted: plain lines, or one JSON object. */
#include "ops/cardctl/operate.h"

#include <stdlib.h>
#include <string.h>

void report_begin(struct report *r, const struct filter *f)
{
    *r = (struct report){.filter = f};
    cf_buf_init(&r->text, 512u << 20);
    r->out = cf_out_to(&r->text);
    if (!f->json) return;
    cf_out_object(&r->out, NULL);
    cf_out_array(&r->out, "records");
}

static void count_line(struct report *r, const struct line *l)
{
    size_t i = 0;
    while (i < r->n_counts && (strcmp(r->counts[i].topic, l->topic) != 0 ||
                               strcmp(r->counts[i].reason, l->reason) != 0))
        i++;
    if (i == r->n_counts) {
        if (r->n_counts == r->cap) {
            r->cap = r->cap ? 2 * r->cap : 16;
            r->counts = cf_realloc(r->counts, r->cap * sizeof *r->counts);
        }
        struct count *c = &r->counts[r->n_counts++];
        c->n = 0;
        snprintf(c->topic, sizeof c->topic, "%s", l->topic);
        snprintf(c->reason, sizeof c->reason, "%s", l->reason);
    }
    r->counts[i].n++;
}

/* What outsiders wrote, without what a terminal would obey. */
static void add_clean(struct cf_buf *b, struct cf_str v)
{
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.ptr[i];
        char plain = v.ptr[i];
        cf_buf_add(b, c < 32 || c == 127 ? "?" : &plain, 1);
    }
}

void report_line(struct report *r, const struct line *l)
{
    char at[30];
    count_line(r, l);
    cf_rfc3339_text(l->at, at);
    if (!r->filter->json) {
        cf_buf_printf(&r->text, "%s/%d/%lld", l->topic, l->part, (long long)l->offset);
        if (l->index >= 0) cf_buf_printf(&r->text, "#%d", l->index);
        cf_buf_printf(&r->text, "\t%s\t", at);
        add_clean(&r->text, cf_str_of(l->type));
        cf_buf_printf(&r->text, "\t%s\t%lld bytes\tkey %s%s%s\n", l->reason, (long long)l->bytes,
                      l->key, l->note ? "\t" : "", l->note ? l->note : "");
        return;
    }
    cf_out_object(&r->out, NULL);
    cf_out_z(&r->out, "topic", l->topic);
    cf_out_int(&r->out, "part", l->part);
    cf_out_int(&r->out, "offset", l->offset);
    cf_out_int(&r->out, "index", l->index);
    cf_out_z(&r->out, "at", at);
    cf_out_z(&r->out, "type", l->type);
    cf_out_z(&r->out, "reason", l->reason);
    cf_out_int(&r->out, "bytes", l->bytes);
    cf_out_z(&r->out, "key", l->key);
    if (l->note) cf_out_z(&r->out, "note", l->note);
    if (r->filter->verb == VERB_SHOW) cf_out_array(&r->out, "headers");
}

void report_header(struct report *r, const char *name, struct cf_str value)
{
    /* cf_reason and cf_from stand in the line. */
    if (strcmp(name, "cf_reason") == 0 || strcmp(name, "cf_from") == 0) return;
    if (!r->filter->json) {
        cf_buf_printf(&r->text, "    %s: ", name);
        add_clean(&r->text, value);
        cf_buf_add(&r->text, "\n", 1);
        return;
    }
    struct cf_buf both;
    cf_buf_init(&both, 8192);
    cf_buf_printf(&both, "%s: %.*s", name, CF_ARG(value));
    cf_out_text(&r->out, NULL, cf_buf_str(&both));
    cf_buf_free(&both);
}

void report_line_end(struct report *r)
{
    if (!r->filter->json) return;
    if (r->filter->verb == VERB_SHOW) cf_out_end(&r->out);
    cf_out_end(&r->out);
}

static void end_json(struct report *r, const struct fact *facts)
{
    cf_out_end(&r->out);
    cf_out_array(&r->out, "counts");
    for (size_t i = 0; i < r->n_counts; i++) {
        cf_out_object(&r->out, NULL);
        cf_out_z(&r->out, "topic", r->counts[i].topic);
        cf_out_z(&r->out, "reason", r->counts[i].reason);
        cf_out_uint(&r->out, "records", r->counts[i].n);
        cf_out_end(&r->out);
    }
    cf_out_end(&r->out);
    for (; facts && facts->name; facts++)
        cf_out_int(&r->out, facts->name, facts->n);
    cf_out_bool(&r->out, "dry_run", r->filter->dry_run);
    cf_out_end(&r->out);
    cf_buf_add(&r->text, "\n", 1);
}

int report_end(struct report *r, const struct fact *facts)
{
    if (r->filter->json) {
        end_json(r, facts);
    } else {
        for (size_t i = 0; i < r->n_counts; i++)
            cf_buf_printf(&r->text, "%zu of %s: %s\n", r->counts[i].n, r->counts[i].topic,
                          r->counts[i].reason);
        for (; facts && facts->name; facts++)
            cf_buf_printf(&r->text, "%s: %ld\n", facts->name, facts->n);
        if (r->filter->dry_run) cf_buf_printf(&r->text, "dry run: nothing was changed\n");
    }
    bool good = fwrite(r->text.ptr, 1, r->text.len, stdout) == r->text.len && fflush(stdout) == 0;
    cf_buf_free(&r->text);
    free(r->counts);
    return good ? 0 : cardctl_fail("standard output", "cannot be written");
}
