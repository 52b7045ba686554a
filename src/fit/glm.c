/* Generalised linear models by iteratively reweighted least squares, step by
 * step as R's glm.fit: its start values, its stop rule (change of deviance
 * below 1e-8, at most 25 iterations), the covariance of its last fit. */
#include "fit/fitter.h"

#include "fit/lsq.h"
#include "math/linalg.h"
#include "math/sums.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define EPSILON        1e-8
#define MAX_ITERATIONS 25
#define MAX_ETA        30.0 /* make.link("logit") */
#define NEAR           (10 * DBL_EPSILON)
/* A probability is at least DBL_EPSILON: a product of 16 does not underflow,
 * and one log does for all of them. */
#define PROBABILITIES 16

const struct ens_setting ens_fitter_glm_settings[] = {
    ENS_FIT_SETTING_FORMULA,
    {.section = "fit",
     .key = "family",
     .type = ENS_T_CHOICE,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "gaussian",
     .choices = "gaussian|binomial",
     .help = "gaussian (identity link, limits from t) or binomial (logit "
             "link, response 0 or 1, normal limits)"},
    ENS_FIT_SETTING_LEVEL,
};

static enum ens_status options(const struct ens_cell *cell, const char *role,
                               struct ens_fit_options *o, struct ens_error *err)
{
    o->is_normal =
        strcmp(ens_cell_value(cell, role, "family")->text, "gaussian") == 0;
    return ens_fit_level(cell, role, &o->level, err);
}

struct irls {
    struct ens_lsq q;
    double *eta; /* n each */
    double *mu;
    double *w; /* weights; then w times working residuals, in r */
    double *r;
    double *delta; /* p */
};

static size_t work_size(size_t n, size_t p)
{
    size_t base = ens_lsq_gaussian_work(n, p);

    return base == SIZE_MAX ? base : base + 4 * n;
}

static void irls_init(struct irls *g, const struct ens_fit_problem *problem,
                      double *work)
{
    size_t n = problem->n;

    ens_lsq_init(&g->q, problem, work);
    g->eta = work + ens_lsq_work(n, problem->p);
    g->mu = g->eta + n;
    g->w = g->mu + n;
    g->r = g->w + n;
    g->delta = g->r + n;
}

static void logistic(const double *eta, size_t n, double *mu)
{
    for (size_t i = 0; i < n; i++) {
        double odds = eta[i] < -MAX_ETA  ? DBL_EPSILON
                      : eta[i] > MAX_ETA ? 1 / DBL_EPSILON
                                         : exp(eta[i]);

        mu[i] = odds / (1 + odds);
    }
}

/* -2 log likelihood of 0/1 responses. */
static double deviance(const double *y, const double *mu, size_t n)
{
    double sum = 0;

    for (size_t first = 0; first < n; first += PROBABILITIES) {
        size_t end = first + PROBABILITIES < n ? first + PROBABILITIES : n;
        double product = 1;

        for (size_t i = first; i < end; i++)
            product *= y[i] != 0 ? mu[i] : 1 - mu[i];
        sum += log(product);
    }
    return -2 * sum;
}

/* Weights mu'^2 / V and weighted working residuals mu' (y - mu) / V, where
 * mu' = V but at the ends. */
static void weigh(struct irls *g, const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g->w[i] = g->mu[i] * (1 - g->mu[i]);
        g->r[i] = y[i] - g->mu[i];
        if (fabs(g->eta[i]) > MAX_ETA) {
            g->r[i] *= DBL_EPSILON / g->w[i];
            g->w[i] = DBL_EPSILON * DBL_EPSILON / g->w[i];
        }
    }
}

static enum ens_status check_response(const struct ens_fit_problem *problem,
                                      struct ens_error *err)
{
    for (size_t i = 0; i < problem->n; i++)
        if (problem->y[i] != 0 && problem->y[i] != 1)
            return ens_fail(err, ENS_EDOMAIN,
                            "%s is %.15g in complete row %zu; family binomial "
                            "takes 0 or 1",
                            problem->response, problem->y[i], i + 1);
    return ENS_OK;
}

/* mustart = (y + 1/2) / 2, the first fit is of the working response itself. */
static double start(struct irls *g, const double *y, size_t n)
{
    const double eta = log(3); /* of mu = 3/4 */

    for (size_t i = 0; i < n; i++) {
        g->mu[i] = (y[i] + 0.5) / 2;
        g->eta[i] = y[i] != 0 ? eta : -eta;
    }
    weigh(g, y, n);
    for (size_t i = 0; i < n; i++)
        g->r[i] += g->w[i] * g->eta[i];
    return deviance(y, g->mu, n);
}

static void warn_of_extremes(const struct irls *g, size_t n,
                             struct ens_fit_result *result)
{
    for (size_t i = 0; i < n; i++)
        if (g->mu[i] > 1 - NEAR || g->mu[i] < NEAR) {
            ens_fit_warn(result,
                         "fitted probabilities numerically 0 or 1 occurred");
            return;
        }
}

static enum ens_status iterate(struct irls *g, double *b,
                               struct ens_fit_result *result,
                               struct ens_error *err)
{
    const struct ens_fit_problem *problem = g->q.problem;
    size_t n = problem->n;
    double before = start(g, problem->y, n);
    enum ens_status s;

    memset(b, 0, problem->p * sizeof(*b));
    for (int k = 1; k <= MAX_ITERATIONS; k++) {
        /* min(1e-7, epsilon/1000), as glm.fit has it */
        s = ens_lsq_factor(&g->q, g->w, EPSILON / 1000, err);
        if (s != ENS_OK)
            return s;
        ens_lsq_step(&g->q, g->r, b, g->delta);
        ens_times(problem->x, n, problem->p, b, g->eta);
        logistic(g->eta, n, g->mu);
        result->iterations = k;
        result->deviance = deviance(problem->y, g->mu, n);
        if (fabs(result->deviance - before) / (fabs(result->deviance) + 0.1) <
            EPSILON)
            return ENS_OK;
        before = result->deviance;
        weigh(g, problem->y, n);
    }
    ens_fit_warn(result, "algorithm did not converge in 25 iterations");
    return ENS_OK;
}

static enum ens_status fit(const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result, struct ens_error *err)
{
    struct irls g;
    enum ens_status s;

    if (o->is_normal)
        return ens_lsq_gaussian(o, problem, work, result, err);
    s = check_response(problem, err);
    if (s != ENS_OK)
        return s;
    irls_init(&g, problem, work);
    s = iterate(&g, result->estimate, result, err);
    if (s != ENS_OK)
        return s;
    warn_of_extremes(&g, problem->n, result);
    result->sigma = 1;
    result->df = INFINITY;
    ens_lsq_cov(&g.q, 1, result->cov);
    return ens_fit_limits(result, problem, o->level, err);
}

const struct ens_fitter ens_fitter_glm = {
    .options = options,
    .work = work_size,
    .fit = fit,
};
