/* zip_write -- archives for tests: members stored or deflated, one after the other. */
#pragma once
#include "common/pure/error.h"
#include "common/pure/str.h"

#include <stdlib.h>
#include <zlib.h>

struct zip_write {
    struct cf_buf out, directory;
    unsigned n;
};

static inline void zip_put(struct cf_buf *b, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char c = (char)(v & 0xff);
        cf_buf_add(b, &c, 1);
        v >>= 8;
    }
}

static inline void zip_begin(struct zip_write *z, size_t max)
{
    *z = (struct zip_write){.n = 0};
    cf_buf_init(&z->out, max);
    cf_buf_init(&z->directory, 1 << 20);
}

/* Version, flags, method, time, CRC, lengths: the same in both headers. */
static inline void zip_facts(struct cf_buf *b, unsigned method, uint32_t crc, size_t packed,
                             size_t plain, size_t name)
{
    zip_put(b, 20, 2);
    zip_put(b, 0, 2);
    zip_put(b, method, 2);
    zip_put(b, 0, 4);
    zip_put(b, crc, 4);
    zip_put(b, (uint32_t)packed, 4);
    zip_put(b, (uint32_t)plain, 4);
    zip_put(b, (uint32_t)name, 2);
    zip_put(b, 0, 2);
}

static inline struct cf_str zip_deflate(struct cf_str plain, char **to_free)
{
    z_stream s = {.next_in = (Bytef *)(uintptr_t)plain.ptr, .avail_in = (uInt)plain.len};
    if (deflateInit2(&s, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
    size_t room = deflateBound(&s, plain.len);
    *to_free = cf_malloc(room);
    s.next_out = (Bytef *)*to_free;
    s.avail_out = (uInt)room;
    if (deflate(&s, Z_FINISH) != Z_STREAM_END) abort();
    size_t n = room - s.avail_out;
    deflateEnd(&s);
    return (struct cf_str){*to_free, n};
}

static inline void zip_add(struct zip_write *z, const char *name, struct cf_str plain, bool deflated)
{
    char *packed_bytes = NULL;
    struct cf_str packed = deflated ? zip_deflate(plain, &packed_bytes) : plain;
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)plain.ptr, (uInt)plain.len);
    uint32_t at = (uint32_t)z->out.len;
    cf_buf_adds(&z->out, CF_STR("PK\003\004"));
    zip_facts(&z->out, deflated ? 8 : 0, crc, packed.len, plain.len, strlen(name));
    cf_buf_adds(&z->out, cf_str_of(name));
    cf_buf_adds(&z->out, packed);
    cf_buf_adds(&z->directory, CF_STR("PK\001\002"));
    zip_put(&z->directory, 20, 2);
    zip_facts(&z->directory, deflated ? 8 : 0, crc, packed.len, plain.len, strlen(name));
    zip_put(&z->directory, 0, 2 + 2 + 2 + 4); /* comment, disk, attributes */
    zip_put(&z->directory, at, 4);
    cf_buf_adds(&z->directory, cf_str_of(name));
    z->n++;
    free(packed_bytes);
}

/* The archive; free it with cf_buf_free(&z->out). */
static inline struct cf_str zip_end(struct zip_write *z)
{
    uint32_t at = (uint32_t)z->out.len;
    cf_buf_adds(&z->out, cf_buf_str(&z->directory));
    cf_buf_adds(&z->out, CF_STR("PK\005\006"));
    zip_put(&z->out, 0, 4);
    zip_put(&z->out, z->n, 2);
    zip_put(&z->out, z->n, 2);
    zip_put(&z->out, (uint32_t)z->directory.len, 4);
    zip_put(&z->out, at, 4);
    zip_put(&z->out, 0, 2);
    cf_buf_free(&z->directory);
    if (z->out.full) abort();
    return cf_buf_str(&z->out);
}

/* ---- a workbook around one sheet ------------------------------------------------------------- */

#define BOOK_WORKBOOK                                                                    \
    "<workbook xmlns:r=\"r\"><workbookPr/><sheets>"                                       \
    "<sheet name=\"hidden\" state=\"hidden\" r:id=\"rId9\"/>"                             \
    "<sheet name=\"list\" r:id=\"rId1\"/><sheet name=\"notes\" r:id=\"rId9\"/></sheets>"  \
    "</workbook>"
#define BOOK_RELATIONS                                                                   \
    "<Relationships>"                                                                    \
    "<Relationship Id=\"rId1\" Type=\"x/worksheet\" Target=\"worksheets/one.xml\"/>"      \
    "<Relationship Id=\"rId2\" Type=\"x/styles\" Target=\"/xl/styles.xml\"/>"             \
    "<Relationship Id=\"rId3\" Type=\"x/sharedStrings\" Target=\"sharedStrings.xml\"/>"   \
    "<Relationship Id=\"rId9\" Type=\"x/worksheet\" Target=\"worksheets/two.xml\"/>"      \
    "</Relationships>"
#define BOOK_STYLES_XML                                                                  \
    "<styleSheet><numFmts><numFmt numFmtId=\"165\" formatCode=\"yyyy/m/d\"/>"             \
    "<numFmt numFmtId=\"166\" formatCode=\"0.0&quot;day&quot;[Red]\"/></numFmts>"         \
    "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs><cellXfs><xf numFmtId=\"0\"/>"     \
    "<xf numFmtId=\"14\"/><xf numFmtId=\"165\"/><xf numFmtId=\"166\"/></cellXfs></styleSheet>"

static inline struct cf_str book_of(struct zip_write *z, struct cf_str workbook, struct cf_str styles,
                                    struct cf_str strings, struct cf_str sheet, bool deflated)
{
    zip_begin(z, 64 << 20);
    zip_add(z, "xl/workbook.xml", workbook, deflated);
    zip_add(z, "xl/_rels/workbook.xml.rels", CF_STR(BOOK_RELATIONS), deflated);
    if (styles.len) zip_add(z, "xl/styles.xml", styles, deflated);
    zip_add(z, "xl/worksheets/one.xml", sheet, deflated);
    if (strings.len) zip_add(z, "xl/sharedStrings.xml", strings, deflated);
    return zip_end(z);
}
