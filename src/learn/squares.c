#include "learn/squares.h"

#include "learn/tsqr.h"
#include "math/linalg.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of the moments' matrix, the square of that of the rows: below it, more than
 * 7 of 16 digits are lost. */
#define LEAST_RCOND 1e-7
#define MAX_NAMES   5

static int is_finite(const struct ens_moments *m)
{
    int finite = isfinite(m->y_var) && m->weight > 0;

    for (size_t j = 0; j < m->p; j++)
        finite = finite && isfinite(m->cov[j * m->p + j]) &&
                 isfinite(m->cross[j]) && isfinite(m->mean[j]);
    return finite;
}

/* Moments about 0. */
static enum ens_status uncentre(struct ens_squares *q,
                                const struct ens_learn_job *job,
                                const struct ens_moments *m,
                                struct ens_error *err)
{
    size_t p = m->p;
    double *c = job->alloc(job, p * (p + 1) + 1, sizeof(*c)), *k = c + p * p;

    if (c == NULL)
        return ens_linear_memory(err);
    for (size_t j = 0; j < p; j++) {
        for (size_t i = 0; i < p; i++)
            c[j * p + i] = m->cov[j * p + i] + m->mean[j] * m->mean[i];
        k[j] = m->cross[j] + m->mean[j] * m->y_mean;
    }
    q->c = c;
    q->k = k;
    q->v = m->y_var + m->y_mean * m->y_mean;
    return ENS_OK;
}

enum ens_status ens_squares_init(struct ens_squares *q,
                                 const struct ens_learn_job *job,
                                 const struct ens_moments *m, int intercept,
                                 struct ens_error *err)
{
    if (!is_finite(m))
        return ens_fail(err, ENS_EDOMAIN,
                        "values are too large: their squares overflow");
    *q = (struct ens_squares){
        .p = m->p,
        .weight = m->weight,
        .c = m->cov,
        .k = m->cross,
        .v = m->y_var,
        .centre = intercept ? m->mean : NULL,
        .base = intercept ? m->y_mean : 0,
    };
    return intercept ? ENS_OK : uncentre(q, job, m, err);
}

enum ens_status ens_squares_model(const struct ens_squares *q,
                                  const struct ens_learn_job *job,
                                  const double *b, struct ens_error *err)
{
    struct ens_linear *l =
        ens_linear_new(job, q->p, 1, ens_linear_squares_link(job->family));

    if (l == NULL)
        return ens_linear_memory(err);
    *ens_linear_base(l, 0) = q->base;
    memcpy(ens_linear_coef(l, 0), b, q->p * sizeof(*b));
    if (q->centre)
        memcpy(ens_linear_centre(l), q->centre, q->p * sizeof(*b));
    return ENS_OK;
}

/* -- Cholesky ---------------------------------------------------------- */

/* a = C + lambda I over d d', b = k / d. A column of zeros gets 1. */
static void scale(const struct ens_squares *q, double lambda, double *d,
                  double *a, double *b)
{
    size_t p = q->p;

    for (size_t j = 0; j < p; j++) {
        d[j] = sqrt(q->c[j * p + j] + lambda);
        if (!(d[j] > 0))
            d[j] = 1;
        b[j] = q->k[j] / d[j];
    }
    for (size_t j = 0; j < p; j++) {
        for (size_t i = j + 1; i < p; i++)
            a[i + j * p] = q->c[j * p + i] / d[i] / d[j];
        a[j + j * p] = 1;
    }
}

static double one_norm(const double *a, size_t p, double *sum)
{
    double most = 0;

    memset(sum, 0, p * sizeof(*sum));
    for (size_t j = 0; j < p; j++) {
        sum[j] += fabs(a[j + j * p]);
        for (size_t i = j + 1; i < p; i++) {
            sum[j] += fabs(a[i + j * p]);
            sum[i] += fabs(a[i + j * p]);
        }
    }
    for (size_t j = 0; j < p; j++)
        most = fmax(most, sum[j]);
    return most;
}

/* Returns the reciprocal condition; 0: not positive definite. */
static double factor(double *a, size_t p, double *work, int *iwork)
{
    double norm = one_norm(a, p, work), rcond = 0;

    if (!(ens_cholesky(a, p) > 0))
        return 0;
    if (LAPACKE_dpocon_work(LAPACK_COL_MAJOR, 'L', (int)p, a, (int)p, norm,
                            &rcond, work, iwork) != 0)
        return 0;
    return rcond;
}

/* -- the rows themselves ----------------------------------------------- */

static void name_columns(const struct ens_learn_job *job,
                         const struct ens_rows *rows, const double *share)
{
    char text[400] = "columns depend on each other (solution of least norm "
                     "taken):";
    size_t used = strlen(text), n = 0;

    for (size_t j = 0; j < rows->p && n <= MAX_NAMES; j++)
        if (share[j] > 1e-6) {
            used += (size_t)snprintf(text + used, sizeof(text) - used,
                                     n == MAX_NAMES ? "%s ..." : "%s %.50s",
                                     n > 0 && n < MAX_NAMES ? "," : "",
                                     rows->column[j]);
            n++;
        }
    if (n > 0)
        job->warn(job, text);
}

