/* paper -- the text of a paper for people (receipt, notice, voucher), and its drawing as PDF.
 *
 * A paper is written line by line into a buffer; cf_printer_print() has it drawn. Drawing is done
 * by a program of its own, cardflow-paper beside the service's: it is started at the first paper
 * and stopped when nothing was asked for a minute, so an idle service carries neither fonts
 * nor the libraries for them, and the event loop never waits (docs/decisions/0011).
 *
 * Shapes   lines of one letter and a text, see enum cf_paper_line; control characters become blanks
 * Owns     text and PDF belong to the caller and to the callback's turn
 * Errors   CF_E_NET: the program cannot be started, died, or gave nothing within 10 s;
 *          CF_E_DATA: it cannot draw this
 * Threads  the loop's thread only
 */
#pragma once
#include "common/io/http_server.h"
#include "common/io/loop.h"
#include "common/pure/error.h"
#include "common/pure/kinds.h"

enum cf_paper_line {
    CF_PAPER_LANG = 'L', /* zh or en; once, first */
    CF_PAPER_TITLE = 'T',
    CF_PAPER_NUMBER = 'N',
    CF_PAPER_QR = 'Q', /* kind and number of the paper, and nothing about anybody */
    CF_PAPER_HEAD = 'H',
    CF_PAPER_FIELD = 'F', /* label, tab, text */
    CF_PAPER_TEXT = 'P'
};

#define CF_PAPER_MAX (64 << 10)
#define CF_PDF "application/pdf"

/* A text in both languages. */
struct cf_both {
    const char *zh, *en;
};

struct cf_paper {
    struct cf_buf text; /* at most CF_PAPER_MAX */
    enum cf_lang lang;
};

/* `kind` is "receipt", "notice" or "voucher": what the QR says before the number. */
void cf_paper_begin(struct cf_paper *p, enum cf_lang lang, const char *kind, struct cf_both title,
                    struct cf_str number);
void cf_paper_free(struct cf_paper *p);
const char *cf_paper_word(const struct cf_paper *p, struct cf_both both);
void cf_paper_head(struct cf_paper *p, struct cf_both head);
/* Without a value, nothing. */
void cf_paper_field(struct cf_paper *p, struct cf_both label, struct cf_str value);
void cf_paper_field_both(struct cf_paper *p, struct cf_both label, struct cf_both value);
/* A day; 0 is none. */
void cf_paper_day(struct cf_paper *p, struct cf_both label, cf_day day);
/* To the minute, in the city's time. */
void cf_paper_time(struct cf_paper *p, struct cf_both label, cf_ms at);
void cf_paper_text(struct cf_paper *p, struct cf_both text);
/* Text, materials, procedure and cure of a reason; respond_by 0: no last day. */
void cf_paper_reason(struct cf_paper *p, size_t no, struct cf_str code, cf_day respond_by);

/* ---- asking for it by HTTP -------------------------------------------------------------------- */

/* Where the entry of `word` begins in an Accept header; its length when it is not there or has a
 * quality of zero. */
size_t cf_accept_place(struct cf_str header, const char *word);
/* Does the client prefer a PDF: is application/pdf named in Accept, and not refused? */
bool cf_wants_pdf(const struct cf_request *req);
/* Of Accept-Language: English where it comes before Chinese, else Chinese. */
enum cf_lang cf_wants_lang(const struct cf_request *req);

struct cf_printer;

void cf_printer_free(struct cf_printer *p);
/* `program` is the path of cardflow-paper; NULL: beside the program that runs. */
struct cf_printer *cf_printer_new(struct cf_loop *loop, const char *program)
    CF_FREED_BY(cf_printer_free);
typedef void cf_printed(void *arg, int e, struct cf_str pdf);
/* Not 0: refused (64 wait already, or it cannot be started), and done is not called. */
int cf_printer_print(struct cf_printer *p, const struct cf_paper *paper, cf_printed *done,
                     void *arg) CF_MUST;
/* Answers the request with the paper as PDF, or 503; frees the paper. */
void cf_answer_paper(struct cf_request *req, struct cf_printer *p, struct cf_paper *paper);
