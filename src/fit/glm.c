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
     .choices = "gaussian|binomial|poisson",
     .help = "gaussian (identity link, limits from t), binomial (logit link, "
             "response 0 or 1) or poisson (log link, whole response >= 0), "
             "with normal limits"},
    ENS_FIT_SETTING_LEVEL,
};

static enum ens_status options(const struct ens_fit_setup *setup,
                               const struct ens_cell *cell, const char *role,
                               struct ens_fit_options *o, struct ens_error *err)
{
    const char *family = ens_cell_value(cell, role, "family")->text;

    (void)setup;
    o->family = strcmp(family, "gaussian") == 0  ? ENS_FAMILY_GAUSSIAN
                : strcmp(family, "poisson") == 0 ? ENS_FAMILY_POISSON
                                                 : ENS_FAMILY_BINOMIAL;
    o->link = ens_family_link(o->family);
    return ens_fit_level(cell, role, &o->level, err);
}

struct irls;

struct family {
    void (*mean)(const double *eta, size_t n, double *mu);
    double (*deviance)(const double *y, const double *mu, size_t n);
    /* weights mu'^2 / V and weighted working residuals mu' (y - mu) / V,
     * where mu' = V but at the ends */
    void (*weigh)(struct irls *g, const double *y, size_t n);
    /* the first means and predictors */
    void (*start)(struct irls *g, const double *y, size_t n);
    int (*is_response)(double y);
    int (*is_extreme)(double mu);
    const char *takes;
    const char *extremes; /* the warning */
};

struct irls {
    const struct family *family;
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

static void irls_init(struct irls *g, const struct family *family,
                      const struct ens_fit_problem *problem, double *work)
{
    size_t n = problem->n;

    g->family = family;
    ens_lsq_init(&g->q, problem, work);
    g->eta = work + ens_lsq_work(n, problem->p);
    g->mu = g->eta + n;
    g->w = g->mu + n;
    g->r = g->w + n;
    g->delta = g->r + n;
}

/* -- binomial, logit link ---------------------------------------------------
 */

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
static double binomial_deviance(const double *y, const double *mu, size_t n)
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

static void binomial_weigh(struct irls *g, const double *y, size_t n)
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

/* mustart = (y + 1/2) / 2 */
static void binomial_start(struct irls *g, const double *y, size_t n)
{
    const double eta = log(3); /* of mu = 3/4 */

    for (size_t i = 0; i < n; i++) {
        g->mu[i] = (y[i] + 0.5) / 2;
        g->eta[i] = y[i] != 0 ? eta : -eta;
    }
}

static int is_zero_or_one(double y)
{
    return y == 0 || y == 1;
}

static int is_certain(double mu)
{
    return mu > 1 - NEAR || mu < NEAR;
}

static const struct family binomial = {
    .mean = logistic,
    .deviance = binomial_deviance,
    .weigh = binomial_weigh,
    .start = binomial_start,
    .is_response = is_zero_or_one,
    .is_extreme = is_certain,
    .takes = "family binomial takes 0 or 1",
    .extremes = "fitted probabilities numerically 0 or 1 occurred",
};

/* -- poisson, log link ------------------------------------------------------
 */

static void exponential(const double *eta, size_t n, double *mu)
{
    for (size_t i = 0; i < n; i++) {
        double e = exp(eta[i]);

        mu[i] = e > DBL_EPSILON ? e : DBL_EPSILON;
    }
}

static double poisson_deviance(const double *y, const double *mu, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += y[i] > 0 ? y[i] * log(y[i] / mu[i]) - (y[i] - mu[i]) : mu[i];
    return 2 * sum;
}

static void poisson_weigh(struct irls *g, const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g->w[i] = g->mu[i];
        g->r[i] = y[i] - g->mu[i];
    }
}

/* mustart = y + 1/10 */
static void poisson_start(struct irls *g, const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g->mu[i] = y[i] + 0.1;
        g->eta[i] = log(g->mu[i]);
    }
}

