/* Limits at a level of the metric's own, and tests: of draws by their
 * quantiles, of other fits by the t that their limits are of. */
#include "kinds/simulation/metrics/metrics.h"

#include "kinds/simulation/measures/choice.h"
#include "kinds/simulation/measures/limits.h"
#include "math/quantile.h"
#include "mcmc/scores.h"

#include <ensrun/plugin.h>
#include <gsl/gsl_cdf.h>
#include <math.h>

const struct ens_setting ens_metric_level_settings[1] = {
    ENS_SETTING("metrics", "level", NUM, ONE, STUDY, "", 0, 1,
                "level of the limits; not set: that of the fit"),
};

struct limits {
    double low, high, level;
};

/* Of limits about the estimate that are of a t whose degrees of freedom the
 * fitter says: their half-width for a quantile of 1. That is the std_error of
 * least squares, not of a posterior, whose sd is larger. NaN: they are not. */
static double scale_of(const struct ens_metric_input *in, size_t k)
{
    const struct ens_fit_result *r = in->fit;
    double below = r->estimate[k] - r->conf_low[k];
    double above = r->conf_high[k] - r->estimate[k];

    if (!(r->df > 0) || isinf(r->df) ||
        !(fabs(below - above) <=
          1e-9 * (below + above) + 1e-15 * fabs(r->estimate[k])))
        return NAN;
    return (below + above) / 2 / ens_quantile_halfwidth(in->level, r->df);
}

/* NaN where they are not known. */
static struct limits limits_of(const struct ens_metric_input *in, size_t j,
                               double level, struct ens_metric_draws *d)
{
    const struct ens_fit_result *r = in->fit;
    size_t k = in->place[j];
    struct ens_sample s = {.estimate = r->estimate[k],
                           .std_error = r->std_error[k],
                           .low = r->conf_low[k],
                           .high = r->conf_high[k],
                           .level = in->level};
    struct ens_limits as = {0};
    double scale = scale_of(in, k);

    if (isnan(level))
        level = in->level;
    if (ens_metric_draws_of(in, j, d))
        return (struct limits){
            ens_quantile_sorted(d->sorted, d->n, (1 - level) / 2),
            ens_quantile_sorted(d->sorted, d->n, (1 + level) / 2), level};
    if (isnan(scale) || fabs(level - in->level) < 1e-12) {
        ens_limits_move(&as, &s, level);
        return (struct limits){s.low, s.high, level};
    }
    scale *= ens_quantile_halfwidth(level, r->df);
    return (struct limits){s.estimate - scale, s.estimate + scale, level};
}

static enum ens_status compute_width(const struct ens_job *job,
                                     const struct ens_metric_input *in,
                                     double *value, struct ens_error *err)
{
    double level = ens_metric_number(in->call, 0);
    struct ens_metric_draws d;
    enum ens_status s = ens_metric_draws(job, in, &d, err);

    if (s != ENS_OK)
        return s;
    for (size_t j = 0; j < in->n_parameters; j++) {
        struct limits l = limits_of(in, j, level, &d);

        value[1 + j] = l.high - l.low;
    }
    value[0] = ens_metric_mean(value + 1, in->n_parameters);
    return ENS_OK;
}

static enum ens_status compute_limits(const struct ens_job *job,
                                      const struct ens_metric_input *in,
                                      double *value, struct ens_error *err)
{
    double level = ens_metric_number(in->call, 0);
    struct ens_metric_draws d;
    enum ens_status s = ens_metric_draws(job, in, &d, err);

    for (size_t j = 0; s == ENS_OK && j < in->n_parameters; j++) {
        struct limits l = limits_of(in, j, level, &d);

        value[j] = l.low;
        value[in->n_parameters + j] = l.high;
    }
    return s;
}

/* In the order of the fields: means of the last three, then each. */
enum { WIDTH, SCORE, COVERED, N_MEANS };

