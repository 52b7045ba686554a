/* Bayesian regression with the conjugate prior, exactly:
 *
 *   y ~ N(X beta, sigma^2),  beta | sigma^2 ~ N(m0, sigma^2 L0^-1),
 *   sigma^2 ~ IG(a0, b0);    L0 = prior_precision * I, m0 = prior_mean.
 *
 * Posterior: Ln = L0 + X'X, mn = Ln^-1 (L0 m0 + X'y), an = a0 + n/2,
 * bn = b0 + (|y - X mn|^2 + (mn - m0)'L0(mn - m0)) / 2; beta is t with 2 an
 * degrees of freedom about mn with scale matrix (bn/an) Ln^-1. Estimates are
 * posterior means, standard errors posterior standard deviations, limits
 * quantiles, all in closed form; draws are made where they are asked for.
 *
 * Source: Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., 14.2-14.3.
 * Stream "fit", draw by draw: sigma^2, then a normal per term. */
#include "fit/fitter.h"

#include "fit/lsq.h"
#include "math/quantile.h"
#include "math/rng.h"
#include "math/sums.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdint.h>

#define DRAWS 1000 /* where they are wanted */

struct nig {
    const struct ens_value *mean; /* of each term, or one for all */
    double precision, a0, b0;
    size_t n_draws; /* SIZE_MAX: as many as are wanted */
};

#define NUMBER(key_, def_, min_, text)                                         \
    {                                                                          \
        .section = "fit", .key = key_, .type = ENS_T_NUM, .shape = ENS_AXIS,   \
        .cls = ENS_C_CELL, .def = def_, .min = min_, .max = 1e300,             \
        .help = text                                                           \
    }

const struct ens_setting ens_fitter_normal_inverse_gamma_settings[] = {
    ENS_FIT_SETTING_FORMULA,
    {.section = "fit",
     .key = "prior_mean",
     .type = ENS_T_VECTOR,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "0",
     .help = "prior mean of the coefficients: one number, or one per term"},
    NUMBER("prior_precision", "1e-6", 0,
           "prior precision of each coefficient, times sigma^2"),
    NUMBER("a0", "2", 0, "shape of the inverse gamma prior of sigma^2"),
    NUMBER("b0", "1e-6", 0, "scale of the inverse gamma prior of sigma^2"),
    {.section = "fit",
     .key = "draws",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "",
     .min = 0,
     .max = 1e7,
     .help = "independent draws from the posterior; not set: 1000 when a "
             "metric or the item draws is made of them, else none: estimates "
             "and limits need none"},
    ENS_FIT_SETTING_LEVEL,
};

static enum ens_status options(const struct ens_fit_setup *setup,
                               const struct ens_cell *cell, const char *role,
                               struct ens_fit_options *o, struct ens_error *err)
{
    const struct ens_value *draws = ens_cell_value(cell, role, "draws");
    struct nig *own = setup->alloc(setup, 1, sizeof(*own));

    if (own == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "options");
    own->mean = ens_cell_value(cell, role, "prior_mean");
    own->precision = ens_cell_value(cell, role, "prior_precision")->d;
    own->a0 = ens_cell_value(cell, role, "a0")->d;
    own->b0 = ens_cell_value(cell, role, "b0")->d;
    own->n_draws = draws->set ? (size_t)draws->i : SIZE_MAX;
    o->own = own;
    o->family = ENS_FAMILY_GAUSSIAN;
    o->link = ENS_LINK_IDENTITY;
    return ens_fit_level(cell, role, &o->level, err);
}

static enum ens_status parameters(const struct ens_fit_setup *setup,
                                  const struct ens_fit_options *o,
                                  const struct ens_fit_problem *shape,
                                  struct ens_parameter **list, size_t *n,
                                  struct ens_error *err)
{
    const struct nig *own = o->own;

    if (own->mean->n_vec != 1 && own->mean->n_vec != shape->p)
        return ens_fail(err, ENS_ESTUDY,
                        "prior_mean: %zu numbers for %zu terms",
                        own->mean->n_vec, shape->p);
    *list = setup->alloc(setup, 1, sizeof(**list));
    if (*list == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "parameters");
    (*list)->name = "sigma";
    *n = 1;
    return ENS_OK;
}