static int is_count(double y)
{
    return y >= 0 && y == floor(y);
}

static int is_nothing(double mu)
{
    return mu < NEAR;
}

static const struct family poisson = {
    .mean = exponential,
    .deviance = poisson_deviance,
    .weigh = poisson_weigh,
    .start = poisson_start,
    .is_response = is_count,
    .is_extreme = is_nothing,
    .takes = "family poisson takes whole numbers from 0",
    .extremes = "fitted rates numerically 0 occurred",
};

/* -- both -------------------------------------------------------------------
 */

static enum ens_status check_response(const struct family *family,
                                      const struct ens_fit_problem *problem,
                                      struct ens_error *err)
{
    for (size_t i = 0; i < problem->n; i++)
        if (!family->is_response(problem->y[i]))
            return ens_fail(
                err, ENS_EDOMAIN, "%s is %.15g in complete row %zu; %s",
                problem->response, problem->y[i], i + 1, family->takes);
    return ENS_OK;
}

/* The first fit is of the working response itself, less the offset. */
static double start(struct irls *g, const struct ens_fit_problem *problem)
{
    size_t n = problem->n;

    g->family->start(g, problem->y, n);
    g->family->weigh(g, problem->y, n);
    for (size_t i = 0; i < n; i++)
        g->r[i] +=
            g->w[i] * (g->eta[i] - (problem->offset ? problem->offset[i] : 0));
    return g->family->deviance(problem->y, g->mu, n);
}

static void warn_of_extremes(const struct irls *g, size_t n,
                             struct ens_fit_result *result)
{
    for (size_t i = 0; i < n; i++)
        if (g->family->is_extreme(g->mu[i])) {
            ens_fit_warn(result, g->family->extremes);
            return;
        }
}

static void predict(struct irls *g, const double *b)
{
    const struct ens_fit_problem *problem = g->q.problem;

    ens_times(problem->x, problem->n, problem->p, b, g->eta);
    for (size_t i = 0; problem->offset && i < problem->n; i++)
        g->eta[i] += problem->offset[i];
    g->family->mean(g->eta, problem->n, g->mu);
}

static enum ens_status iterate(struct irls *g, double *b,
                               struct ens_fit_result *result,
                               struct ens_error *err)
{
    const struct ens_fit_problem *problem = g->q.problem;
    size_t n = problem->n;
    double before = start(g, problem);
    enum ens_status s;

    memset(b, 0, problem->p * sizeof(*b));
    for (int k = 1; k <= MAX_ITERATIONS; k++) {
        /* min(1e-7, epsilon/1000), as glm.fit has it */
        s = ens_lsq_factor(&g->q, g->w, EPSILON / 1000, err);
        if (s != ENS_OK)
            return s;
        ens_lsq_step(&g->q, g->r, b, g->delta);
        predict(g, b);
        result->iterations = k;
        result->deviance = g->family->deviance(problem->y, g->mu, n);
        if (!isfinite(result->deviance))
            return ens_fail(err, ENS_EDOMAIN,
                            "diverged: the deviance is not finite");
        if (fabs(result->deviance - before) / (fabs(result->deviance) + 0.1) <
            EPSILON)
            return ENS_OK;
        before = result->deviance;
        g->family->weigh(g, problem->y, n);
    }
    ens_fit_warn(result, "algorithm did not converge in 25 iterations");
    return ENS_OK;
}

static enum ens_status fit(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result, struct ens_error *err)
{
    const struct family *family =
        o->family == ENS_FAMILY_POISSON ? &poisson : &binomial;
    struct irls g;
    enum ens_status s;

    (void)job;
    if (o->family == ENS_FAMILY_GAUSSIAN)
        return ens_lsq_gaussian(o, problem, work, result, err);
    s = check_response(family, problem, err);
    if (s != ENS_OK)
        return s;
    irls_init(&g, family, problem, work);
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
    .delivers = ENS_FIT_FREQUENTIST,
    .options = options,
    .work = work_size,
    .fit = fit,
};