static enum ens_status compute_intervals(const struct ens_job *job,
                                         const struct ens_metric_input *in,
                                         double *value, struct ens_error *err)
{
    size_t n = in->n_parameters;
    double level = ens_metric_number(in->call, 0);
    double *low = value + N_MEANS, *high = low + n, *of = high + n;
    struct ens_metric_draws d;
    enum ens_status s = ens_metric_draws(job, in, &d, err);

    if (s != ENS_OK)
        return s;
    for (size_t j = 0; j < n; j++) {
        struct limits l = limits_of(in, j, level, &d);
        double truth = in->truth[j];

        low[j] = l.low;
        high[j] = l.high;
        of[WIDTH * n + j] = l.high - l.low;
        of[SCORE * n + j] = ens_interval_score(l.low, l.high, l.level, truth);
        if (!isnan(l.low) && !isnan(l.high) && !isnan(truth))
            of[COVERED * n + j] = l.low <= truth && truth <= l.high;
    }
    for (size_t k = 0; k < N_MEANS; k++)
        value[k] = ens_metric_mean(of + k * n, n);
    return ENS_OK;
}

/* Twice the smaller share of the draws on a side. */
static double p_of_draws(const struct ens_metric_draws *d, double null)
{
    size_t below = 0, above = 0;

    for (size_t i = 0; i < d->n; i++) {
        below += d->x[i] <= null;
        above += d->x[i] >= null;
    }
    return fmin(1, 2 * (double)(below < above ? below : above) / (double)d->n);
}

static double p_of_t(const struct ens_metric_input *in, size_t k, double null)
{
    const struct ens_fit_result *r = in->fit;
    double scale = scale_of(in, k), t;

    if (isnan(scale))
        scale = r->std_error[k];
    t = fabs(r->estimate[k] - null) / scale;
    if (!(scale > 0) || !(r->df > 0))
        return NAN;
    return 2 *
           (isinf(r->df) ? gsl_cdf_ugaussian_Q(t) : gsl_cdf_tdist_Q(t, r->df));
}

static enum ens_status compute_p(const struct ens_job *job,
                                 const struct ens_metric_input *in,
                                 double *value, struct ens_error *err)
{
    const struct ens_study *study = job->task->cell.study;
    const struct ens_choice choice = {
        .terms = job->host->study_value(study, "metrics", "terms"),
        .null = job->host->study_value(study, "metrics", "reference")};
    struct ens_metric_draws d;
    enum ens_status s = ens_metric_draws(job, in, &d, err);

    for (size_t j = 0; s == ENS_OK && j < in->n_parameters; j++) {
        double null;

        if (!ens_choice_term(&choice, in->parameter[j], &null))
            continue;
        value[j] = ens_metric_draws_of(in, j, &d)
                       ? p_of_draws(&d, null)
                       : p_of_t(in, in->place[j], null);
    }
    return s;
}

static const struct ens_metric_field width_fields[] = {
    {"mean", "", "mean over parameters", 0},
    {"by_param", "", "width of the interval", 1}};
const struct ens_metric ens_metric_interval_width = {
    .n_fields = 2,
    .field = width_fields,
    .columns = ens_metric_check_share,
    .compute = compute_width,
};

static const struct ens_metric_field limits_fields[] = {
    {"low", "", "lower limit", 1}, {"high", "", "upper limit", 1}};
const struct ens_metric ens_metric_limits = {
    .n_fields = 2,
    .field = limits_fields,
    .compute = compute_limits,
};

static const struct ens_metric_field intervals_fields[] = {
    {"mean_width", "", "mean width over parameters", 0},
    {"mean_score", "", "mean interval score over parameters", 0},
    {"mean_covered", "", "share of the parameters that are covered", 0},
    {"low", "", "lower limit", 1},
    {"high", "", "upper limit", 1},
    {"width", "", "width of the interval", 1},
    {"score", "", "interval score", 1},
    {"covered", "", "1: the interval holds the truth", 1}};
const struct ens_metric ens_metric_intervals = {
    .n_fields = 8,
    .field = intervals_fields,
    .columns = ens_metric_check_share,
    .compute = compute_intervals,
};

static const struct ens_metric_field p_fields[] = {
    {"", "", "two-sided p-value", 1}};
const struct ens_metric ens_metric_p_value = {
    .n_fields = 1,
    .field = p_fields,
    .compute = compute_p,
};
