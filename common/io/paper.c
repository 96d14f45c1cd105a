/* The text of a paper. */
#include "common/io/paper.h"

#include "common/pure/reasons.h"

#include <strings.h>

static void line(struct cf_paper *p, enum cf_paper_line what, struct cf_str a, struct cf_str b)
{
    char letter = (char)what;
    cf_buf_add(&p->text, &letter, 1);
    size_t from = p->text.len;
    cf_buf_adds(&p->text, a);
    for (size_t i = from; i < p->text.len; i++)
        if ((unsigned char)p->text.ptr[i] < 0x20) p->text.ptr[i] = ' ';
    if (what == CF_PAPER_FIELD) cf_buf_add(&p->text, "\t", 1);
    from = p->text.len;
    cf_buf_adds(&p->text, b);
    for (size_t i = from; i < p->text.len; i++)
        if ((unsigned char)p->text.ptr[i] < 0x20) p->text.ptr[i] = ' ';
    cf_buf_add(&p->text, "\n", 1);
}

static void line_z(struct cf_paper *p, enum cf_paper_line what, const char *text)
{
    line(p, what, cf_str_of(text), (struct cf_str){0});
}

const char *cf_paper_word(const struct cf_paper *p, struct cf_both both)
{
    return p->lang == CF_LANG_EN ? both.en : both.zh;
}

void cf_paper_begin(struct cf_paper *p, enum cf_lang lang, const char *kind, struct cf_both title,
                    struct cf_str number)
{
    char qr[80];
    int n = snprintf(qr, sizeof qr, "%s:%.*s", kind, number.len < 60 ? (int)number.len : 60,
                     number.ptr ? number.ptr : "");
    *p = (struct cf_paper){.lang = lang};
    cf_buf_init(&p->text, CF_PAPER_MAX);
    line_z(p, CF_PAPER_LANG, lang == CF_LANG_EN ? "en" : "zh");
    line_z(p, CF_PAPER_TITLE, cf_paper_word(p, title));
    line(p, CF_PAPER_NUMBER, number, (struct cf_str){0});
    line(p, CF_PAPER_QR, (struct cf_str){qr, (size_t)n}, (struct cf_str){0});
}

void cf_paper_free(struct cf_paper *p)
{
    cf_buf_free(&p->text);
}

void cf_paper_head(struct cf_paper *p, struct cf_both head)
{
    line_z(p, CF_PAPER_HEAD, cf_paper_word(p, head));
}

void cf_paper_field(struct cf_paper *p, struct cf_both label, struct cf_str value)
{
    if (value.len) line(p, CF_PAPER_FIELD, cf_str_of(cf_paper_word(p, label)), value);
}

void cf_paper_field_both(struct cf_paper *p, struct cf_both label, struct cf_both value)
{
    cf_paper_field(p, label, cf_str_of(cf_paper_word(p, value)));
}

void cf_paper_day(struct cf_paper *p, struct cf_both label, cf_day day)
{
    char zh[24], en[11];
    if (day <= 0) return;
    cf_paper_field_both(p, label, (struct cf_both){cf_day_text_zh(day, zh), cf_day_text(day, en)});
}

void cf_paper_time(struct cf_paper *p, struct cf_both label, cf_ms at)
{
    char text[30];
    if (at <= 0) return;
    cf_rfc3339_text(at, text);
    text[10] = ' ';
    cf_paper_field(p, label, (struct cf_str){text, 16});
}

void cf_paper_text(struct cf_paper *p, struct cf_both text)
{
    line_z(p, CF_PAPER_TEXT, cf_paper_word(p, text));
}

void cf_paper_reason(struct cf_paper *p, size_t no, struct cf_str code, cf_day respond_by)
{
    char head[200];
    enum cf_reason reason = cf_reason_parse(code);
    if (reason == CF_REASON_NONE) {
        line(p, CF_PAPER_HEAD, code, (struct cf_str){0});
        return;
    }
    const struct cf_reason_info *info = cf_reason_info(reason);
    const struct cf_reason_help *help = cf_reason_help(reason);
    struct cf_both text = {info->text_zh, info->text_en};
    snprintf(head, sizeof head, "%zu. %s", no, cf_paper_word(p, text));
    line_z(p, CF_PAPER_HEAD, head);
    cf_paper_field(p, (struct cf_both){"代码", "Code"}, code);
    cf_paper_field_both(p, (struct cf_both){"办法", "What to do"},
                        (struct cf_both){info->cure_zh, info->cure_en});
    cf_paper_field_both(p, (struct cf_both){"所需材料", "Materials"},
                        (struct cf_both){help->materials_zh, help->materials_en});
    cf_paper_field_both(p, (struct cf_both){"办理程序", "Procedure"},
                        (struct cf_both){help->procedure_zh, help->procedure_en});
    struct cf_both until = {"补正期限", "Time limit"};
    if (info->respond_days > 0)
        cf_paper_day(p, until, respond_by);
    else
        cf_paper_field_both(p, until, (struct cf_both){"无期限，可随时重新办理",
                                                       "None: it may be asked for again any time"});
}

/* ---- what a client wants ---------------------------------------------------------------------- */

/* The first place of `word` in a header, in any case of letters; len when it is not there. */
static size_t place_of(struct cf_str header, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= header.len; i++)
        if (strncasecmp(header.ptr + i, word, n) == 0 &&
            (i == 0 || strchr(", \t", header.ptr[i - 1])))
            return i;
    return header.len;
}

/* Is it a quality of zero: "q=0", "q=0.0"? */
static bool is_zero(struct cf_str quality)
{
    if (quality.len < 3 || strncasecmp(quality.ptr, "q=0", 3) != 0) return false;
    for (size_t i = 3; i < quality.len; i++)
        if (quality.ptr[i] >= '1' && quality.ptr[i] <= '9') return false;
    return true;
}

/* Is the quality of the entry that begins at `at` zero? */
static bool is_refused(struct cf_str header, size_t at)
{
    struct cf_str rest = {header.ptr + at, header.len - at};
    const char *comma = memchr(rest.ptr, ',', rest.len);
    if (comma) rest.len = (size_t)(comma - rest.ptr);
    for (size_t i = 1; i < rest.len; i++)
        if (strchr("; \t", rest.ptr[i - 1]) &&
            is_zero((struct cf_str){rest.ptr + i, rest.len - i}))
            return true;
    return false;
}

size_t cf_accept_place(struct cf_str header, const char *word)
{
    size_t at = place_of(header, word);
    return at < header.len && !is_refused(header, at) ? at : header.len;
}

bool cf_wants_pdf(const struct cf_request *req)
{
    struct cf_str accept = cf_request_header(req, "Accept");
    return cf_accept_place(accept, CF_PDF) < accept.len;
}

enum cf_lang cf_wants_lang(const struct cf_request *req)
{
    struct cf_str accept = cf_request_header(req, "Accept-Language");
    size_t en = cf_accept_place(accept, "en"), zh = cf_accept_place(accept, "zh");
    return en < zh ? CF_LANG_EN : CF_LANG_ZH;
}
