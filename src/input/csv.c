#include "input/csv.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/number.h"
#include "input/cache.h"
#include "input/inflate.h"
#include "input/mapped.h"
#include "input/memory.h"
#include "input/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* raised when the same text would be read differently */
#define READER_VERSION 3

struct job { /* one conversion, for the progress callback */
    const struct ens_opening *o;
    struct ens_csv_options options;
};

uint64_t ens_csv_options_hash(const struct ens_csv_options *o)
{
    struct ens_buf b = ENS_BUF_INIT;
    uint64_t h;

    ens_buf_u32(&b, READER_VERSION);
    ens_buf_u8(&b, (uint8_t)o->delimiter);
    ens_buf_u8(&b, (uint8_t)(o->header + 1));
    if (o->n_missing == 0)
        ens_buf_str(&b, "NA");
    for (size_t i = 0; i < o->n_missing; i++)
        ens_buf_str(&b, o->missing[i]);
    h = b.failed ? 0 : ens_hash64(b.data, b.len);
    ens_buf_fini(&b);
    return h;
}

static void tell(void *arg, uint64_t done, uint64_t all)
{
    const struct job *j = arg;

    if (j->o->progress != NULL)
        j->o->progress(j->o->progress_arg, j->o->spec->name, done, all);
}

static int table_path(char *to, size_t cap, const struct ens_hash128 *digest,
                      uint64_t options_hash)
{
    struct ens_buf b = ENS_BUF_INIT;
    char name[64] = "tables/";
    struct ens_hash128 key;

    ens_buf_u64(&b, digest->low);
    ens_buf_u64(&b, digest->high);
    ens_buf_u64(&b, options_hash);
    if (b.failed)
        return -1;
    key = ens_hash128(b.data, b.len);
    ens_buf_fini(&b);
    ens_hex64(name + 7, key.high);
    ens_hex64(name + 23, key.low);
    memcpy(name + 39, ".col", 5);
    return ens_cache_path(to, cap, name);
}

/* Is the file at path the columnar form of that content? */
static int is_form_of(int fd, const struct ens_hash128 *digest,
                      uint64_t options_hash)
{
    struct ens_table_head h;
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_file_id id;
    int ok = 0;
    void *p;

    if (ens_file_id_of(fd, &id) != 0 || id.size == 0)
        return 0;
    p = mmap(NULL, (size_t)id.size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return 0;
    if (ens_columnar_parse(&h, p, id.size, &arena, NULL) == ENS_OK)
        ok = h.digest.low == digest->low && h.digest.high == digest->high &&
             h.options_hash == options_hash;
    munmap(p, (size_t)id.size);
    ens_arena_fini(&arena);
    return ok;
}

/* The table in the cache, or -1. */
static int find_table(const struct ens_hash128 *digest, uint64_t options_hash)
{
    char path[PATH_MAX];
    int fd;

    if (table_path(path, sizeof(path), digest, options_hash) != 0)
        return -1;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && !is_form_of(fd, digest, options_hash)) {
        close(fd); /* cut or damaged: made anew */
        fd = -1;
    }
    return fd;
}

/* Write into the cache; *fd -1 when that cannot be done and memory may. */
static enum ens_status write_to_cache(struct ens_csv *csv, int from,
                                      struct job *j, int *fd,
                                      struct ens_error *err)
{
    char path[PATH_MAX];
    char temporary[PATH_MAX];
    enum ens_status s;
    int out;

    *fd = -1;
    if (table_path(path, sizeof(path), &csv->head.digest,
                   csv->head.options_hash) != 0)
        return ENS_OK;
    out = ens_cache_create(path, temporary, sizeof(temporary));
    if (out < 0)
        return ENS_OK;
    s = ens_csv_write(csv, from, j->o->size, out, tell, j, err);
    if (s != ENS_OK)
        unlink(temporary); /* "": nothing */
    else if (ens_cache_commit(out, temporary, path) == 0)
        *fd = open(path, O_RDONLY | O_CLOEXEC);
    close(out);
    return s == ENS_EIO || s == ENS_ENOSPACE ? ENS_OK : s;
}

static enum ens_status write_to_scratch(struct ens_csv *csv, int from,
                                        struct job *j, int *fd,
                                        struct ens_error *err)
{
    const char *folder = j->o->spec->scratch;
    enum ens_status s;

    *fd = ens_cache_scratch(folder);
    if (*fd < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot create a file in %s",
                              folder);
    s = ens_csv_write(csv, from, j->o->size, *fd, tell, j, err);
    if (s == ENS_OK)
        return s;
    close(*fd);
    *fd = -1;
    return s == ENS_EIO || s == ENS_ENOSPACE ? ens_wrap(err, s, "%s", folder)
                                             : s;
}

