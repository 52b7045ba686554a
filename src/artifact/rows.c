#include "artifact/rows.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

void ens_rows_shape(const struct ens_npy *npy, uint64_t *n, uint64_t *width)
{
    *n = npy->ndim == 0 ? 1 : npy->shape[0];
    *width = 1;
    for (uint32_t i = 1; i < npy->ndim; i++)
        *width *= npy->shape[i];
}

enum ens_status ens_rows_init(struct ens_rows *r, int fd, uint64_t offset,
                              const struct ens_npy *npy, int flat,
                              struct ens_error *err)
{
    size_t row;

    memset(r, 0, sizeof(*r));
    r->fd = fd;
    r->offset = offset + npy->data_offset;
    r->npy = npy;
    r->size = ens_dtype_bytes(npy->dtype);
    ens_rows_shape(npy, &r->n, &r->width);
    if (r->width == 0)
        r->n = 0;
    if (flat && !npy->fortran) {
        r->n *= r->width;
        r->width = 1;
    }
    if (r->n == 0)
        return ENS_OK;
    row = (size_t)r->width * r->size; /* its array lies in a file */
    r->per_block = row < ENS_ROWS_BLOCK ? ENS_ROWS_BLOCK / row : 1;
    if (r->per_block > r->n)
        r->per_block = r->n;
    r->block = malloc((size_t)r->per_block * row);
    r->column = malloc((size_t)r->per_block * r->size);
    if (r->block != NULL && r->column != NULL)
        return ENS_OK;
    ens_rows_fini(r);
    return ens_fail(err, ENS_ENOMEMORY, "a row of %zu bytes: out of memory",
                    row);
}

void ens_rows_fini(struct ens_rows *r)
{
    free(r->block);
    free(r->column);
    r->block = r->column = NULL;
}

/* Where element `at` of a row in C order lies in Fortran's: how many columns
 * of r->n elements come before its own. */
static uint64_t fortran_column(const struct ens_npy *npy, uint64_t at)
{
    uint64_t index[ENS_MAX_NDIM] = {0};
    uint64_t column = 0;

    for (uint32_t i = npy->ndim; i-- > 1; at /= npy->shape[i])
        index[i] = at % npy->shape[i];
    for (uint32_t i = npy->ndim; i-- > 1;)
        column = column * npy->shape[i] + index[i];
    return column;
}

static int read_fortran(struct ens_rows *r, uint64_t n)
{
    size_t size = r->size;

    for (uint64_t at = 0; at < r->width; at++) {
        uint64_t first = fortran_column(r->npy, at) * r->n + r->at;
        unsigned char *to = r->block + at * size;

        if (ens_read_all(r->fd, r->column, (size_t)n * size,
                         r->offset + first * size) != 0)
            return -1;
        for (uint64_t i = 0; i < n; i++, to += r->width * size)
            memcpy(to, r->column + i * size, size);
    }
    return 0;
}

enum ens_status ens_rows_next(struct ens_rows *r, const unsigned char **block,
                              uint64_t *n, struct ens_error *err)
{
    uint64_t left = r->n - r->at;
    size_t row = (size_t)r->width * r->size;
    int failed;

    *n = left < r->per_block ? left : r->per_block;
    *block = r->block;
    if (*n == 0)
        return ENS_OK;
    failed = r->npy->fortran && r->width > 1
                 ? read_fortran(r, *n)
                 : ens_read_all(r->fd, r->block, (size_t)*n * row,
                                r->offset + r->at * row);
    if (failed != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot read rows from %llu on",
                              (unsigned long long)r->at);
    r->at += *n;
    return ENS_OK;
}
