/* Poisson regression with a log link, as scikit-learn's PoissonRegressor:
 * minimises half the mean deviance plus alpha/2 times the sum of squared
 * coefficients, but the intercept's. */
#include "learn/learners/learners.h"
#include "learn/learners/settings.h"
#include "learn/newton.h"

#include <math.h>
#include <string.h>

#define MAX_STEPS 100
#define NO_COUNTS -700.0 /* log of a mean where all are 0 */

struct poisson {
    int intercept;
    double alpha;
};

const struct ens_setting ens_learner_poisson_settings[] = {
    ENS_LEARN_SETTING_INTERCEPT,
    ENS_LEARN_SETTING_ALPHA("1", "weight of half the sum of squared "
                                 "coefficients beside half the mean deviance"),
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **options_, struct ens_error *err)
{
    struct poisson *o = setup->alloc(setup, 1, sizeof(*o));

    if (o == NULL)
        return ens_linear_memory(err);
    o->intercept = setup->value(setup, "intercept")->i != 0;
    o->alpha = setup->value(setup, "alpha")->d;
    *options_ = o;
    return ENS_OK;
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    (void)options_;
    (void)n;
    return ens_newton_doubles(p, 1) * sizeof(double);
}

/* Sum of weights, and of weights times response. */
static enum ens_status sum_rows(const struct ens_rows *train, double *weight,
                                double *sum, struct ens_error *err)
{
    double y[ENS_LEARN_BLOCK], w[ENS_LEARN_BLOCK];

    for (uint64_t at = 0; at < train->n; at += ENS_LEARN_BLOCK) {
        size_t n = train->n - at < ENS_LEARN_BLOCK ? (size_t)(train->n - at)
                                                   : ENS_LEARN_BLOCK;

        train->y(train, at, n, y);
        train->w(train, at, n, w);
        for (size_t i = 0; i < n; i++) {
            if (!(y[i] >= 0))
                return ens_fail(err, ENS_EDOMAIN,
                                "the response is %.15g in row %llu; at least "
                                "0",
                                y[i], (unsigned long long)(at + i + 1));
            *weight += w[i];
            *sum += w[i] * y[i];
        }
    }
    return *weight > 0 ? ENS_OK
                       : ens_fail(err, ENS_EDOMAIN, "all weights are 0");
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct poisson *o = job->options;
    struct ens_newton newton = {
        .loss = ENS_NEWTON_POISSON, .n_out = 1, .intercept = o->intercept};
    double weight = 0, sum = 0;
    struct ens_newton_fit f;
    struct ens_linear *l;
    enum ens_status s = ens_linear_check(train, err);

    if (s != ENS_OK)
        return s;
    l = ens_linear_new(job, train->p, 1, ENS_LINEAR_EXP);
    if (l == NULL)
        return ens_linear_memory(err);
    s = sum_rows(train, &weight, &sum, err);
    if (s != ENS_OK)
        return s;
    if (!(sum > 0) && o->intercept) {
        job->warn(job, "all responses are 0");
        *ens_linear_base(l, 0) = NO_COUNTS;
        return ENS_OK;
    }
    newton.l2 = o->alpha * weight;
    s = ens_newton_open(&newton, job, train, &f, err);
    if (s != ENS_OK)
        return s;
    if (o->intercept)
        f.b[train->p] = log(sum / weight);
    s = ens_newton_run(&newton, job, train, MAX_STEPS, &f, err);
    if (s != ENS_OK)
        return s;
    if (!f.converged)
        job->warn(job, "Newton's method did not converge");
    else if (f.singular)
        job->warn(job, "columns depend on each other: a solution of least "
                       "norm taken");
    memcpy(ens_linear_centre(l), f.centre, train->p * sizeof(double));
    memcpy(ens_linear_coef(l, 0), f.b, train->p * sizeof(double));
    *ens_linear_base(l, 0) = f.b[train->p];
    return ENS_OK;
}

const struct ens_learner ens_learner_poisson = {
    .families = ENS_LEARN_REGRESSION,
    .uses = ENS_LEARN_WEIGHTS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = ens_linear_predict,
};
