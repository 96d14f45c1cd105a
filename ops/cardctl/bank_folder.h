/* bank_folder -- the folder through which a bank and cardflow exchange files.
 *
 * `.given-<bank>.csv` lists what was put there (name, SHA-256, lines), `.taken-<bank>.csv` what was
 * read; `.place-<bank>.json` says how far bank.orders was exported. One command at a time works on
 * a bank's folder.
 *
 * Errors   functions return false after a message on standard error
 * Limits   files are for the bank and us only (mode 0600)
 */
#pragma once
#include "ops/cardctl/bank_file.h"

struct bank_folder {
    const char *path;
    struct cf_str bank;
    int dir, lock;
};

/* Takes the folder, which must be there, for itself. */
bool bank_folder_open(struct bank_folder *f, const char *path, struct cf_str bank);
void bank_folder_close(struct bank_folder *f);

/* A file of the folder, or by a path of its own; false, without a message, when it is not there. */
bool bank_folder_read(const struct bank_folder *f, const char *name, struct cf_buf *to);
/* Whole or not at all, and on the disk when it returns. */
bool bank_folder_write(const struct bank_folder *f, const char *name, struct cf_str bytes);

/* Was this content, or this name, entered in the list ("given" or "taken")? */
enum bank_known { BANK_NEW, BANK_SAME_CONTENT, BANK_SAME_NAME };
enum bank_known bank_folder_known(const struct bank_folder *f, const char *list, const char *name,
                                  const uint8_t sha256[32]);
bool bank_folder_enter(const struct bank_folder *f, const char *list, const struct bank_manifest *m);

/* Puts a file and its manifest there, once: a name in the list of the given is finished where a run
 * broke off, and never made again, though the bank may have taken it away. */
bool bank_folder_give(const struct bank_folder *f, struct bank_manifest *m, struct cf_str csv);
