/* Linear algebra for fitting: small problems in loops of a fixed order, large
 * ones through BLAS and LAPACK. Matrices are column-major; element (i, j) of
 * a is a[i + j * ld]. Nothing here allocates. */
#ifndef ENS_MATH_LINALG_H
#define ENS_MATH_LINALG_H

#include <stddef.h>

/* Up to this order own loops are used. Weighted Gram matrix of 3,000 rows,
 * own loops / dsyrk, one core: p = 8: 19 / 53 us, 24: 121 / 177 us,
 * 40: 314 / 329 us, 48: 444 / 414 us. */
#define ENS_LINALG_SMALL 40
/* Rows of a block of ens_gram: a column of it is 2 kB. */
#define ENS_LINALG_BLOCK 256

/** Doubles of work for ens_gram of p columns. */
#define ENS_GRAM_WORK(p) ((size_t)ENS_LINALG_BLOCK * (p))

/**
 * Lower triangle of X'WX.
 * Shapes:  x[n, p] with leading dimension n; w[n] >= 0, or NULL for ones;
 *          gram[p, p]; work[ENS_GRAM_WORK(p)].
 * Method:  blocks of 256 rows, added in order.
 */
void ens_gram(const double *x, size_t n, size_t p, const double *w,
              double *gram, double *work);

/** out[p] = X'r, per column as ens_dot. */
void ens_cross(const double *x, size_t n, size_t p, const double *r,
               double *out);

/** out[n] = Xb, columns added in order. */
void ens_times(const double *x, size_t n, size_t p, const double *b,
               double *out);

/**
 * Cholesky factor L of the matrix in the lower triangle of a[p, p], in place.
 * Returns the smallest ratio of a squared pivot to the diagonal element it
 * came from: 1 - R^2 of that column on those before it, for a Gram matrix.
 * Not positive (or NaN): the matrix is not positive definite, a is undefined.
 */
double ens_cholesky(double *a, size_t p);

/** Solve L L' b = b in place. */
void ens_cholesky_solve(const double *l, size_t p, double *b);

/** inverse[p, p] (both triangles) of L L'. */
void ens_cholesky_inverse(const double *l, size_t p, double *inverse);

/** Doubles of work for ens_qr_factor. */
#define ENS_QR_WORK(p) ((size_t)65 * (p))

/**
 * The same factor from X itself, which does not square its condition:
 * L = R' of the QR decomposition of x[n, p], n >= p.
 * x is overwritten. work[ENS_QR_WORK(p)]. Columns may be of any size: no
 * square of theirs overflows.
 * Returns p, or the first column whose part that is orthogonal to those
 * before it is shorter than tol times the column: it is aliased with them.
 */
size_t ens_qr_factor(double *x, size_t n, size_t p, double tol, double *l,
                     double *work);

/**
 * Upper triangle r[p, p] (zeros below; its diagonal of any sign) of the QR
 * decomposition of x[n, p], n >= p, of whatever rank. x is overwritten;
 * work[ENS_QR_WORK(p)]. Of rows that come in blocks: put the r of those before
 * above the next block.
 */
void ens_qr_triangle(double *x, size_t n, size_t p, double *r, double *work);

/** Doubles of work for ens_min_norm. */
#define ENS_MIN_NORM_WORK(n, p) (8 * ((size_t)(n) + (p)))

/**
 * Least squares of smallest norm: b[p] minimises |y - X b|, and |b| among
 * those that do. x[n, p] (n >= p) is overwritten, and y[n].
 * Method:  singular values below cut times the largest count as 0.
 * Returns 0, or -1 when there is none (x is not finite).
 */
int ens_min_norm(double *x, size_t n, size_t p, double *y, double cut,
                 double *b, double *work);

/** Doubles of work for ens_eigen. */
#define ENS_EIGEN_WORK(p) ((size_t)3 * (p))

/**
 * Eigenvalues of the symmetric matrix in the lower triangle of a[p, p],
 * ascending, in values[p]; its eigenvectors, the columns of a, in place.
 * Returns 0, or -1 when they cannot be had (a is not finite).
 */
int ens_eigen(double *a, size_t p, double *values, double *work);

#endif