static enum ens_status write_to_memory(struct ens_csv *csv, int from,
                                       struct job *j, int *fd,
                                       struct ens_error *err)
{
    uint64_t bytes = csv->head.n_rows * csv->head.n_columns * 8;
    uint64_t available = ens_memory_available();
    enum ens_status s;

    if (available > 0 && bytes > available / 2)
        return ens_fail(err, ENS_ENOSPACE,
                        "its columnar form of %" PRIu64
                        " bytes cannot be written to the cache folder and is "
                        "too large for memory; set ENSRUN_CACHE to a folder "
                        "with room",
                        bytes);
    *fd = memfd_create("ensrun table", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot make a memory file");
    s = ens_csv_write(csv, from, j->o->size, *fd, tell, j, err);
    if (s != ENS_OK) {
        close(*fd);
        *fd = -1;
        return s;
    }
    /* no write seal: before Linux 6.7 it also forbids shared mappings */
    (void)fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
    return ENS_OK;
}

static enum ens_status check_unchanged(const struct ens_mapped *m,
                                       struct ens_error *err)
{
    struct ens_file_id now;

    if (ens_file_id_of(m->fd, &now) != 0)
        return ens_fail_errno(err, ENS_EINPUT, "cannot look at the file");
    if (now.size != m->id.size || now.mtime_ns != m->id.mtime_ns)
        return ens_fail(err, ENS_EINPUT, "the file changed while it was read");
    return ENS_OK;
}

static enum ens_status convert(struct ens_mapped *m, struct job *j, int *fd,
                               struct ens_error *err)
{
    int settled = ens_cache_is_settled(&m->id);
    struct ens_csv csv;
    enum ens_status s;

    s = ens_csv_learn(&csv, m->fd, j->o->size, &j->options, tell, j, err);
    if (s != ENS_OK)
        return s;
    *fd = find_table(&csv.head.digest, csv.head.options_hash);
    if (*fd < 0 && j->o->spec->scratch != NULL)
        s = write_to_scratch(&csv, m->fd, j, fd, err);
    else if (*fd < 0)
        s = write_to_cache(&csv, m->fd, j, fd, err);
    if (s == ENS_OK && *fd < 0)
        s = write_to_memory(&csv, m->fd, j, fd, err);
    if (s == ENS_OK)
        s = check_unchanged(m, err);
    if (s == ENS_OK && settled)
        ens_cache_put_digest(&m->id, &csv.head.digest);
    ens_csv_fini(&csv);
    return s;
}

/* Put the columnar file in the place of the user's. */
static enum ens_status open_form(struct ens_mapped *m, struct ens_opening *o,
                                 int fd, struct ens_error *err)
{
    struct ens_opening form = *o;
    struct ens_file_id id;

    close(m->fd);
    m->fd = fd;
    if (ens_file_id_of(fd, &id) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot look at its columnar form");
    form.size = id.size;
    return ens_format_columnar.open(m, &form, err);
}

static enum ens_status open_csv(struct ens_mapped *m, struct ens_opening *o,
                                struct ens_error *err)
{
    const struct ens_input_options *options = &o->spec->options;
    struct job j = {o,
                    {options->delimiter, options->header, options->n_missing,
                     options->missing}};
    struct ens_hash128 digest;
    enum ens_status s = ENS_OK;
    int fd = -1;

    if (options->has_shape) {
        o->key = "shape";
        return ens_fail(err, ENS_EINPUT,
                        "shape is for raw binary files, with "
                        "dtype");
    }
    if (ens_cache_get_digest(&m->id, &digest))
        fd = find_table(&digest, ens_csv_options_hash(&j.options));
    if (fd < 0)
        s = convert(m, &j, &fd, err);
    if (s == ENS_OK)
        return open_form(m, o, fd, err);
    if (fd >= 0)
        close(fd);
    return s;
}

/* Text, as far as the head tells: CSV has no name of its own in the file. */
static int probe(const struct ens_opening *o)
{
    static const char *const extensions[] = {"csv", "tsv", "tab", "txt", "dat"};
    size_t n = o->n_head < 4096 ? o->n_head : 4096;

    if (o->size == 0 || ens_refuse_known(o))
        return 0;
    if (ens_packing_of(o->head, o->n_head) != ENS_PACKED_NOT)
        return o->spec->options.dtype == NULL;
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
        if (ens_format_has_extension(o->spec->path, extensions[i]))
            return 1;
    for (size_t i = 0; i < n; i++) {
        unsigned char b = o->head[i];

        if (b < 32 && b != '\t' && b != '\n' && b != '\r')
            return 0;
    }
    return 1;
}

const struct ens_format ens_format_csv = {"csv", probe, open_csv};
