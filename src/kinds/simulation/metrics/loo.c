/* Metrics of the rows fitted, each as if left out. */
#include "kinds/simulation/metrics/metrics.h"

#include "math/sums.h"

#include <math.h>
#include <stdio.h>

static double k_max(const struct ens_loo *loo)
{
    double k = -INFINITY;

    for (size_t i = 0; i < loo->n; i++)
        k = loo->pareto_k[i] > k ? loo->pareto_k[i] : k;
    return k;
}

static enum ens_status check(const struct ens_loo *loo, struct ens_error *err)
{
    for (size_t i = 0; i < loo->n; i++)
        if (!isfinite(loo->elpd[i]) || isnan(loo->pareto_k[i]))
            return ens_fail(err, ENS_EDOMAIN,
                            "log likelihood of row %zu is not finite", i + 1);
    return loo->n > 0 ? ENS_OK : ens_fail(err, ENS_EDOMAIN, "0 rows");
}

static enum ens_status compute_elpd(const struct ens_job *job,
                                    const struct ens_metric_input *in,
                                    double *value, struct ens_error *err)
{
    const struct ens_loo *loo = in->loo;
    struct ens_welford elpd = {0};
    enum ens_status s = check(loo, err);

    (void)job;
    if (s != ENS_OK)
        return s;
    for (size_t i = 0; i < loo->n; i++)
        ens_welford_add(&elpd, loo->elpd[i]);
    value[0] = ens_sum(loo->elpd, loo->n);
    value[1] = ens_sum(loo->p_loo, loo->n);
    value[2] = sqrt((double)loo->n * ens_welford_var(&elpd));
    value[3] = k_max(loo);
    return ENS_OK;
}

static enum ens_status compute_rmse(const struct ens_job *job,
                                    const struct ens_metric_input *in,
                                    double *value, struct ens_error *err)
{
    const struct ens_loo *loo = in->loo;
    double sum = 0;
    enum ens_status s = check(loo, err);

    (void)job;
    if (s != ENS_OK)
        return s;
    for (size_t i = 0; i < loo->n; i++) {
        double error = loo->mean[i] - in->problem->y[i];

        sum += error * error;
    }
    value[0] = sqrt(sum / (double)loo->n);
    value[1] = ens_sum(loo->elpd, loo->n);
    value[2] = k_max(loo);
    return ENS_OK;
}

struct spread {
    double y, error; /* variances */
};

/* Under weights g[n] that add up to total. y and error are about centred. */
static struct spread weighted_spread(const double *g, double total,
                                     const double *y, const double *error,
                                     size_t n)
{
    double sum[4] = {0, 0, 0, 0};
    double scale = (double)n / ((double)n - 1);

    for (size_t i = 0; i < n; i++) {
        double w = g[i] / total;

        sum[0] += w * y[i];
        sum[1] += w * y[i] * y[i];
        sum[2] += w * error[i];
        sum[3] += w * error[i] * error[i];
    }
    return (struct spread){scale * (sum[1] - sum[0] * sum[0]),
                           scale * (sum[3] - sum[2] * sum[2])};
}

/* Mean over as many Dirichlet weightings of the rows as there are draws. */
static double bootstrap(const struct ens_job *job, struct ens_rng *g, double *w,
                        const double *y, const double *error, size_t n,
                        size_t draws)
{
    double sum = 0;
    size_t used = 0;

    for (size_t s = 0; s < draws; s++) {
        struct spread v;
        double total = 0;

        for (size_t i = 0; i < n; i++) {
            w[i] = -log1p(-job->host->uniform(g));
            total += w[i];
        }
        v = weighted_spread(w, total, y, error, n);
        if (!(v.y > 0))
            continue;
        sum += fmax(-1, fmin(1, 1 - v.error / v.y));
        used++;
    }
    return used > 0 ? sum / (double)used : NAN;
}

static enum ens_status compute_r2(const struct ens_job *job,
                                  const struct ens_metric_input *in,
                                  double *value, struct ens_error *err)
{
    const struct ens_loo *loo = in->loo;
    const struct ens_draws *d = &in->fit->draws;
    size_t n = loo->n;
    double *y = job->host->alloc(job->result, 3 * n, sizeof(*y));
    double *error = y + n, mean;
    char purpose[96];
    enum ens_status s = check(loo, err);

    if (s != ENS_OK)
        return s;
    if (y == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%zu rows", n);
    mean = ens_sum(in->problem->y, n) / (double)n;
    for (size_t i = 0; i < n; i++) {
        y[i] = in->problem->y[i] - mean;
        error[i] = loo->mean[i] - in->problem->y[i];
    }
    snprintf(purpose, sizeof(purpose), "metric.%s", in->name);
    value[0] = bootstrap(job, job->host->rng(job->result, purpose), error + n,
                         y, error, n, d->n_chains * d->n_draws);
    value[1] = ens_sum(loo->elpd, n);
    value[2] = isnan(value[0]); /* a constant response has no R2 */
    return ENS_OK;
}

#define ELPD                                                                   \
    {                                                                          \
        "elpd", "", "log predictive density, leave-one-out", 0                 \
    }
#define K_MAX                                                                  \
    {                                                                          \
        "pareto_k_max", "", "largest Pareto k; above 0.7 is bad", 0            \
    }

static const struct ens_metric_field elpd_fields[] = {
    ELPD,
    {"p_loo", "", "effective number of parameters", 0},
    {"se", "", "standard error of elpd", 0},
    K_MAX};
const struct ens_metric ens_metric_elpd_loo = {
    .needs = ENS_NEEDS_LOO,
    .n_fields = 4,
    .field = elpd_fields,
    .compute = compute_elpd,
};

static const struct ens_metric_field rmse_fields[] = {
    {"value", "", "root mean squared error, leave-one-out", 0}, ELPD, K_MAX};
const struct ens_metric ens_metric_rmse_loo = {
    .needs = ENS_NEEDS_LOO | ENS_NEEDS_EPRED,
    .n_fields = 3,
    .field = rmse_fields,
    .compute = compute_rmse,
};

static const struct ens_metric_field r2_fields[] = {
    {"value", "", "R2, leave-one-out", 0},
    ELPD,
    {"undefined", "", "1: the response is constant", 0}};
const struct ens_metric ens_metric_r2_loo = {
    .needs = ENS_NEEDS_LOO | ENS_NEEDS_EPRED | ENS_NEEDS_DRAWS,
    .n_fields = 3,
    .field = r2_fields,
    .compute = compute_r2,
};
