/* Metrics of the draws of each parameter: pos_prob, posterior_summary,
 * quantiles, crps. */
#include "kinds/simulation/metrics/metrics.h"

#include "math/quantile.h"
#include "math/sums.h"
#include "mcmc/scores.h"

#include <ensrun/plugin.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const struct ens_setting ens_metric_prob_settings[1] = {
    ENS_SETTING("metrics", "prob", NUM, ONE, STUDY, "0.95", 0, 1,
                "probability between the limits"),
};

#define P(i)                                                                   \
    ENS_SETTING("metrics", "p" #i, NUM, ONE, STUDY, "", 0, 1,                  \
                "probability of a quantile; none: 0.05, 0.5, 0.95")

const struct ens_setting ens_metric_quantiles_settings[ENS_METRIC_QUANTILES] = {
    P(1), P(2), P(3), P(4), P(5), P(6), P(7), P(8), P(9)};

/* value[n_parameters] of each parameter with draws, from f. */
typedef void draws_fn(const struct ens_metric_draws *d, double truth, double *v,
                      const struct ens_metric_input *in);

/* f gives n numbers of a parameter; they go to n blocks of value. */
static enum ens_status each(const struct ens_job *job,
                            const struct ens_metric_input *in, draws_fn *f,
                            size_t n, double *value, struct ens_error *err)
{
    struct ens_metric_draws d;
    double v[ENS_METRIC_QUANTILES];
    enum ens_status s = ens_metric_draws(job, in, &d, err);

    for (size_t j = 0; s == ENS_OK && j < in->n_parameters; j++) {
        if (!ens_metric_draws_of(in, j, &d))
            continue;
        f(&d, in->truth[j], v, in);
        for (size_t k = 0; k < n; k++)
            value[k * in->n_parameters + j] = v[k];
    }
    return s;
}

static enum ens_status mean_and_each(const struct ens_job *job,
                                     const struct ens_metric_input *in,
                                     draws_fn *f, double *value,
                                     struct ens_error *err)
{
    enum ens_status s = each(job, in, f, 1, value + 1, err);

    if (s == ENS_OK)
        value[0] = ens_metric_mean(value + 1, in->n_parameters);
    return s;
}

static void share_above(const struct ens_metric_draws *d, double truth,
                        double *v, const struct ens_metric_input *in)
{
    size_t n = 0;

    (void)truth;
    (void)in;
    for (size_t i = 0; i < d->n; i++)
        n += d->x[i] > 0;
    *v = (double)n / (double)d->n;
}

static enum ens_status compute_pos_prob(const struct ens_job *job,
                                        const struct ens_metric_input *in,
                                        double *value, struct ens_error *err)
{
    return mean_and_each(job, in, share_above, value, err);
}

static void crps(const struct ens_metric_draws *d, double truth, double *v,
                 const struct ens_metric_input *in)
{
    (void)in;
    *v = ens_crps_sorted(d->sorted, d->n, truth, 0);
}

static enum ens_status compute_crps(const struct ens_job *job,
                                    const struct ens_metric_input *in,
                                    double *value, struct ens_error *err)
{
    return mean_and_each(job, in, crps, value, err);
}

static void summary(const struct ens_metric_draws *d, double truth, double *v,
                    const struct ens_metric_input *in)
{
    double prob = ens_metric_number(in->call, 0);
    struct ens_welford m = {.n = d->n};

    (void)truth;
    m.mean = ens_sum(d->x, d->n) / (double)d->n;
    for (size_t i = 0; i < d->n; i++)
        m.m2 += (d->x[i] - m.mean) * (d->x[i] - m.mean);
    v[0] = m.mean;
    v[1] = ens_quantile_sorted(d->sorted, d->n, 0.5);
    v[2] = sqrt(ens_welford_var(&m));
    v[3] = ens_quantile_sorted(d->sorted, d->n, (1 - prob) / 2);
    v[4] = ens_quantile_sorted(d->sorted, d->n, (1 + prob) / 2);
}

static enum ens_status compute_summary(const struct ens_job *job,
                                       const struct ens_metric_input *in,
                                       double *value, struct ens_error *err)
{
    return each(job, in, summary, 5, value, err);
}

