#include "fit/lsq.h"

#include "math/linalg.h"
#include "math/sums.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* LAPACK's integers. */
#define MAX_ROWS    ((size_t)INT32_MAX)
#define MAX_COLUMNS ((size_t)1 << 20)

size_t ens_lsq_work(size_t n, size_t p)
{
    if (n > MAX_ROWS || p > MAX_COLUMNS)
        return SIZE_MAX;
    return p * p + n * p + ENS_GRAM_WORK(p);
}

void ens_lsq_init(struct ens_lsq *q, const struct ens_fit_problem *problem,
                  double *work)
{
    size_t p = problem->p;

    q->problem = problem;
    q->factor = work;
    q->copy = work + p * p;
    q->work = q->copy + problem->n * p;
    q->is_qr = 0;
}

static void scale_rows(const struct ens_fit_problem *f, const double *w,
                       double *copy)
{
    for (size_t j = 0; j < f->p; j++)
        for (size_t i = 0; i < f->n; i++)
            copy[i + j * f->n] =
                w ? sqrt(w[i]) * f->x[i + j * f->n] : f->x[i + j * f->n];
}

enum ens_status ens_lsq_factor(struct ens_lsq *q, const double *w, double tol,
                               struct ens_error *err)
{
    const struct ens_fit_problem *f = q->problem;
    size_t rank;

    if (f->n < f->p)
        return ens_fail(err, ENS_EDOMAIN, "%zu complete rows for %zu terms",
                        f->n, f->p);
    ens_gram(f->x, f->n, f->p, w, q->factor, q->work);
    q->is_qr = !(ens_cholesky(q->factor, f->p) >= ENS_LSQ_MIN_RATIO);
    if (!q->is_qr)
        return ENS_OK;
    scale_rows(f, w, q->copy);
    rank = ens_qr_factor(q->copy, f->n, f->p, tol, q->factor, q->work);
    if (rank < f->p)
        return ens_fail(
            err, ENS_EDOMAIN, "term '%s' is aliased: %s the terms before it",
            f->term[rank], rank ? "a linear combination of" : "zero, without");
    return ENS_OK;
}

void ens_lsq_step(const struct ens_lsq *q, const double *r, double *b,
                  double *delta)
{
    const struct ens_fit_problem *f = q->problem;

    ens_cross(f->x, f->n, f->p, r, delta);
    ens_cholesky_solve(q->factor, f->p, delta);
    for (size_t j = 0; j < f->p; j++)
        b[j] += delta[j];
}

void ens_lsq_cov(const struct ens_lsq *q, double scale, double *cov)
{
    size_t p = q->problem->p;

    ens_cholesky_inverse(q->factor, p, cov);
    for (size_t k = 0; k < p * p; k++)
        cov[k] *= scale;
}

static void take_offset(const struct ens_fit_problem *problem, double *r)
{
    for (size_t i = 0; problem->offset && i < problem->n; i++)
        r[i] -= problem->offset[i];
}

/* The first step solves, the others refine: Bjorck (1987), "Stability analysis
 * of the method of seminormal equations", doi:10.1016/0024-3795(87)90101-7. */
double ens_lsq_solve(const struct ens_lsq *q, double *b, double *r,
                     double *delta)
{
    const struct ens_fit_problem *f = q->problem;

    memset(b, 0, f->p * sizeof(*b));
    memcpy(r, f->y, f->n * sizeof(*r));
    take_offset(f, r);
    for (int step = 0; step < (q->is_qr ? 4 : 2); step++) {
        ens_lsq_step(q, r, b, delta);
        ens_times(f->x, f->n, f->p, b, r);
        for (size_t i = 0; i < f->n; i++)
            r[i] = f->y[i] - r[i];
        take_offset(f, r);
    }
    return ens_dot(r, r, f->n);
}

/* -- penalties --------------------------------------------------------------
 */

size_t ens_lsq_augmented_work(size_t n, size_t p)
{
    if (n > MAX_ROWS - MAX_COLUMNS || p > MAX_COLUMNS)
        return SIZE_MAX;
    return (n + p) * (p + 2);
}

void ens_lsq_augment(const struct ens_fit_problem *problem,
                     const double *weight, const double *centre, double *work,
                     struct ens_fit_problem *to)
{
    size_t n = problem->n, p = problem->p, all = n + p;
    double *x = work, *y = x + all * p, *offset = y + all;

    memcpy(y, problem->y, n * sizeof(*y));
    for (size_t j = 0; j < p; j++) {
        memcpy(x + j * all, problem->x + j * n, n * sizeof(*x));
        memset(x + j * all + n, 0, p * sizeof(*x));
        x[j * all + n + j] = sqrt(weight[j]);
        y[n + j] = centre ? sqrt(weight[j]) * centre[j] : 0;
    }
    if (problem->offset) {
        memcpy(offset, problem->offset, n * sizeof(*offset));
        memset(offset + n, 0, p * sizeof(*offset));
    }
    *to = *problem;
    to->n = all;
    to->x = x;
    to->y = y;
    to->offset = problem->offset ? offset : NULL;
}

/* -- ordinary ---------------------------------------------------------------
 */

/* As summary.lm has it: what is left is rounding. */
static void warn_of_perfection(const struct ens_fit_problem *problem,
                               const double *r, struct ens_fit_result *result)
{
    size_t n = problem->n;
    double mean = 0, m2 = 0;

    for (size_t i = 0; i < n; i++) {
        double fitted = problem->y[i] - r[i], d = fitted - mean;

        mean += d / (double)(i + 1);
        m2 += d * (fitted - mean);
    }
    if (!(result->deviance / result->df >
          (mean * mean + m2 / ((double)n - 1)) * 1e-30))
        ens_fit_warn(result, "essentially perfect fit: standard errors may "
                             "be unreliable");
}

size_t ens_lsq_gaussian_work(size_t n, size_t p)
{
    size_t base = ens_lsq_work(n, p);

    return base == SIZE_MAX ? base : base + n + p;
}

enum ens_status ens_lsq_gaussian(const struct ens_fit_options *o,
                                 const struct ens_fit_problem *problem,
                                 double *work, struct ens_fit_result *result,
                                 struct ens_error *err)
{
    size_t n = problem->n, p = problem->p;
    double *r = work + ens_lsq_work(n, p);
    double *delta = r + n;
    struct ens_lsq q;
    enum ens_status s;

    ens_lsq_init(&q, problem, work);
    s = ens_lsq_factor(&q, NULL, 1e-7, err); /* lm's tolerance */
    if (s != ENS_OK)
        return s;
    result->iterations = 1;
    result->deviance = ens_lsq_solve(&q, result->estimate, r, delta);
    result->df = (double)(n - p);
    result->sigma = sqrt(result->deviance / result->df);
    if (n == p) {
        result->sigma = NAN;
        ens_fit_warn(result, "no residual degrees of freedom");
    } else {
        warn_of_perfection(problem, r, result);
    }
    ens_lsq_cov(&q, result->sigma * result->sigma, result->cov);
    return ens_fit_limits(result, problem, o->level, err);
}
