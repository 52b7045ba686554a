/* Chunks of rows, turned to columns: what sums over rows of products of
 * columns are made from. Own loops in lanes: the bits are the same whatever
 * vectors the processor has, and of memory that is aligned in any way.
 *
 * z is column-major: value (i, j) is z[i + j * ENS_CHUNK_LD(rows)], rows filled
 * up to a multiple of 8 with zeros.
 *
 * Gram matrix, 10^9 products a second, one core with 512-bit vectors, own loops
 * / OpenBLAS dsyrk (which takes those of Haswell there): 11 columns 31 / 6, 51:
 * 30 / 16, 201: 31 / 22, 501: 29 / 26, 1001: 21 / 28. */
#ifndef ENS_MATH_CHUNK_H
#define ENS_MATH_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#define ENS_CHUNK_MAX 1024

/** Leading dimension for that many rows: 8 more, as columns that are a power
 * of two apart push each other out of the cache. */
#define ENS_CHUNK_LD(rows) (((rows) + 7) / 8 * 8 + 8)

/** Rows of a chunk of p columns: so many that it stays in the second-level
 * cache; 128, 256 .. ENS_CHUNK_MAX. */
size_t ens_chunk_rows(size_t p);

/** Doubles of the largest chunk of p columns. */
size_t ens_chunk_doubles(size_t p);

/** z[., p] = rows of x, which are `stride` doubles apart: the first n, or those
 * numbered row[0..n-1]. */
void ens_chunk_fill(double *z, const double *x, size_t stride,
                    const uint32_t *row, size_t n, size_t p);

/** One column: z[0..n-1] = from, zeros up to the end of the last lanes. */
void ens_chunk_column(double *z, const double *from, const uint32_t *row,
                      size_t n);

struct ens_chunk_range {
    double min, max; /* of rows with w > 0 */
    double sum;      /* of w (z - shift) */
};

/**
 * z = z - shift, for a column of n rows.
 * w[n, filled up with zeros]; a row of weight 0 has no part in `of`, which is
 * added to.
 */
void ens_chunk_shift(double *z, const double *w, size_t n, double shift,
                     struct ens_chunk_range *of);

/**
 * gram += z'Wz, lower triangle by rows: element (i, j), j <= i, at
 * i (i + 1) / 2 + j. w[n, filled up]; NULL: ones.
 */
void ens_chunk_gram(const double *z, size_t n, size_t p, const double *w,
                    double *gram);

/** out[j] += sum of z[i, j] r[i], j < p; r[n, filled up with zeros]. */
void ens_chunk_cross(const double *z, size_t n, size_t p, const double *r,
                     double *out);

/** eta[n, filled up] += z b */
void ens_chunk_times(const double *z, size_t n, size_t p, const double *b,
                     double *eta);

/** Doubles of work for ens_chunk_qr. */
#define ENS_CHUNK_QR_WORK(p) (64 * (size_t)(p))

/**
 * r[p, p], column-major, upper triangle, becomes R of the QR decomposition of
 * itself on top of z, which is overwritten: r'r += z'z without squares, signs
 * of rows arbitrary. Columns of any size.
 * Method:  reflections of Householder, of each column's rows in z and one of r
 *          (Golub and Van Loan, "Matrix Computations", 5.1); of many columns
 *          LAPACK's dtpqrt.
 */
void ens_chunk_qr(double *z, size_t n, size_t p, double *r, double *work);

#endif
