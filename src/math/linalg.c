#include "math/linalg.h"

#include "base/bug.h"
#include "math/sums.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define QR_EXPONENT 450

static double dot_block(const double *x, const double *y, size_t n)
{
    double lane[4] = {0, 0, 0, 0};
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        lane[0] += x[i] * y[i];
        lane[1] += x[i + 1] * y[i + 1];
        lane[2] += x[i + 2] * y[i + 2];
        lane[3] += x[i + 3] * y[i + 3];
    }
    for (size_t k = 0; i < n; i++, k++)
        lane[k] += x[i] * y[i];
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

static void gram_block_small(const double *x, size_t ld, size_t rows, size_t p,
                             const double *w, double *gram, double *work)
{
    for (size_t j = 0; j < p; j++) {
        const double *xj = x + j * ld;

        if (w) {
            for (size_t i = 0; i < rows; i++)
                work[i] = w[i] * xj[i];
            xj = work;
        }
        for (size_t k = j; k < p; k++)
            gram[k + j * p] += dot_block(x + k * ld, xj, rows);
    }
}

static void gram_block_large(const double *x, size_t ld, size_t rows, size_t p,
                             const double *w, double *gram, double *work)
{
    if (w) {
        for (size_t j = 0; j < p; j++)
            for (size_t i = 0; i < rows; i++)
                work[i + j * rows] = sqrt(w[i]) * x[i + j * ld];
        x = work;
        ld = rows;
    }
    cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, (int)p, (int)rows, 1.0,
                x, (int)ld, 1.0, gram, (int)p);
}

void ens_gram(const double *x, size_t n, size_t p, const double *w,
              double *gram, double *work)
{
    memset(gram, 0, p * p * sizeof(*gram));
    for (size_t first = 0; first < n; first += ENS_LINALG_BLOCK) {
        size_t rows =
            n - first < ENS_LINALG_BLOCK ? n - first : ENS_LINALG_BLOCK;
        const double *block_w = w ? w + first : NULL;

        if (p <= ENS_LINALG_SMALL)
            gram_block_small(x + first, n, rows, p, block_w, gram, work);
        else
            gram_block_large(x + first, n, rows, p, block_w, gram, work);
    }
}

void ens_cross(const double *x, size_t n, size_t p, const double *r,
               double *out)
{
    for (size_t j = 0; j < p; j++)
        out[j] = ens_dot(x + j * n, r, n);
}

void ens_times(const double *x, size_t n, size_t p, const double *b,
               double *out)
{
    if (p == 0)
        memset(out, 0, n * sizeof(*out));
    for (size_t j = 0; j < p; j++) {
        const double *xj = x + j * n;
        double bj = b[j];

        if (j == 0)
            for (size_t i = 0; i < n; i++)
                out[i] = xj[i] * bj;
        else
            for (size_t i = 0; i < n; i++)
                out[i] += xj[i] * bj;
    }
}

/* Pivots against the diagonal they came from. */
static double smallest_ratio(const double *l, size_t p)
{
    double least = 1;

    for (size_t j = 0; j < p; j++) {
        double all = 0;
        double ratio;

        for (size_t k = 0; k <= j; k++)
            all += l[j + k * p] * l[j + k * p];
        ratio = l[j + j * p] * l[j + j * p] / all;
        if (!(ratio >= least))
            least = ratio;
    }
    return least;
}

static int factor_small(double *a, size_t p)
{
    for (size_t j = 0; j < p; j++) {
        double d = a[j + j * p];

        for (size_t k = 0; k < j; k++)
            d -= a[j + k * p] * a[j + k * p];
        if (!(d > 0) || isinf(d))
            return -1;
        d = sqrt(d);
        a[j + j * p] = d;
        for (size_t i = j + 1; i < p; i++) {
            double s = a[i + j * p];

            for (size_t k = 0; k < j; k++)
                s -= a[i + k * p] * a[j + k * p];
            a[i + j * p] = s / d;
        }
    }
    return 0;
}

double ens_cholesky(double *a, size_t p)
{
    int failed = p <= ENS_LINALG_SMALL
                     ? factor_small(a, p)
                     : LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', (int)p, a,
                                           (int)p) != 0;

    return failed ? 0 : smallest_ratio(a, p);
}