static size_t work_size(size_t n, size_t p)
{
    size_t augmented = ens_lsq_augmented_work(n, p);
    size_t base = ens_lsq_gaussian_work(n + p, p);

    return augmented == SIZE_MAX || base == SIZE_MAX ? SIZE_MAX
                                                     : augmented + base + 2 * p;
}

/* The posterior: mn in the result's estimates, Ln in q. */
struct posterior {
    struct ens_lsq q;
    double a, b;
};

/* -- closed forms -----------------------------------------------------------
 */

static void put_terms(const struct posterior *f, double level, size_t p,
                      struct ens_fit_result *r)
{
    double half = ens_quantile_halfwidth(level, 2 * f->a);

    ens_lsq_cov(&f->q, f->b / (f->a - 1), r->cov);
    for (size_t j = 0; j < p; j++) {
        double sd = sqrt(r->cov[j + j * p]);
        double scale = sd * sqrt((f->a - 1) / f->a);

        r->std_error[j] = sd;
        r->conf_low[j] = r->estimate[j] - half * scale;
        r->conf_high[j] = r->estimate[j] + half * scale;
    }
}

/* E sigma = sqrt(b) gamma(a - 1/2) / gamma(a) and sd sigma, for b = 1. Their
 * difference b / (a - 1) - (E sigma)^2 loses digits as a grows: with x =
 * a - 1/2, (gamma(x + 1/2) / gamma(x))^2 = x - 1/4 + 1/(32 x) + ... (Graham,
 * Knuth and Patashnik 1994, ex. 9.60), and nothing cancels. */
static void sigma_moments(double a, double *mean, double *sd)
{
    static const double c[] = {-0.25,        1. / 32,     1. / 128,
                               -5. / 2048,   -23. / 8192, 53. / 65536,
                               593. / 262144};
    double x = a - 0.5, excess = 0, square;

    if (x < 50) {
        *mean = exp(gsl_sf_lngamma(x) - gsl_sf_lngamma(a));
        *sd = sqrt(1 / (a - 1) - *mean * *mean);
        return;
    }
    for (size_t k = sizeof(c) / sizeof(*c); k-- > 0;)
        excess = excess / x + c[k];
    square = x + excess;
    *mean = 1 / sqrt(square);
    *sd = sqrt((excess + 0.5) / (square * (x - 0.5)));
}

static void put_sigma(const struct posterior *f, double level, size_t p,
                      struct ens_fit_result *r)
{
    double tail = (1 - level) / 2, root = sqrt(f->b), mean, sd;

    if (r->n_parameters <= p)
        return;
    sigma_moments(f->a, &mean, &sd);
    r->estimate[p] = root * mean;
    r->std_error[p] = root * sd;
    r->conf_low[p] = root / sqrt(gsl_cdf_gamma_Qinv(tail, f->a, 1));
    r->conf_high[p] = root / sqrt(gsl_cdf_gamma_Pinv(tail, f->a, 1));
}

/* -- draws ------------------------------------------------------------------
 */

static void draw(const struct posterior *f, struct ens_rng *g,
                 const double *mean, size_t p, size_t n, size_t i,
                 double *value)
{
    double sigma = sqrt(f->b / gsl_ran_gamma(&g->gsl, f->a, 1));
    const double *l = f->q.factor;

    value[p * n + i] = sigma;
    for (size_t j = 0; j < p; j++)
        value[j * n + i] = ens_rng_normal(g);
    for (size_t j = p; j-- > 0;) { /* L'v = z */
        double v = value[j * n + i];

        for (size_t k = j + 1; k < p; k++)
            v -= l[k + j * p] * value[k * n + i];
        value[j * n + i] = v / l[j + j * p];
    }
    for (size_t j = 0; j < p; j++)
        value[j * n + i] = mean[j] + sigma * value[j * n + i];
}

