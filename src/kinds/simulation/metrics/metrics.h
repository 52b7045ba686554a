/* The metrics that are built in: their interface is ensrun/metric.h. One file
 * per group of them, one line each in metrics.def.
 *
 * Columns are named as by bayesim, so that `by_param` is per parameter. What
 * cannot be told (no draws, no test set, no truth) is missing. */
#ifndef ENS_KINDS_SIMULATION_METRICS_H
#define ENS_KINDS_SIMULATION_METRICS_H

#include <ensrun/metric.h>

#define ENS_METRIC_QUANTILES 9 /* of one call */

#define ENS_METRIC(name, ops, settings, n, help)                               \
    extern const struct ens_metric ens_metric_##ops;
#include "kinds/simulation/metrics/metrics.def"
#undef ENS_METRIC

/* Of draws, at a level that a measure needs: nobody names it. */
extern const struct ens_metric ens_metric_limits;

extern const struct ens_setting ens_metric_prob_settings[1];
extern const struct ens_setting ens_metric_level_settings[1];
extern const struct ens_setting ens_metric_rank_settings[1];
extern const struct ens_setting
    ens_metric_quantiles_settings[ENS_METRIC_QUANTILES];

/* -- what they share --------------------------------------------------------
 */

/** Argument i of the call; NaN: not set. */
double ens_metric_number(const struct ens_call *call, size_t i);
/** For `columns`: argument 0 is between 0 and 1, or not set. */
enum ens_status ens_metric_check_share(const struct ens_call *call,
                                       struct ens_metric_field *field,
                                       size_t *n, char (*name)[ENS_METRIC_NAME],
                                       struct ens_error *err);

/** Draws of one parameter after the other. */
struct ens_metric_draws {
    size_t n; /* of all chains */
    const double *x;
    const double *sorted; /* ascending */
    double *own, *work;
};

enum ens_status ens_metric_draws(const struct ens_job *job,
                                 const struct ens_metric_input *in,
                                 struct ens_metric_draws *d,
                                 struct ens_error *err);
/** Point d to the draws of parameter j of those shown. 0: there are none, or
 * one of them is not finite. */
int ens_metric_draws_of(const struct ens_metric_input *in, size_t j,
                        struct ens_metric_draws *d);

/** Mean of v[n] without the missing; NaN when all are. */
double ens_metric_mean(const double *v, size_t n);

#endif
