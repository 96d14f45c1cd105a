#include "common/io/unzip.h"

#include <stdlib.h>

#define DIRECTORY_MAX 65536
#define END_SIZE 22
#define COMMENT_MAX 65535
#define ENTRY_SIZE 46
#define LOCAL_SIZE 30
#define FLAG_ENCRYPTED 1u

static uint32_t get16(const char *p)
{
    return (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8;
}

static uint32_t get32(const char *p)
{
    return get16(p) | get16(p + 2) << 16;
}

void cf_zip_free(struct cf_zip *zip)
{
    free(zip->directory);
    zip->directory = NULL;
}

struct cf_zip cf_zip_of(struct cf_pieces *pieces)
{
    return (struct cf_zip){.pieces = pieces};
}

/* ---- the directory --------------------------------------------------------------------------- */

/* The record at the end; it stands as far back as its comment is long. */
static const char *find_end(const char *tail, size_t n)
{
    for (size_t back = END_SIZE; back <= n; back++) {
        const char *p = tail + n - back;
        if (memcmp(p, "PK\005\006", 4) == 0 && get16(p + 20) == back - END_SIZE) return p;
    }
    return NULL;
}

static enum cf_zip_result take_directory(struct cf_zip *zip, const char *end)
{
    uint64_t size = get32(end + 12), at = get32(end + 16);
    bool one_disk = get16(end + 4) == 0 && get16(end + 6) == 0 && get16(end + 8) == get16(end + 10);
    if (!one_disk || size > DIRECTORY_MAX || at + size > zip->pieces->size) return CF_ZIP_BROKEN;
    char *bytes = cf_malloc((size_t)size + 1);
    if (!cf_pieces_copy(zip->pieces, at, bytes, (size_t)size)) {
        free(bytes);
        return CF_ZIP_WAIT;
    }
    zip->directory = bytes;
    zip->size = (size_t)size;
    zip->entries = get16(end + 10);
    return CF_ZIP_OK;
}

static enum cf_zip_result load(struct cf_zip *zip)
{
    uint64_t size = zip->pieces->size;
    enum cf_zip_result got = CF_ZIP_BROKEN;
    if (zip->directory) return CF_ZIP_OK;
    /* Most archives have no comment: then the end is in the last piece alone. */
    for (int all = 0; all < 2 && got == CF_ZIP_BROKEN; all++) {
        size_t n = all ? END_SIZE + COMMENT_MAX : END_SIZE;
        if (n > size) n = (size_t)size;
        char *tail = cf_malloc(n + 1);
        if (cf_pieces_copy(zip->pieces, size - n, tail, n)) {
            const char *end = find_end(tail, n);
            if (end) got = take_directory(zip, end);
            if (end && got == CF_ZIP_BROKEN) all = 2;
        } else {
            got = CF_ZIP_WAIT;
        }
        free(tail);
    }
    return got;
}

enum cf_zip_result cf_zip_find(struct cf_zip *zip, struct cf_str name, struct cf_zip_member *out)
{
    enum cf_zip_result e = load(zip);
    if (e != CF_ZIP_OK) return e;
    size_t at = 0;
    for (size_t i = 0; i < zip->entries; i++) {
        const char *p = zip->directory + at;
        if (zip->size - at < ENTRY_SIZE || memcmp(p, "PK\001\002", 4) != 0) return CF_ZIP_BROKEN;
        size_t name_len = get16(p + 28);
        size_t whole = ENTRY_SIZE + name_len + get16(p + 30) + get16(p + 32);
        if (whole > zip->size - at) return CF_ZIP_BROKEN;
        at += whole;
        if (!cf_str_eq((struct cf_str){p + ENTRY_SIZE, name_len}, name)) continue;
        *out = (struct cf_zip_member){.at = get32(p + 42),
                                      .packed = get32(p + 20),
                                      .plain = get32(p + 24),
                                      .crc = get32(p + 16),
                                      .method = (uint16_t)get16(p + 10)};
        bool good = !(get16(p + 8) & FLAG_ENCRYPTED) && (out->method == 0 || out->method == 8) &&
                    out->packed != UINT32_MAX && out->plain != UINT32_MAX &&
                    out->at + LOCAL_SIZE <= zip->pieces->size;
        return good ? CF_ZIP_OK : CF_ZIP_BROKEN;
    }
    return CF_ZIP_END;
}

/* ---- a member -------------------------------------------------------------------------------- */

void cf_zip_stream_free(struct cf_zip_stream *s)
{
    if (s->inflating) inflateEnd(&s->z);
    s->inflating = false;
}

struct cf_zip_stream cf_zip_stream_of(struct cf_zip *zip, const struct cf_zip_member *member,
                                      uint64_t max)
{
    return (struct cf_zip_stream){
        .pieces = zip->pieces, .member = *member, .left = member->packed, .max = max};
}

/* Names and extras of the local header may be longer than those of the directory. */
static enum cf_zip_result begin(struct cf_zip_stream *s)
{
    char head[LOCAL_SIZE];
    if (!cf_pieces_copy(s->pieces, s->member.at, head, sizeof head)) return CF_ZIP_WAIT;
    uint64_t at = s->member.at + LOCAL_SIZE + get16(head + 26) + get16(head + 28);
    if (memcmp(head, "PK\003\004", 4) != 0 || at + s->left > s->pieces->size) return CF_ZIP_BROKEN;
    if (s->member.method && inflateInit2(&s->z, -MAX_WBITS) != Z_OK) return CF_ZIP_BROKEN;
    s->inflating = s->member.method != 0;
    s->crc = (uint32_t)crc32(0, NULL, 0);
    s->at = at;
    return CF_ZIP_OK;
}

static enum cf_zip_result finish(const struct cf_zip_stream *s)
{
    bool good = s->given == s->member.plain && s->crc == s->member.crc && s->left == 0;
    return good ? CF_ZIP_END : CF_ZIP_BROKEN;
}

/* Takes from what is at hand; *n bytes come out, which may be none. */
static enum cf_zip_result step(struct cf_zip_stream *s, void *out, size_t room, size_t *n)
{
    struct cf_str in = {NULL, 0};
    int e = Z_OK;
    if (s->left && !cf_pieces_at(s->pieces, s->at, &in)) return CF_ZIP_WAIT;
    if (in.len > s->left) in.len = (size_t)s->left;
    size_t taken = in.len < room ? in.len : room;
    if (s->inflating) {
        s->z.next_in = (Bytef *)(uintptr_t)in.ptr;
        s->z.avail_in = (uInt)in.len;
        s->z.next_out = out;
        s->z.avail_out = (uInt)room;
        e = inflate(&s->z, Z_NO_FLUSH);
        taken = in.len - s->z.avail_in;
        *n = room - s->z.avail_out;
    } else {
        if (taken) memcpy(out, in.ptr, taken);
        *n = taken;
        if (s->left == taken) e = Z_STREAM_END;
    }
    s->at += taken;
    s->left -= taken;
    s->given += *n;
    s->crc = (uint32_t)crc32(s->crc, out, (uInt)*n);
    if (s->given > s->max || s->given > s->member.plain) return CF_ZIP_BROKEN;
    if (e == Z_STREAM_END) return CF_ZIP_END;
    /* No progress is possible any more: the data end too early, or are none. */
    return e == Z_OK && (taken || *n) ? CF_ZIP_OK : CF_ZIP_BROKEN;
}

enum cf_zip_result cf_zip_read(struct cf_zip_stream *s, void *out, size_t room, size_t *n)
{
    enum cf_zip_result e = s->at ? CF_ZIP_OK : begin(s);
    *n = 0;
    while (e == CF_ZIP_OK && *n == 0)
        e = s->max ? step(s, out, room, n) : finish(s);
    if (e != CF_ZIP_END || s->max == 0) return e;
    s->max = 0; /* the end is told by the next call, if there are bytes to give first */
    return *n ? CF_ZIP_OK : finish(s);
}