static enum ens_status put_draws(const struct ens_job *job,
                                 const struct posterior *f, size_t p, size_t n,
                                 struct ens_fit_result *r,
                                 struct ens_error *err)
{
    struct ens_rng *g = job->host->rng(job->result, "fit");
    double *value = job->host->alloc(job->result, n * (p + 1), sizeof(*value));

    if (value == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%zu draws", n);
    for (size_t i = 0; i < n; i++)
        draw(f, g, r->estimate, p, n, i, value);
    r->draws = (struct ens_draws){
        .n_chains = 1, .n_draws = n, .independent = 1, .value = value};
    return ENS_OK;
}

/* -- fit --------------------------------------------------------------------
 */

static void set_prior(const struct nig *own, size_t p, double *weight,
                      double *centre)
{
    for (size_t j = 0; j < p; j++) {
        weight[j] = own->precision;
        centre[j] = own->mean == NULL       ? 0
                    : own->mean->n_vec == 1 ? own->mean->vec[0]
                                            : own->mean->vec[j];
    }
}

static enum ens_status solve(struct posterior *f, const struct nig *own,
                             const struct ens_fit_problem *problem,
                             double *work, struct ens_fit_result *r,
                             struct ens_error *err)
{
    size_t n = problem->n, p = problem->p;
    double *weight = work, *centre = weight + p, *augmented = centre + p;
    double *base = augmented + ens_lsq_augmented_work(n, p);
    double *left = base + ens_lsq_work(n + p, p);
    struct ens_fit_problem all;
    double sum;
    enum ens_status s;

    set_prior(own, p, weight, centre);
    ens_lsq_augment(problem, weight, centre, augmented, &all);
    ens_lsq_init(&f->q, &all, base);
    if (n == 0) /* nothing but the prior */
        return ens_fail(err, ENS_EDOMAIN, "0 complete rows");
    s = ens_lsq_factor(&f->q, NULL, 1e-7, err);
    if (s != ENS_OK)
        return s;
    sum = ens_lsq_solve(&f->q, r->estimate, left, left + n + p);
    f->q.problem = problem; /* p is what covariances need */
    f->a = own->a0 + (double)n / 2;
    f->b = own->b0 + sum / 2;
    r->deviance = ens_dot(left, left, n);
    return ENS_OK;
}

static size_t count_draws(const struct ens_job *job,
                          const struct ens_fit_options *o,
                          const struct nig *own)
{
    if (own->n_draws != SIZE_MAX)
        return own->n_draws;
    return o->wants_draws || (job && job->host->keeps(job->result, "draws"))
               ? DRAWS
               : 0;
}

static enum ens_status fit(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result, struct ens_error *err)
{
    static const struct nig defaults = {NULL, 1e-6, 2, 1e-6, 0};
    const struct nig *own = o->own != NULL ? o->own : &defaults;
    size_t p = problem->p, n_draws = count_draws(job, o, own);
    struct posterior f;
    enum ens_status s = solve(&f, own, problem, work, result, err);

    if (s != ENS_OK)
        return s;
    if (!(f.a > 1))
        return ens_fail(err, ENS_EDOMAIN,
                        "the posterior has no variance: a0 + n/2 is %.15g",
                        f.a);
    if (!isfinite(f.b))
        return ens_fail(err, ENS_EDOMAIN, "the values are too large");
    if (!(f.b > 0))
        return ens_fail(err, ENS_EDOMAIN,
                        "the posterior is improper: b0 is 0 and the fit "
                        "perfect");
    result->iterations = 1;
    result->df = 2 * f.a;
    result->sigma = sqrt(f.b / (f.a - 1));
    put_terms(&f, o->level, p, result);
    put_sigma(&f, o->level, p, result);
    return n_draws > 0 ? put_draws(job, &f, p, n_draws, result, err) : ENS_OK;
}

const struct ens_fitter ens_fitter_normal_inverse_gamma = {
    .delivers = ENS_DELIVERS_INTERVALS | ENS_DELIVERS_DRAWS |
                ENS_DELIVERS_LOG_LIK | ENS_DELIVERS_PREDICTIONS,
    .options = options,
    .parameters = parameters,
    .work = work_size,
    .fit = fit,
};