void ens_cholesky_solve(const double *l, size_t p, double *b)
{
    for (size_t i = 0; i < p; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= l[i + k * p] * b[k];
        b[i] /= l[i + i * p];
    }
    for (size_t i = p; i-- > 0;) {
        for (size_t k = i + 1; k < p; k++)
            b[i] -= l[k + i * p] * b[k];
        b[i] /= l[i + i * p];
    }
}

void ens_cholesky_inverse(const double *l, size_t p, double *inverse)
{
    memset(inverse, 0, p * p * sizeof(*inverse));
    for (size_t j = 0; j < p; j++) {
        inverse[j + j * p] = 1;
        ens_cholesky_solve(l, p, inverse + j * p);
    }
    /* The two triangles differ in last bits: keep the lower one. */
    for (size_t j = 0; j < p; j++)
        for (size_t i = j + 1; i < p; i++)
            inverse[j + i * p] = inverse[i + j * p];
}

/* Squares of columns beyond 2^QR_EXPONENT overflow, or vanish, in a norm;
 * OpenBLAS forms it in long double on some processors and not on others. A
 * power of two changes no bit of the factor. Returns it. */
static double scale_column(double *x, size_t n)
{
    double top = 0;
    int e;

    for (size_t i = 0; i < n; i++)
        top = fmax(top, fabs(x[i]));
    e = top > 0 && isfinite(top) ? ilogb(top) : 0;
    if (abs(e) <= QR_EXPONENT)
        return 1;
    for (size_t i = 0; i < n; i++)
        x[i] = ldexp(x[i], -e);
    return ldexp(1, e);
}

size_t ens_qr_factor(double *x, size_t n, size_t p, double tol, double *l,
                     double *work)
{
    double *tau = work;
    int info;

    ENS_BUG_ON(n < p);
    memset(l, 0, p * p * sizeof(*l));
    for (size_t j = 0; j < p; j++)
        l[j + j * p] = scale_column(x + j * n, n);
    info = LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, (int)n, (int)p, x, (int)n, tau,
                               work + p, (int)(64 * p));
    ENS_BUG_ON(info != 0);
    for (size_t j = 0; j < p; j++) {
        double scale = l[j + j * p], length = 0;

        for (size_t k = 0; k <= j; k++) {
            l[j + k * p] = scale * x[k + j * n];
            length = hypot(length, x[k + j * n]);
        }
        if (!(fabs(x[j + j * n]) > tol * length))
            return j;
    }
    return p;
}

void ens_qr_triangle(double *x, size_t n, size_t p, double *r, double *work)
{
    int info;

    ENS_BUG_ON(n < p);
    info = LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, (int)n, (int)p, x, (int)n,
                               work, work + p, (int)(64 * p));
    ENS_BUG_ON(info != 0);
    memset(r, 0, p * p * sizeof(*r));
    for (size_t j = 0; j < p; j++)
        memcpy(r + j * p, x + j * n, (j + 1) * sizeof(*r));
}

static int all_finite(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return 0;
    return 1;
}

int ens_min_norm(double *x, size_t n, size_t p, double *y, double cut,
                 double *b, double *work)
{
    int rank, info;

    ENS_BUG_ON(n < p);
    if (!all_finite(x, n * p) || !all_finite(y, n))
        return -1;
    info = LAPACKE_dgelss_work(LAPACK_COL_MAJOR, (int)n, (int)p, 1, x, (int)n,
                               y, (int)n, work, cut, &rank, work + p,
                               (int)(ENS_MIN_NORM_WORK(n, p) - p));
    if (info != 0)
        return -1;
    memcpy(b, y, p * sizeof(*b));
    return 0;
}

int ens_eigen(double *a, size_t p, double *values, double *work)
{
    for (size_t j = 0; j < p; j++)
        for (size_t i = j; i < p; i++)
            if (!isfinite(a[i + j * p]))
                return -1;
    return LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'V', 'L', (int)p, a, (int)p,
                              values, work, (int)ENS_EIGEN_WORK(p)) == 0
               ? 0
               : -1;
}
