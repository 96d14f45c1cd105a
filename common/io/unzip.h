/* unzip -- members of a ZIP archive that lies in pieces, inflated as they are asked for.
 *
 * Every step may end with CF_ZIP_WAIT: a piece is missing (pieces->want); the same call goes on
 * once it is there.
 *
 * Owns     nothing of the archive; a stream has an inflater of about 40 KB
 * Limits   stored and deflated members; no ZIP64, no encryption, no second disk. A directory of
 *          at most 64 KiB. How far a member may inflate is said by the caller
 * Errors   CF_ZIP_BROKEN: what cannot be read, or whose length or CRC-32 is not as it says
 * Source   APPNOTE.TXT 6.3.10, RFC 1951
 */
#pragma once
#include "common/pure/pieces.h"

#include <zlib.h>

enum cf_zip_result { CF_ZIP_OK, CF_ZIP_WAIT, CF_ZIP_END, CF_ZIP_BROKEN };

struct cf_zip {
    struct cf_pieces *pieces;
    char *directory; /* its bytes, once it was found */
    size_t size, entries;
};

struct cf_zip_member {
    uint64_t at; /* of its local header */
    uint32_t packed, plain, crc;
    uint16_t method;
};

struct cf_zip_stream {
    struct cf_pieces *pieces;
    struct cf_zip_member member;
    uint64_t at; /* of the next packed byte; 0: the local header is not read yet */
    uint64_t left, given, max;
    uint32_t crc;
    bool inflating;
    z_stream z;
};

void cf_zip_free(struct cf_zip *zip);
struct cf_zip cf_zip_of(struct cf_pieces *pieces);
/* CF_ZIP_OK, or CF_ZIP_END when there is no such member. */
enum cf_zip_result cf_zip_find(struct cf_zip *zip, struct cf_str name, struct cf_zip_member *out);

void cf_zip_stream_free(struct cf_zip_stream *s);
/* More than `max` bytes of text are CF_ZIP_BROKEN. */
struct cf_zip_stream cf_zip_stream_of(struct cf_zip *zip, const struct cf_zip_member *member,
                                      uint64_t max);
/* CF_ZIP_OK with 1 to `room` bytes; CF_ZIP_END after the last. */
enum cf_zip_result cf_zip_read(struct cf_zip_stream *s, void *out, size_t room, size_t *n);
