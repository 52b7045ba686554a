/* MatrixMarket as an input format: the dense form in the cache. */
#include "base/buf.h"
#include "base/file.h"
#include "input/form.h"
#include "input/mapped.h"
#include "input/memory.h"
#include "input/mtx.h"

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

static enum ens_status make_dense(const struct ens_form *f, int fd,
                                  struct ens_error *err)
{
    return write_dense(f->arg, f->p, (size_t)f->size, fd, err);
}

static enum ens_status open_mtx(struct ens_mapped *m, struct ens_opening *o,
                                struct ens_error *err)
{
    struct ens_mtx mtx;
    struct ens_form form = {
        .suffix = "mtx.npy", .size = o->size, .make = make_dense, .arg = &mtx};
    enum ens_status s = ens_mapped_map(m, o->size, err);

    if (s == ENS_OK)
        s = ens_mtx_head(&mtx, m->base, (size_t)o->size, err);
    if (s == ENS_OK)
        s = check_size(&mtx, err);
    if (s != ENS_OK)
        return s;
    form.p = m->base;
    form.bytes = HEAD_BYTES + mtx.rows * mtx.columns * sizeof(double);
    return ens_form_open(m, o, &form, err);
}

static int probe(const struct ens_opening *o)
{
    return o->spec->options.dtype == NULL && o->n_head >= sizeof(MAGIC) - 1 &&
           strncasecmp((const char *)o->head, MAGIC, sizeof(MAGIC) - 1) == 0;
}

const struct ens_format ens_format_mtx = {"MatrixMarket", probe, open_mtx};
