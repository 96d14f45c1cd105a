/* roster_text -- a roster file in memory as UTF-8, whatever it was saved in.
 *
 * Owns     text lives in the arena, or is the input itself
 * Errors   a rule (literal) that is broken, or NULL
 * Limits   UTF-8 with or without byte order mark, and GB 18030 (GBK). A workbook is told by its
 *          first bytes
 */
#pragma once
#include "common/pure/arena.h"

struct intake_text {
    struct cf_str utf8;
    const char *encoding; /* "utf-8" or "gbk" */
};

const char *intake_text_read(struct cf_str file, struct cf_arena *arena, struct intake_text *out);