/* -- quantiles --------------------------------------------------------------
 */

/* The probabilities of a call, in its order. */
static size_t probabilities(const struct ens_call *call, double *p)
{
    static const double common[] = {0.05, 0.5, 0.95};
    size_t n = 0;

    for (size_t i = 0; i < call->n && i < ENS_METRIC_QUANTILES; i++) {
        double v = ens_metric_number(call, i);

        if (!isnan(v))
            p[n++] = v;
    }
    for (size_t i = 0; n == 0 && i < 3; i++)
        p[i] = common[i];
    return n > 0 ? n : 3;
}

/* "q2.5" of 0.025; two that round to one name are refused. */
static enum ens_status quantile_columns(const struct ens_call *call,
                                        struct ens_metric_field *field,
                                        size_t *n,
                                        char (*name)[ENS_METRIC_NAME],
                                        struct ens_error *err)
{
    double p[ENS_METRIC_QUANTILES];

    *n = probabilities(call, p);
    for (size_t i = 0; i < *n; i++) {
        snprintf(name[i], ENS_METRIC_NAME, "q%.6g", 100 * p[i]);
        field[i].name = name[i];
        for (size_t k = 0; k < i; k++)
            if (strcmp(name[i], name[k]) == 0)
                return ens_fail(err, ENS_ESTUDY, "%s: %g is there twice",
                                call->name, p[i]);
    }
    return ENS_OK;
}

static void quantiles(const struct ens_metric_draws *d, double truth, double *v,
                      const struct ens_metric_input *in)
{
    double p[ENS_METRIC_QUANTILES];
    size_t n = probabilities(in->call, p);

    (void)truth;
    for (size_t i = 0; i < n; i++)
        v[i] = ens_quantile_sorted(d->sorted, d->n, p[i]);
}

static enum ens_status compute_quantiles(const struct ens_job *job,
                                         const struct ens_metric_input *in,
                                         double *value, struct ens_error *err)
{
    double p[ENS_METRIC_QUANTILES];

    return each(job, in, quantiles, probabilities(in->call, p), value, err);
}

/* -- tables -----------------------------------------------------------------
 */

static const struct ens_metric_field pos_prob_fields[] = {
    {"mean", "", "mean over parameters", 0},
    {"by_param", "", "share of the draws above 0", 1}};
const struct ens_metric ens_metric_pos_prob = {
    .needs = ENS_NEEDS_DRAWS,
    .n_fields = 2,
    .field = pos_prob_fields,
    .compute = compute_pos_prob,
};

static const struct ens_metric_field crps_fields[] = {
    {"mean", "", "mean over parameters", 0},
    {"by_param", "", "ranked probability score at the truth", 1}};
const struct ens_metric ens_metric_crps = {
    .needs = ENS_NEEDS_DRAWS,
    .n_fields = 2,
    .field = crps_fields,
    .compute = compute_crps,
};

static const struct ens_metric_field summary_fields[] = {
    {"mean", "", "mean of the draws", 1},
    {"median", "", "median of the draws", 1},
    {"sd", "", "sd of the draws", 1},
    {"q_lower", "", "lower quantile of the draws", 1},
    {"q_upper", "", "upper quantile of the draws", 1}};
const struct ens_metric ens_metric_posterior_summary = {
    .needs = ENS_NEEDS_DRAWS,
    .n_fields = 5,
    .field = summary_fields,
    .columns = ens_metric_check_share,
    .compute = compute_summary,
};

#define Q                                                                      \
    {                                                                          \
        "q", "", "quantile of the draws", 1                                    \
    }
static const struct ens_metric_field quantile_fields[ENS_METRIC_QUANTILES] = {
    Q, Q, Q, Q, Q, Q, Q, Q, Q};
const struct ens_metric ens_metric_quantiles = {
    .needs = ENS_NEEDS_DRAWS,
    .n_fields = ENS_METRIC_QUANTILES,
    .field = quantile_fields,
    .columns = quantile_columns,
    .compute = compute_quantiles,
};
