/* draw -- a paper of common/io/paper.h on pages of A4, as PDF, with its QR code.
 *
 * Shapes   text of lines as written by cf_paper_begin() and the others
 * Owns     the PDF is appended to `pdf`
 * Errors   false: a line of no kind, text that is not UTF-8, a QR too long, or `pdf` full
 */
#pragma once
#include "common/pure/str.h"

bool paper_draw(struct cf_str text, struct cf_buf *pdf);
