#include "fit/irls.h"

#include <float.h>
#include <math.h>

#define MAX_ETA 30.0 /* make.link("logit") */
#define NEAR    (10 * DBL_EPSILON)
/* A probability is at least DBL_EPSILON: a product of 16 does not underflow,
 * and one log does for all of them. */
#define PROBABILITIES 16

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
static double binomial_deviance(const struct ens_irls *g, const double *y)
{
    size_t n = g->n;
    double sum = 0;

    for (size_t first = 0; first < n; first += PROBABILITIES) {
        size_t end = first + PROBABILITIES < n ? first + PROBABILITIES : n;
        double product = 1;

        for (size_t i = first; i < end; i++)
            product *= y[i] != 0 ? g->mu[i] : 1 - g->mu[i];
        sum += log(product);
    }
    return -2 * sum;
}

/* mu' = V but at the ends */
static void binomial_weigh(struct ens_irls *g, const double *y)
{
    for (size_t i = 0; i < g->n; i++) {
        g->w[i] = g->mu[i] * (1 - g->mu[i]);
        g->r[i] = y[i] - g->mu[i];
        if (fabs(g->eta[i]) > MAX_ETA) {
            g->r[i] *= DBL_EPSILON / g->w[i];
            g->w[i] = DBL_EPSILON * DBL_EPSILON / g->w[i];
        }
    }
}

/* mustart = (y + 1/2) / 2 */
static void binomial_start(struct ens_irls *g, const double *y)
{
    const double eta = log(3); /* of mu = 3/4 */

    for (size_t i = 0; i < g->n; i++) {
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

const struct ens_irls_family ens_irls_binomial = {
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

static double poisson_deviance(const struct ens_irls *g, const double *y)
{
    const double *mu = g->mu;
    double sum = 0;

    for (size_t i = 0; i < g->n; i++)
        sum += y[i] > 0 ? y[i] * log(y[i] / mu[i]) - (y[i] - mu[i]) : mu[i];
    return 2 * sum;
}

static void poisson_weigh(struct ens_irls *g, const double *y)
{
    for (size_t i = 0; i < g->n; i++) {
        g->w[i] = g->mu[i];
        g->r[i] = y[i] - g->mu[i];
    }
}

/* mustart = y + 1/10 */
static void poisson_start(struct ens_irls *g, const double *y)
{
    for (size_t i = 0; i < g->n; i++) {
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

const struct ens_irls_family ens_irls_poisson = {
    .mean = exponential,
    .deviance = poisson_deviance,
    .weigh = poisson_weigh,
    .start = poisson_start,
    .is_response = is_count,
    .is_extreme = is_nothing,
    .takes = "family poisson takes whole numbers from 0",
    .extremes = "fitted rates numerically 0 occurred",
};

/* -- gamma, log link --------------------------------------------------------
 */

static double gamma_deviance(const struct ens_irls *g, const double *y)
{
    double sum = 0;

    for (size_t i = 0; i < g->n; i++) {
        double d = (y[i] - g->mu[i]) / g->mu[i];

        sum += d - log1p(d);
    }
    return 2 * sum;
}

/* mu' = mu, V = mu^2 */
static void gamma_weigh(struct ens_irls *g, const double *y)
{
    for (size_t i = 0; i < g->n; i++) {
        g->w[i] = 1;
        g->r[i] = (y[i] - g->mu[i]) / g->mu[i];
    }
}

/* mustart = y */
static void gamma_start(struct ens_irls *g, const double *y)
{
    for (size_t i = 0; i < g->n; i++) {
        g->mu[i] = y[i];
        g->eta[i] = log(y[i]);
    }
}

static int is_positive(double y)
{
    return y > 0;
}

const struct ens_irls_family ens_irls_gamma = {
    .mean = exponential,
    .deviance = gamma_deviance,
    .weigh = gamma_weigh,
    .start = gamma_start,
    .is_response = is_positive,
    .takes = "family gamma takes numbers above 0",
};

/* -- negative binomial, log link --------------------------------------------
 */

static double negbinomial_deviance(const struct ens_irls *g, const double *y)
{
    const double *mu = g->mu;
    double phi = g->phi, sum = 0;

    for (size_t i = 0; i < g->n; i++) {
        sum -= (y[i] + phi) * log1p((y[i] - mu[i]) / (mu[i] + phi));
        sum += y[i] > 0 ? y[i] * log(y[i] / mu[i]) : 0;
    }
    return 2 * sum;
}

static void negbinomial_weigh(struct ens_irls *g, const double *y)
{
    for (size_t i = 0; i < g->n; i++) {
        double v = 1 + g->mu[i] / g->phi; /* V / mu */

        g->w[i] = g->mu[i] / v;
        g->r[i] = (y[i] - g->mu[i]) / v;
    }
}

const struct ens_irls_family ens_irls_negbinomial = {
    .mean = exponential,
    .deviance = negbinomial_deviance,
    .weigh = negbinomial_weigh,
    .start = poisson_start,
    .is_response = is_count,
    .is_extreme = is_nothing,
    .takes = "family negbinomial takes whole numbers from 0",
    .extremes = "fitted rates numerically 0 occurred",
};
