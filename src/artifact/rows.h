/* Blocks of rows of a .npy array in a file, in C order whatever its own. */
#ifndef ENS_ARTIFACT_ROWS_H
#define ENS_ARTIFACT_ROWS_H

#include "input/npy.h"

#define ENS_ROWS_BLOCK ((size_t)1 << 20) /* bytes aimed at */

struct ens_rows {
    int fd;
    uint64_t offset; /* of the array's bytes */
    const struct ens_npy *npy;
    uint64_t n, width; /* rows, elements of a row */
    size_t size;       /* bytes of an element */
    uint64_t at;       /* rows read */
    uint64_t per_block;
    unsigned char *block; /* owned */
    unsigned char *column;
};

/** Rows and elements per row; a scalar is one row. */
void ens_rows_shape(const struct ens_npy *npy, uint64_t *n, uint64_t *width);
/** fd and npy are lent; offset: where the file begins in fd. flat: element by
 * element, where the order allows it, so that no row must fit memory. */
enum ens_status ens_rows_init(struct ens_rows *r, int fd, uint64_t offset,
                              const struct ens_npy *npy, int flat,
                              struct ens_error *err);
void ens_rows_fini(struct ens_rows *r);
/** The next block, lent: *n rows of it, 0 at the end. */
enum ens_status ens_rows_next(struct ens_rows *r, const unsigned char **block,
                              uint64_t *n, struct ens_error *err);

#endif
