/* Metrics of the test set: y its response, m the mean prediction. */
#include "kinds/simulation/metrics/metrics.h"

#include "math/sums.h"

#include <math.h>

static enum ens_status check(const struct ens_metric_input *in, const double *v,
                             struct ens_error *err)
{
    const struct ens_predicted *t = in->test;

    if (t->n == 0)
        return ens_fail(err, ENS_EDOMAIN, "0 complete rows in the test set");
    for (size_t i = 0; i < t->n; i++)
        if (!isfinite(t->y[i]) || !isfinite(v[i]))
            return ens_fail(err, ENS_EDOMAIN,
                            "row %zu of the test set: not a finite number",
                            i + 1);
    return ENS_OK;
}

static double bias(double error)
{
    return error;
}

static double square(double error)
{
    return error * error;
}

static double mean_of(const struct ens_predicted *t, double (*f)(double))
{
    double sum = 0;

    for (size_t i = 0; i < t->n; i++)
        sum += f(t->mean[i] - t->y[i]);
    return sum / (double)t->n;
}

static enum ens_status mean_error(const struct ens_metric_input *in,
                                  double (*f)(double), double *value,
                                  struct ens_error *err)
{
    enum ens_status s = check(in, in->test->mean, err);

    if (s != ENS_OK)
        return s;
    value[0] = mean_of(in->test, f);
    return ENS_OK;
}

static enum ens_status compute_bias(const struct ens_job *job,
                                    const struct ens_metric_input *in,
                                    double *value, struct ens_error *err)
{
    (void)job;
    return mean_error(in, bias, value, err);
}

static enum ens_status compute_mae(const struct ens_job *job,
                                   const struct ens_metric_input *in,
                                   double *value, struct ens_error *err)
{
    (void)job;
    value[1] = (double)in->test->n;
    return mean_error(in, fabs, value, err);
}

static enum ens_status compute_mse(const struct ens_job *job,
                                   const struct ens_metric_input *in,
                                   double *value, struct ens_error *err)
{
    (void)job;
    value[1] = (double)in->test->n;
    return mean_error(in, square, value, err);
}

static enum ens_status compute_rmse(const struct ens_job *job,
                                    const struct ens_metric_input *in,
                                    double *value, struct ens_error *err)
{
    enum ens_status s = compute_mse(job, in, value, err);

    if (s == ENS_OK)
        value[0] = sqrt(value[0]);
    return s;
}

static enum ens_status compute_r2(const struct ens_job *job,
                                  const struct ens_metric_input *in,
                                  double *value, struct ens_error *err)
{
    const struct ens_predicted *t = in->test;
    struct ens_welford y = {0};
    enum ens_status s = check(in, t->mean, err);

    (void)job;
    if (s != ENS_OK)
        return s;
    for (size_t i = 0; i < t->n; i++)
        ens_welford_add(&y, t->y[i]);
    value[1] = (double)t->n;
    value[2] = !(y.m2 > 0); /* a constant response has no R2 */
    if (y.m2 > 0)
        value[0] = 1 - mean_of(t, square) * (double)t->n / y.m2;
    return ENS_OK;
}

static enum ens_status compute_elpd(const struct ens_job *job,
                                    const struct ens_metric_input *in,
                                    double *value, struct ens_error *err)
{
    const struct ens_predicted *t = in->test;
    enum ens_status s = check(in, t->elpd, err);

    (void)job;
    if (s != ENS_OK)
        return s;
    value[0] = ens_sum(t->elpd, t->n);
    value[1] = (double)t->n;
    return ENS_OK;
}

#define N_OBS                                                                  \
    {                                                                          \
        "n_obs", "rows", "rows predicted", 0                                   \
    }

static const struct ens_metric_field error_fields[] = {
    {"value", "", "error of the predictions of the test set", 0}, N_OBS};
static const struct ens_metric_field r2_fields[] = {
    {"value", "", "R2 of the predictions of the test set", 0},
    N_OBS,
    {"undefined", "", "1: the response is constant", 0}};
static const struct ens_metric_field elpd_fields[] = {
    {"value", "", "log predictive density of the test set", 0}, N_OBS};

#define PREDICTED(name, needed, n, fields, function)                           \
    const struct ens_metric ens_metric_##name = {                              \
        .needs = ENS_NEEDS_TEST | (needed),                                    \
        .n_fields = (n),                                                       \
        .field = fields,                                                       \
        .compute = function,                                                   \
    }

PREDICTED(pred_bias, ENS_NEEDS_PREDICTIONS, 1, error_fields, compute_bias);
PREDICTED(pred_mae, ENS_NEEDS_PREDICTIONS, 2, error_fields, compute_mae);
PREDICTED(pred_mse, ENS_NEEDS_PREDICTIONS, 2, error_fields, compute_mse);
PREDICTED(pred_rmse, ENS_NEEDS_PREDICTIONS, 2, error_fields, compute_rmse);
PREDICTED(r2_test, ENS_NEEDS_PREDICTIONS, 3, r2_fields, compute_r2);
PREDICTED(elpd_test, ENS_NEEDS_LOG_LIK, 2, elpd_fields, compute_elpd);
