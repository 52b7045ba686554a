/* Ridge regression: minimises |y - Xb|^2 + lambda sum of b[j]^2 over all terms
 * but the intercept; with `scale`, over predictors divided by their standard
 * deviations (of n, not n - 1), as MASS::lm.ridge.
 *
 * With A = X'X + lambda D and H = X A^-1 X': standard errors from
 * s^2 A^-1 X'X A^-1, s^2 = |y - Xb|^2 / (n - tr H), which leave out that
 * shrunken estimates are biased; limits from t with n - tr H degrees. */
#include "fit/fitter.h"

#include "fit/formula.h"
#include "fit/lsq.h"
#include "math/linalg.h"
#include "math/sums.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

struct ridge {
    double lambda;
    int scale;
};

const struct ens_setting ens_fitter_ridge_settings[] = {
    ENS_FIT_SETTING_FORMULA,
    {.section = "fit",
     .key = "lambda",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "1",
     .min = 0,
     .max = 1e300,
     .help = "weight of the squared coefficients, but the intercept's, beside "
             "the sum of squared residuals"},
    {.section = "fit",
     .key = "scale",
     .type = ENS_T_BOOL,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "no",
     .help = "yes: of coefficients of predictors divided by their standard "
             "deviations, as MASS::lm.ridge"},
    ENS_FIT_SETTING_LEVEL,
};

static enum ens_status options(const struct ens_fit_setup *setup,
                               const struct ens_cell *cell, const char *role,
                               struct ens_fit_options *o, struct ens_error *err)
{
    struct ridge *own = setup->alloc(setup, 1, sizeof(*own));

    if (own == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "options");
    own->lambda = ens_cell_value(cell, role, "lambda")->d;
    own->scale = ens_cell_value(cell, role, "scale")->i != 0;
    o->own = own;
    o->family = ENS_FAMILY_GAUSSIAN;
    o->link = ENS_LINK_IDENTITY;
    return ens_fit_level(cell, role, &o->level, err);
}

static double variance(const double *x, size_t n)
{
    double mean = ens_sum(x, n) / (double)n, sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum / (double)n;
}

static void weigh(const struct ridge *own,
                  const struct ens_fit_problem *problem, double *weight)
{
    for (size_t j = 0; j < problem->p; j++) {
        const double *x = problem->x + j * problem->n;
        int is_free = strcmp(problem->term[j], ENS_FORMULA_INTERCEPT) == 0;

        weight[j] = is_free ? 0 : own->lambda;
        if (own->scale && !is_free)
            weight[j] *= variance(x, problem->n);
    }
}

static size_t work_size(size_t n, size_t p)
{
    size_t augmented = ens_lsq_augmented_work(n, p);
    size_t base = ens_lsq_gaussian_work(n + p, p);

    if (augmented == SIZE_MAX || base == SIZE_MAX)
        return SIZE_MAX;
    return augmented + base + p + 3 * p * p + ENS_GRAM_WORK(p);
}

/* out = A B, p x p both, the second symmetric and in its lower triangle. */
static void multiply(const double *a, const double *b, size_t p, double *out)
{
    for (size_t j = 0; j < p; j++)
        for (size_t i = 0; i < p; i++) {
            double sum = 0;

            for (size_t k = 0; k < p; k++)
                sum += a[i + k * p] * (k >= j ? b[k + j * p] : b[j + k * p]);
            out[i + j * p] = sum;
        }
}

/* cov = A^-1 G A^-1, G = X'X; returns the trace of H, which is that of A^-1 G.
 * two: 2 p x p of scratch, the first one holds G. */
static double sandwich(const double *inverse, double *two, size_t p,
                       double *cov)
{
    double *half = two + p * p;
    double trace = 0;

    multiply(inverse, two, p, half);
    multiply(half, inverse, p, cov);
    for (size_t k = 0; k < p; k++)
        trace += half[k + k * p];
    return trace;
}

static enum ens_status fit(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result, struct ens_error *err)
{
    static const struct ridge defaults = {.lambda = 1};
    size_t n = problem->n, p = problem->p;
    double *weight = work, *inverse = weight + p;
    double *two = inverse + p * p, *gram_work = two + 2 * p * p;
    double *augmented = gram_work + ENS_GRAM_WORK(p);
    double *base = augmented + ens_lsq_augmented_work(n, p);
    double *r = base + ens_lsq_work(n + p, p);
    struct ens_fit_problem all;
    struct ens_lsq q;
    enum ens_status s;

    (void)job;
    weigh(o->own != NULL ? o->own : &defaults, problem, weight);
    ens_lsq_augment(problem, weight, NULL, augmented, &all);
    ens_lsq_init(&q, &all, base);
    s = ens_lsq_factor(&q, NULL, 1e-7, err);
    if (s != ENS_OK)
        return s;
    ens_lsq_solve(&q, result->estimate, r, r + n + p);
    ens_lsq_cov(&q, 1, inverse);
    ens_gram(problem->x, n, p, NULL, two, gram_work);
    result->iterations = 1;
    result->deviance = ens_dot(r, r, n);
    result->df = (double)n - sandwich(inverse, two, p, result->cov);
    result->sigma = sqrt(result->deviance / result->df);
    if (!(result->df > 1e-9 * (double)n)) {
        result->sigma = NAN;
        ens_fit_warn(result, "no residual degrees of freedom");
    }
    for (size_t k = 0; k < p * p; k++)
        result->cov[k] *= result->sigma * result->sigma;
    return ens_fit_limits(result, problem, o->level, err);
}

const struct ens_fitter ens_fitter_ridge = {
    .delivers = ENS_FIT_FREQUENTIST,
    .options = options,
    .work = work_size,
    .fit = fit,
};