/* v -= its part along u; both rows of p elements, p apart. */
static void take_off(double *v, const double *u, size_t p)
{
    cblas_daxpy((int)p, -cblas_ddot((int)p, u, (int)p, v, (int)p), u, (int)p, v,
                (int)p);
}

/* Takes from b its part in the null space, of which rows rank .. p-1 of vt are
 * a basis in the columns divided by d. *share: how far each column is in it. */
static void shorten(double *vt, size_t p, size_t rank, const double *d,
                    double *b, double *share)
{
    for (size_t i = rank; i < p; i++) {
        double *v = vt + i, length;

        for (size_t j = 0; j < p; j++) {
            share[j] = fmax(share[j], fabs(v[j * p]));
            v[j * p] /= d[j];
        }
        /* twice: once leaves what rounding mixed in */
        for (int turn = 0; turn < 2; turn++)
            for (size_t k = rank; k < i; k++)
                take_off(v, vt + k, p);
        length = cblas_dnrm2((int)p, v, (int)p);
        for (size_t j = 0; j < p; j++)
            v[j * p] /= length;
        cblas_daxpy((int)p, -cblas_ddot((int)p, v, (int)p, b, 1), v, (int)p, b,
                    1);
    }
}

/* Rounding of a column against its spread: what is shorter cannot be told
 * from 0. */
static double cut_off(const struct ens_squares *q)
{
    double most = 0;

    for (size_t j = 0; q->centre && j < q->p; j++) {
        double var = q->c[j * q->p + j];

        if (var > 0)
            most = fmax(most, fabs(q->centre[j]) / sqrt(var));
    }
    return 1e-13 + 4 * DBL_EPSILON * most;
}

static enum ens_status solve_rows(const struct ens_squares *q,
                                  const struct ens_learn_job *job,
                                  const struct ens_rows *rows, double alpha,
                                  const double *d, double *b,
                                  struct ens_error *err)
{
    struct ens_tsqr t = {
        .centre = q->centre, .base = q->base, .scale = d, .alpha = alpha};
    double *vt, *share = job->alloc(job, q->p, sizeof(*share));
    size_t rank;
    enum ens_status s;

    if (share == NULL)
        return ens_linear_memory(err);
    s = ens_tsqr_rows(&t, job, rows, err);
    if (s == ENS_OK)
        s = ens_tsqr_solve(&t, job, cut_off(q), b, &rank, &vt, err);
    if (s != ENS_OK)
        return s;
    for (size_t j = 0; j < q->p; j++)
        b[j] /= d[j];
    shorten(vt, q->p, rank, d, b, share);
    for (size_t j = 0; j < q->p; j++)
        if (q->c[j * q->p + j] == 0)
            share[j] = b[j] = 0; /* constant, which is not what is meant */
    name_columns(job, rows, share);
    return ENS_OK;
}

uint64_t ens_squares_doubles(size_t p)
{
    return (uint64_t)p * p + 6 * p + ens_tsqr_doubles(p);
}

enum ens_status ens_squares_solve(const struct ens_squares *q,
                                  const struct ens_learn_job *job,
                                  const struct ens_rows *rows, double alpha,
                                  double *b, struct ens_error *err)
{
    size_t p = q->p;
    double *a = job->alloc(job, p * p + 4 * p + 1, sizeof(*a));
    int *iwork = job->alloc(job, p + 1, sizeof(*iwork));
    double *d, *work;

    if (a == NULL || iwork == NULL)
        return ens_linear_memory(err);
    d = a + p * p;
    work = d + p;
    scale(q, alpha / q->weight, d, a, b);
    if (p > 0 && !(factor(a, p, work, iwork) >= LEAST_RCOND))
        return solve_rows(q, job, rows, alpha, d, b, err);
    ens_cholesky_solve(a, p, b);
    for (size_t j = 0; j < p; j++)
        b[j] /= d[j];
    return ENS_OK;
}

enum ens_status ens_squares_fit(const struct ens_learn_job *job,
                                const struct ens_rows *rows, int intercept,
                                double alpha, struct ens_error *err)
{
    const struct ens_moments *m;
    struct ens_squares q;
    double *b = NULL;
    enum ens_status s = ens_linear_check(rows, err);

    if (s == ENS_OK)
        s = rows->moments(rows, &m, err);
    if (s == ENS_OK)
        s = ens_squares_init(&q, job, m, intercept, err);
    if (s != ENS_OK)
        return s;
    b = job->alloc(job, q.p + 1, sizeof(*b));
    if (b == NULL)
        return ens_linear_memory(err);
    s = ens_squares_solve(&q, job, rows, alpha, b, err);
    return s == ENS_OK ? ens_squares_model(&q, job, b, err) : s;
}
