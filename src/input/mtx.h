/* MatrixMarket: matrices as text, made dense.
 *
 * "%%MatrixMarket matrix coordinate|array real|integer|pattern
 * general|symmetric|skew-symmetric", comments (%), a line of sizes (rows,
 * columns and, of coordinates, entries), then entries: row, column from 1 and
 * a value (1 for a pattern), or values column by column; of a symmetric matrix
 * the lower triangle. Entries of one place are added, as scipy does. An
 * integer that float64 would round is refused. The dense
 * form, float64 in Fortran order, is an .npy file in the cache.
 *
 * Source: Boisvert, Pozo and Remington (1996), NISTIR 5935.
 */
#ifndef ENS_INPUT_MTX_H
#define ENS_INPUT_MTX_H

#include <ensrun/error.h>
#include <stddef.h>
#include <stdint.h>

struct ens_mtx {
    uint64_t rows, columns, entries;
    int is_array, is_pattern, is_integer;
    int mirror;    /* of an entry's transpose: 0 none, 1 equal, -1 negative */
    size_t at;     /* of the first entry */
    uint64_t line; /* of it */
};

/** Read the head. Pure. ENS_EINPUT with the line. */
enum ens_status ens_mtx_head(struct ens_mtx *m, const char *p, size_t n,
                             struct ens_error *err);
/** Add all entries to out[rows * columns], column-major, zeros so far. */
enum ens_status ens_mtx_fill(const struct ens_mtx *m, const char *p, size_t n,
                             double *out, struct ens_error *err);

#endif
