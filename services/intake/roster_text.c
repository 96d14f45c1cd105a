#include "services/intake/roster_text.h"

#include <iconv.h>

/* GB 18030 reads every GBK file, and the rare characters that GBK has no place for. */
static bool from_gbk(struct cf_str file, struct cf_arena *arena, struct cf_str *out)
{
    size_t room = file.len * 2 + 4, left = room, in = file.len;
    char *text = cf_arena_try(arena, room);
    if (!text) return false;
    iconv_t cd = iconv_open("UTF-8", "GB18030");
    if (cd == (iconv_t)-1) return false;
    char *from = (char *)(uintptr_t)file.ptr, *to = text;
    size_t e = iconv(cd, &from, &in, &to, &left);
    iconv_close(cd);
    *out = (struct cf_str){text, room - left};
    return e != (size_t)-1 && in == 0;
}

const char *intake_text_read(struct cf_str file, struct cf_arena *arena, struct intake_text *out)
{
    if (file.len == 0) return "the file is empty";
    if (file.len >= 4 && memcmp(file.ptr, "PK\003\004", 4) == 0)
        return "workbooks are not read yet: save the list as CSV";
    if (memchr(file.ptr, 0, file.len)) return "the file is not text: save the list as CSV";
    if (cf_utf8_valid(file)) {
        *out = (struct intake_text){file, "utf-8"};
        return NULL;
    }
    if (!from_gbk(file, arena, &out->utf8) || !cf_utf8_valid(out->utf8))
        return "the file is neither UTF-8 nor GBK";
    out->encoding = "gbk";
    return NULL;
}
