#include "common/paper/draw.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <qrencode.h>
#include <stdio.h>

/* Points; A4. */
#define PAGE_WIDTH 595.0
#define PAGE_HEIGHT 842.0
#define MARGIN 56.0
#define LABEL_WIDTH 130.0
#define QR_SIZE 96.0
#define FONT "WenQuanYi Micro Hei, Noto Sans CJK SC"

struct page {
    cairo_surface_t *surface;
    cairo_t *cr;
    double y, first_y; /* where the next line begins; below the QR */
    int no;
    char number[64], lang[3];
};

static cairo_status_t collect(void *arg, const unsigned char *bytes, unsigned n)
{
    return cf_buf_add(arg, bytes, n) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static PangoLayout *layout_of(struct page *p, struct cf_str text, double size, bool bold,
                              double width)
{
    PangoLayout *layout = pango_cairo_create_layout(p->cr);
    PangoFontDescription *font = pango_font_description_from_string(FONT);
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    if (bold) pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
    pango_context_set_language(pango_layout_get_context(layout),
                               pango_language_from_string(p->lang));
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_text(layout, text.ptr, (int)text.len);
    return layout;
}

static double height_of(PangoLayout *layout)
{
    int height;
    pango_layout_get_size(layout, NULL, &height);
    return (double)height / PANGO_SCALE;
}

static void put(struct page *p, PangoLayout *layout, double x, double y)
{
    cairo_move_to(p->cr, x, y);
    pango_cairo_show_layout(p->cr, layout);
}

/* Number and page at the foot, so that pages that come apart are found together. */
static void end_page(struct page *p)
{
    char foot[100];
    int n = snprintf(foot, sizeof foot, "%s  ·  %d", p->number, p->no);
    PangoLayout *layout =
        layout_of(p, (struct cf_str){foot, (size_t)n}, 8, false, PAGE_WIDTH - 2 * MARGIN);
    put(p, layout, MARGIN, PAGE_HEIGHT - MARGIN + 14);
    g_object_unref(layout);
    cairo_show_page(p->cr);
}

static void need(struct page *p, double height)
{
    if (p->y + height <= PAGE_HEIGHT - MARGIN) return;
    end_page(p);
    p->no++;
    p->y = MARGIN;
}

/* `after`: room that must be left below, so that a heading does not stand alone. */
static void text_line(struct page *p, struct cf_str text, double size, bool bold, double before,
                      double after)
{
    /* Beside the QR code lines are shorter. */
    double width = PAGE_WIDTH - 2 * MARGIN - (p->y < p->first_y && p->no == 1 ? QR_SIZE + 12 : 0);
    PangoLayout *layout = layout_of(p, text, size, bold, width);
    need(p, before + height_of(layout) + after);
    p->y += before;
    put(p, layout, MARGIN, p->y);
    p->y += height_of(layout) + 3;
    g_object_unref(layout);
}

static void below_qr(struct page *p)
{
    if (p->no == 1 && p->y < p->first_y) p->y = p->first_y;
}

static bool field_line(struct page *p, struct cf_str text)
{
    const char *tab = memchr(text.ptr, '\t', text.len);
    if (!tab) return false;
    size_t n = (size_t)(tab - text.ptr);
    struct cf_str label = {text.ptr, n}, value = {tab + 1, text.len - n - 1};
    PangoLayout *left = layout_of(p, label, 10, false, LABEL_WIDTH - 8);
    PangoLayout *right =
        layout_of(p, value, 10, false, PAGE_WIDTH - 2 * MARGIN - LABEL_WIDTH);
    double height = height_of(left) > height_of(right) ? height_of(left) : height_of(right);
    need(p, height);
    cairo_set_source_rgb(p->cr, 0.35, 0.35, 0.35);
    put(p, left, MARGIN, p->y);
    cairo_set_source_rgb(p->cr, 0, 0, 0);
    put(p, right, MARGIN + LABEL_WIDTH, p->y);
    p->y += height + 3;
    g_object_unref(left);
    g_object_unref(right);
    return true;
}

/* One rectangle for each run of dark modules: hair lines between squares would be seen in print. */
static void qr_rows(cairo_t *cr, const QRcode *code, double x, double y, double module)
{
    for (int row = 0; row < code->width; row++)
        for (int at = 0, end; at < code->width; at = end) {
            const unsigned char *m = code->data + row * code->width;
            for (end = at + 1; end < code->width && (m[end] & 1) == (m[at] & 1); end++)
                ;
            if (m[at] & 1)
                cairo_rectangle(cr, x + at * module, y + row * module, (end - at) * module, module);
        }
    cairo_fill(cr);
}

static bool qr(struct page *p, struct cf_str text)
{
    char z[100];
    if (text.len == 0 || text.len >= sizeof z) return false;
    memcpy(z, text.ptr, text.len);
    z[text.len] = 0;
    QRcode *code = QRcode_encodeString(z, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    if (!code) return false;
    qr_rows(p->cr, code, PAGE_WIDTH - MARGIN - QR_SIZE, MARGIN, QR_SIZE / code->width);
    QRcode_free(code);
    p->first_y = MARGIN + QR_SIZE + 12;
    return true;
}

static bool number_line(struct page *p, struct cf_str text)
{
    if (text.len >= sizeof p->number) return false;
    memcpy(p->number, text.ptr, text.len);
    p->number[text.len] = 0;
    text_line(p, text, 12, false, 4, 0);
    return true;
}

static bool lang_line(struct page *p, struct cf_str text)
{
    if (text.len != 2) return false;
    memcpy(p->lang, text.ptr, 2);
    return true;
}

static bool draw_line(struct page *p, char what, struct cf_str text)
{
    if (strchr("HFP", what)) below_qr(p);
    switch (what) {
    case 'L': return lang_line(p, text);
    case 'N': return number_line(p, text);
    case 'Q': return qr(p, text);
    case 'F': return field_line(p, text);
    case 'T': text_line(p, text, 18, true, 0, 0); return true;
    case 'H': text_line(p, text, 11, true, 9, 40); return true;
    case 'P': text_line(p, text, 10, false, 2, 0); return true;
    default: return false; /* not an enum: a letter from outside */
    }
}

static bool draw_lines(struct page *p, struct cf_str text)
{
    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        if (!end || end == text.ptr) return false;
        size_t n = (size_t)(end - text.ptr);
        if (!draw_line(p, *text.ptr, (struct cf_str){text.ptr + 1, n - 1})) return false;
        text.ptr += n + 1;
        text.len -= n + 1;
    }
    return true;
}

bool paper_draw(struct cf_str text, struct cf_buf *pdf)
{
    struct page p = {.y = MARGIN, .no = 1, .lang = "zh"};
    if (!text.len || !cf_utf8_valid(text)) return false;
    p.surface = cairo_pdf_surface_create_for_stream(collect, pdf, PAGE_WIDTH, PAGE_HEIGHT);
    p.cr = cairo_create(p.surface);
    bool ok = draw_lines(&p, text);
    if (ok) end_page(&p);
    cairo_pdf_surface_set_metadata(p.surface, CAIRO_PDF_METADATA_TITLE, p.number);
    cairo_destroy(p.cr);
    cairo_surface_finish(p.surface);
    ok = ok && cairo_surface_status(p.surface) == CAIRO_STATUS_SUCCESS && !pdf->full;
    cairo_surface_destroy(p.surface);
    return ok;
}
