#include "ops/cardctl/bank_folder.h"

#include "common/io/ids.h"
#include "ops/cardctl/cardctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { PATH_BYTES = 256 };

static bool failed(const char *name)
{
    return cardctl_fail(name, strerror(errno)) == 0;
}

bool bank_folder_open(struct bank_folder *f, const char *path, struct cf_str bank)
{
    char name[PATH_BYTES];
    *f = (struct bank_folder){.path = path, .bank = bank, .dir = -1, .lock = -1};
    f->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir < 0) return failed(path);
    snprintf(name, sizeof name, ".lock-%.*s", CF_ARG(bank));
    f->lock = openat(f->dir, name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (f->lock < 0) return failed(name);
    if (flock(f->lock, LOCK_EX | LOCK_NB) == 0) return true;
    return cardctl_fail(path, "somebody else is at it") == 0;
}

void bank_folder_close(struct bank_folder *f)
{
    if (f->lock >= 0) close(f->lock);
    if (f->dir >= 0) close(f->dir);
}

bool bank_folder_read(const struct bank_folder *f, const char *name, struct cf_buf *to)
{
    ssize_t n = 1;
    int fd = openat(f->dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    while (n > 0) {
        char *room = cf_buf_room(to, 64 << 10);
        n = room ? read(fd, room, 64 << 10) : -1;
        if (n > 0) to->len += (size_t)n;
    }
    close(fd);
    if (n == 0) return true;
    return cardctl_fail(name, to->full ? "is larger than 64 MiB" : strerror(errno)) == 0;
}

static bool put_all(int fd, struct cf_str bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.ptr += n;
        bytes.len -= (size_t)n;
    }
    return fsync(fd) == 0;
}

static bool write_as(const struct bank_folder *f, const char *name, int flags, struct cf_str bytes)
{
    int fd = openat(f->dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    if (fd < 0) return failed(name);
    bool good = put_all(fd, bytes) || failed(name);
    return close(fd) == 0 && good;
}

static void part_of(const char *name, char part[PATH_BYTES])
{
    snprintf(part, PATH_BYTES, ".%.*s.part", PATH_BYTES - 8, name);
}

/* Nothing to do when it was done before. */
static bool show(const struct bank_folder *f, const char *name)
{
    char part[PATH_BYTES];
    part_of(name, part);
    if (renameat(f->dir, part, f->dir, name) == 0) return fsync(f->dir) == 0 || failed(name);
    return errno == ENOENT || failed(name);
}

bool bank_folder_write(const struct bank_folder *f, const char *name, struct cf_str bytes)
{
    char part[PATH_BYTES];
    part_of(name, part);
    return write_as(f, part, O_TRUNC, bytes) && show(f, name);
}

/* ---- the lists ------------------------------------------------------------------------------- */

static void list_name(const struct bank_folder *f, const char *list, char name[PATH_BYTES])
{
    snprintf(name, PATH_BYTES, ".%s-%.*s.csv", list, CF_ARG(f->bank));
}

/* One line: SHA-256, lines, name. */
static enum bank_known look(struct cf_str line, const char *name, const char *hex)
{
    if (line.len < 65) return BANK_NEW; /* a run broke off while it wrote: as if not entered */
    if (memcmp(line.ptr, hex, 64) == 0) return BANK_SAME_CONTENT;
    size_t n = strlen(name);
    bool same = line.len > n && memcmp(line.ptr + line.len - n, name, n) == 0 &&
                line.ptr[line.len - n - 1] == ',';
    return same ? BANK_SAME_NAME : BANK_NEW;
}

enum bank_known bank_folder_known(const struct bank_folder *f, const char *list, const char *name,
                                  const uint8_t sha256[32])
{
    char file[PATH_BYTES], hex[65];
    enum bank_known known = BANK_NEW;
    struct cf_buf text;
    list_name(f, list, file);
    cf_hex(sha256, 32, hex);
    cf_buf_init(&text, BANK_FILE_MAX);
    (void)bank_folder_read(f, file, &text);
    struct cf_str rest = cf_buf_str(&text);
    for (const char *end; rest.len && known != BANK_SAME_CONTENT;) {
        end = memchr(rest.ptr, '\n', rest.len);
        size_t n = end ? (size_t)(end - rest.ptr) : rest.len;
        enum bank_known k = look((struct cf_str){rest.ptr, n}, name, hex);
        if (k != BANK_NEW) known = k;
        n += end != NULL;
        rest = (struct cf_str){rest.ptr + n, rest.len - n};
    }
    cf_buf_free(&text);
    return known;
}

bool bank_folder_enter(const struct bank_folder *f, const char *list, const struct bank_manifest *m)
{
    char file[PATH_BYTES], hex[65];
    struct cf_buf line;
    list_name(f, list, file);
    cf_hex(m->sha256, sizeof m->sha256, hex);
    cf_buf_init(&line, 4096);
    /* The line before ends here, if a run broke off in it. */
    cf_buf_printf(&line, "\n%s,%u,%s\n", hex, m->lines, m->file);
    bool good = write_as(f, file, O_APPEND, cf_buf_str(&line));
    cf_buf_free(&line);
    return good;
}

/* ---- giving ---------------------------------------------------------------------------------- */

static bool put_parts(const struct bank_folder *f, const struct bank_manifest *m,
                      const char *manifest, struct cf_str csv)
{
    char part[PATH_BYTES];
    struct cf_buf text;
    part_of(m->file, part);
    if (!write_as(f, part, O_TRUNC, csv)) return false;
    cf_buf_init(&text, 4096);
    bank_manifest_write(&text, m);
    part_of(manifest, part);
    bool good = write_as(f, part, O_TRUNC, cf_buf_str(&text));
    cf_buf_free(&text);
    return good && (fsync(f->dir) == 0 || failed(f->path));
}

bool bank_folder_give(const struct bank_folder *f, struct bank_manifest *m, struct cf_str csv)
{
    char manifest[PATH_BYTES];
    snprintf(manifest, sizeof manifest, "%.*s.manifest.json", (int)(strlen(m->file) - 4), m->file);
    cf_sha256(csv, m->sha256);
    if (bank_folder_known(f, "given", m->file, m->sha256) == BANK_NEW &&
        (!put_parts(f, m, manifest, csv) || !bank_folder_enter(f, "given", m)))
        return false;
    /* The manifest comes last: with it the bank may take the file. */
    return show(f, m->file) && show(f, manifest);
}
