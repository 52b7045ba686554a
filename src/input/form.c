#include "input/form.h"

#include "input/cache.h"
#include "input/mapped.h"
#include "input/memory.h"
#include "input/npy.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* tables/DIGEST[-VARIANT].SUFFIX */
static int form_path(char *to, size_t cap, const struct ens_form *f,
                     const struct ens_hash128 *digest)
{
    char name[128];
    char high[ENS_HEX64_BYTES], low[ENS_HEX64_BYTES];
    char variant[ENS_HEX64_BYTES];

    ens_hex64(high, digest->high);
    ens_hex64(low, digest->low);
    ens_hex64(variant, f->variant);
    snprintf(name, sizeof(name), "tables/%s%s%s%s.%s", high, low,
             f->variant != 0 ? "-" : "", f->variant != 0 ? variant : "",
             f->suffix);
    return ens_cache_path(to, cap, name);
}

static int is_whole(int fd)
{
    char *head = malloc(ENS_HEAD_BYTES);
    struct ens_file_id id;
    struct ens_npy npy;
    int64_t n = head == NULL ? -1 : ens_read_at(fd, head, ENS_HEAD_BYTES, 0);
    int ok = n > 0 && ens_file_id_of(fd, &id) == 0 &&
             ((uint64_t)n == id.size || (size_t)n == ENS_HEAD_BYTES) &&
             ens_npy_parse(&npy, head, (size_t)n, id.size, NULL) == ENS_OK;

    free(head);
    return ok;
}

/* In the cache, or -1; one that was cut is made anew. */
static int find(const struct ens_form *f, const struct ens_hash128 *digest)
{
    char path[PATH_MAX];
    int fd = -1;

    if (form_path(path, sizeof(path), f, digest) == 0)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || is_whole(fd))
        return fd;
    close(fd);
    return -1;
}

/* Into the cache; *fd -1 when that cannot be done and memory may. */
static enum ens_status make_in_cache(const struct ens_form *f,
                                     const struct ens_hash128 *digest, int *fd,
                                     struct ens_error *err)
{
    char path[PATH_MAX];
    char temporary[PATH_MAX];
    enum ens_status s;
    int out;

    *fd = -1;
    if (form_path(path, sizeof(path), f, digest) != 0)
        return ENS_OK;
    out = ens_cache_create(path, temporary, sizeof(temporary));
    if (out < 0)
        return ENS_OK;
    s = f->make(f, out, err);
    if (s != ENS_OK)
        unlink(temporary); /* "": nothing */
    else if (ens_cache_commit(out, temporary, path) == 0)
        *fd = open(path, O_RDONLY | O_CLOEXEC);
    close(out);
    return s == ENS_EIO || s == ENS_ENOSPACE ? ENS_OK : s;
}

static enum ens_status make_aside(const struct ens_form *f, const char *scratch,
                                  int *fd, struct ens_error *err)
{
    uint64_t available = ens_memory_available();
    enum ens_status s;

    if (scratch == NULL && available > 0 && f->bytes > available / 2)
        return ens_fail(err, ENS_ENOSPACE,
                        "its form to be mapped, of %" PRIu64 " bytes, cannot "
                        "be written to the cache folder and is too large for "
                        "memory; set ENSRUN_CACHE to a folder with room",
                        f->bytes);
    *fd = scratch != NULL ? ens_cache_scratch(scratch)
                          : memfd_create("ensrun input", MFD_CLOEXEC);
    if (*fd < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot make a file in %s",
                              scratch != NULL ? scratch : "memory");
    s = f->make(f, *fd, err);
    if (s == ENS_OK)
        return s;
    close(*fd);
    *fd = -1;
    return s;
}

static enum ens_status find_or_make(struct ens_mapped *m, const char *scratch,
                                    const struct ens_form *f, int *fd,
                                    struct ens_error *err)
{
    int settled = ens_cache_is_settled(&m->id);
    enum ens_status s = ENS_OK;

    *fd = -1;
    if (ens_cache_get_digest(&m->id, &m->digest))
        *fd = find(f, &m->digest);
    if (*fd >= 0)
        return ENS_OK;
    m->digest = ens_hash128(f->p, (size_t)f->size);
    *fd = find(f, &m->digest);
    if (*fd < 0 && scratch == NULL)
        s = make_in_cache(f, &m->digest, fd, err);
    if (s == ENS_OK && *fd < 0)
        s = make_aside(f, scratch, fd, err);
    if (s == ENS_OK && settled)
        ens_cache_put_digest(&m->id, &m->digest);
    return s;
}

/* From the file to its form. */
static enum ens_status map_form(struct ens_mapped *m, int fd,
                                struct ens_error *err)
{
    struct ens_file_id id;
    struct ens_npy npy;
    enum ens_status s;

    if (m->map_bytes > 0)
        munmap(m->base, m->map_bytes);
    m->base = NULL;
    m->map_bytes = 0;
    close(m->fd);
    m->fd = fd;
    if (ens_file_id_of(fd, &id) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot look at its form");
    s = ens_mapped_map(m, id.size, err);
    if (s == ENS_OK)
        s = ens_npy_parse(&npy, m->base, (size_t)id.size, id.size, err);
    if (s != ENS_OK)
        return s;
    ens_npy_view(&m->input.view, &npy, m->base);
    m->has_digest = 1;
    return ENS_OK;
}

enum ens_status ens_form_open(struct ens_mapped *m, const struct ens_opening *o,
                              const struct ens_form *f, struct ens_error *err)
{
    int fd;
    enum ens_status s = find_or_make(m, o->spec->scratch, f, &fd, err);

    return s == ENS_OK ? map_form(m, fd, err) : s;
}
