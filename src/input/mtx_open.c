/* MatrixMarket as an input format: the dense form in the cache. */
#include "base/buf.h"
#include "base/file.h"
#include "input/cache.h"
#include "input/mapped.h"
#include "input/memory.h"
#include "input/mtx.h"
#include "input/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAGIC      "%%MatrixMarket"
#define HEAD_BYTES 128u

static int dense_path(char *to, size_t cap, const struct ens_hash128 *digest)
{
    char name[64] = "tables/";

    ens_hex64(name + 7, digest->high);
    ens_hex64(name + 23, digest->low);
    memcpy(name + 39, ".mtx.npy", 9);
    return ens_cache_path(to, cap, name);
}

static void make_head(char head[HEAD_BYTES], const struct ens_mtx *mtx)
{
    int n;

    memset(head, ' ', HEAD_BYTES);
    memcpy(head, "\x93NUMPY\1\0\x76\0", 10);
    n = snprintf(head + 10, HEAD_BYTES - 10,
                 "{'descr': '%cf8', 'fortran_order': True, 'shape': (%" PRIu64
                 ", %" PRIu64 "), }",
                 __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>',
                 mtx->rows, mtx->columns);
    head[10 + n] = ' ';
    head[HEAD_BYTES - 1] = '\n';
}

/* The dense form into a file of its own, through a map: room is taken first,
 * as a full disk would else be a SIGBUS. */
static enum ens_status write_dense(const struct ens_mtx *mtx, const char *p,
                                   size_t n, int fd, struct ens_error *err)
{
    uint64_t bytes = HEAD_BYTES + mtx->rows * mtx->columns * sizeof(double);
    enum ens_status s;
    char *to;
    int e = posix_fallocate(fd, 0, (off_t)bytes);

    if (e != 0) {
        errno = e;
        return ens_fail_errno(err, ENS_ENOSPACE,
                              "its dense form of %" PRIu64 " bytes", bytes);
    }
    to = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (to == MAP_FAILED)
        return ens_fail_errno(err, ENS_EIO, "cannot map its dense form");
    make_head(to, mtx);
    s = ens_mtx_fill(mtx, p, n, (double *)(void *)(to + HEAD_BYTES), err);
    munmap(to, (size_t)bytes);
    return s;
}

/* In the cache; *fd -1 when that cannot be done and memory may. */
static enum ens_status write_to_cache(const struct ens_mtx *mtx, const char *p,
                                      size_t n, const char *path, int *fd,
                                      struct ens_error *err)
{
    char temporary[PATH_MAX];
    int out = ens_cache_create(path, temporary, sizeof(temporary));
    enum ens_status s;

    *fd = -1;
    if (out < 0)
        return ENS_OK;
    s = write_dense(mtx, p, n, out, err);
    if (s != ENS_OK)
        unlink(temporary);
    else if (ens_cache_commit(out, temporary, path) == 0)
        *fd = open(path, O_RDONLY | O_CLOEXEC);
    close(out);
    return s == ENS_EIO || s == ENS_ENOSPACE ? ENS_OK : s;
}

static enum ens_status check_size(const struct ens_mtx *mtx,
                                  struct ens_error *err)
{
    uint64_t available = ens_memory_available();
    uint64_t bytes;

    if (mtx->rows == 0 || mtx->columns == 0)
        return ens_fail(err, ENS_EINPUT, "a matrix of no rows or columns");
    if (!__builtin_mul_overflow(mtx->rows * mtx->columns,
                                (uint64_t)sizeof(double), &bytes) &&
        bytes < INT64_MAX - HEAD_BYTES &&
        (available == 0 || bytes <= available / 2))
        return ENS_OK;
    return ens_fail(err, ENS_ENOSPACE,
                    "%" PRIu64 " x %" PRIu64 " is too large to be made dense: "
                    "more than half of the memory available",
                    mtx->rows, mtx->columns);
}

static enum ens_status convert(const char *p, size_t n, const char *scratch,
                               const struct ens_hash128 *digest, int *fd,
                               struct ens_error *err)
{
    char path[PATH_MAX];
    struct ens_mtx mtx;
    enum ens_status s = ens_mtx_head(&mtx, p, n, err);

    *fd = -1;
    if (s == ENS_OK)
        s = check_size(&mtx, err);
    if (s == ENS_OK && scratch == NULL &&
        dense_path(path, sizeof(path), digest) == 0)
        s = write_to_cache(&mtx, p, n, path, fd, err);
    if (s != ENS_OK || *fd >= 0)
        return s;
    *fd = scratch != NULL ? ens_cache_scratch(scratch)
                          : memfd_create("ensrun matrix", MFD_CLOEXEC);
    if (*fd < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot make a file in %s",
                              scratch != NULL ? scratch : "memory");
    s = write_dense(&mtx, p, n, *fd, err);
    if (s != ENS_OK) {
        close(*fd);
        *fd = -1;
    }
    return s;
}

/* The dense form found or made; the digest in any case. */
static enum ens_status find_or_convert(struct ens_mapped *m, uint64_t size,
                                       const char *scratch, int *fd,
                                       struct ens_error *err)
{
    int settled = ens_cache_is_settled(&m->id);
    char path[PATH_MAX];
    enum ens_status s = ENS_OK;
    void *p;

    *fd = -1;
    if (ens_cache_get_digest(&m->id, &m->digest) &&
        dense_path(path, sizeof(path), &m->digest) == 0)
        *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd >= 0)
        return ENS_OK;
    p = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, m->fd, 0);
    if (p == MAP_FAILED)
        return ens_fail_errno(err, ENS_EIO, "cannot map");
    m->digest = ens_hash128(p, (size_t)size);
    if (dense_path(path, sizeof(path), &m->digest) == 0)
        *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        s = convert(p, (size_t)size, scratch, &m->digest, fd, err);
    munmap(p, (size_t)size);
    if (s == ENS_OK && settled)
        ens_cache_put_digest(&m->id, &m->digest);
    return s;
}

static enum ens_status open_mtx(struct ens_mapped *m, struct ens_opening *o,
                                struct ens_error *err)
{
    struct ens_file_id id;
    struct ens_npy npy;
    int fd;
    enum ens_status s = find_or_convert(m, o->size, o->spec->scratch, &fd, err);

    if (s != ENS_OK)
        return s;
    close(m->fd);
    m->fd = fd;
    if (ens_file_id_of(fd, &id) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot look at its dense form");
    s = ens_mapped_map(m, id.size, err);
    if (s == ENS_OK)
        s = ens_npy_parse(&npy, m->base, (size_t)id.size, id.size, err);
    if (s != ENS_OK)
        return s;
    ens_npy_view(&m->input.view, &npy, m->base);
    m->has_digest = 1;
    return ENS_OK;
}

static int probe(const struct ens_opening *o)
{
    return o->spec->options.dtype == NULL && o->n_head >= sizeof(MAGIC) - 1 &&
           strncasecmp((const char *)o->head, MAGIC, sizeof(MAGIC) - 1) == 0;
}

const struct ens_format ens_format_mtx = {"MatrixMarket", probe, open_mtx};
