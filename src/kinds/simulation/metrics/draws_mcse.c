/* Monte Carlo standard errors of what is said of the draws of a parameter:
 * their mean, sd and quantiles. */
#include "kinds/simulation/metrics/metrics.h"

#include "mcmc/chains.h"

enum { MEAN, SD, Q5, Q50, Q95, N_FIELDS };

static enum ens_status compute(const struct ens_job *job,
                               const struct ens_metric_input *in, double *value,
                               struct ens_error *err)
{
    const struct ens_draws *d = &in->fit->draws;
    size_t p = in->n_parameters, size = d->n_chains * d->n_draws;
    double *work = job->host->alloc(
        job->result, ens_chains_work(d->n_draws, d->n_chains), sizeof(*work));
    struct ens_chains c;

    if (work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%zu draws", size);
    ens_chains_init(&c, d->n_draws, d->n_chains, work);
    for (size_t j = 0; j < p; j++) {
        ens_chains_set(&c, d->value + in->place[j] * size);
        value[MEAN * p + j] = ens_chains_mcse_mean(&c);
        value[SD * p + j] = ens_chains_mcse_sd(&c);
        value[Q5 * p + j] = ens_chains_mcse_quantile(&c, 0.05);
        value[Q50 * p + j] = ens_chains_mcse_quantile(&c, 0.5);
        value[Q95 * p + j] = ens_chains_mcse_quantile(&c, 0.95);
    }
    return ENS_OK;
}

static const struct ens_metric_field fields[N_FIELDS] = {
    [MEAN] = {"mean", "", "Monte Carlo standard error of the draws' mean", 1},
    [SD] = {"sd", "", "Monte Carlo standard error of the draws' sd", 1},
    [Q5] = {"q5", "", "Monte Carlo standard error of the draws' 5 % quantile",
            1},
    [Q50] = {"q50", "", "Monte Carlo standard error of the draws' median", 1},
    [Q95] = {"q95", "",
             "Monte Carlo standard error of the draws' 95 % quantile", 1},
};

const struct ens_metric ens_metric_draws_mcse = {
    .needs = ENS_NEEDS_DRAWS,
    .n_fields = N_FIELDS,
    .field = fields,
    .compute = compute,
};
