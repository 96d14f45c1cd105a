/* book_inside -- what the files of book.h share: a part of the archive that is read as XML, and
 * what the small parts (workbook, relations, styles) tell.
 */
#pragma once
#include "common/io/unzip.h"
#include "common/io/xml.h"
#include "services/intake/book.h"
#include "services/intake/book_strings.h"

enum { BOOK_STYLES = 65536, BOOK_PATH = 256, BOOK_BLOCK = 16 << 10 };

/* One part under way. */
struct book_part {
    struct cf_zip_stream zip;
    struct cf_xml *xml;
    bool open, paused, ended;
};

/* What the small parts say. */
struct book_plan {
    char sheet_id[64];
    char sheet[BOOK_PATH], strings[BOOK_PATH], styles[BOOK_PATH];
    bool from_1904;
    uint8_t is_date[BOOK_STYLES / 8]; /* by index of cellXfs */
    /* while reading the styles */
    uint32_t n_styles;
    bool in_cell_styles;
    uint16_t date_formats[256]; /* own numbers of formats that are dates */
    size_t n_date_formats;
};

/* CF_ZIP_OK: begun (or was already); CF_ZIP_END: there is no such part. */
enum cf_zip_result book_part_open(struct book_part *p, struct cf_zip *zip, const char *name,
                                  uint64_t max, const struct cf_xml_handlers *handlers, void *arg);
/* One block further, or up to the next pause; *spent grows by what was inflated. CF_ZIP_OK: look
 * at `paused`; CF_ZIP_END: all is read. */
enum cf_zip_result book_part_step(struct book_part *p, uint64_t *spent);
void book_part_close(struct book_part *p);

/* The small parts, one after the other, into plan. phase: begins at 0. CF_ZIP_END: done. */
enum cf_zip_result book_plan_step(struct book_plan *plan, int *phase, struct book_part *part,
                                  struct cf_zip *zip, uint64_t *spent);

/* The text of a cell of type number; kind becomes CF_CELL_DATE when its style is a date. */
struct cf_str book_number(const struct book_plan *plan, struct cf_str raw, uint32_t style,
                          struct cf_arena *arena, uint8_t *kind);
