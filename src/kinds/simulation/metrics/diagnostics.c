/* Diagnostics of a fit's chains: the worst of all parameters, hidden ones
 * too, and what the sampler counted. */
#include "kinds/simulation/metrics/metrics.h"

#include "mcmc/chains.h"

#include <math.h>
#include <string.h>

/* Up to here chains have converged: as the measure convergence_rate. */
#define MOST_RHAT 1.05

enum {
    RHAT_MAX,
    ESS_BULK_MIN,
    ESS_TAIL_MIN,
    DIVERGENT,
    MAX_TREEDEPTH,
    EBFMI_MIN,
    N_FIELDS
};

static enum ens_status worst(const struct ens_job *job,
                             const struct ens_fit_result *fit, double *value,
                             struct ens_error *err)
{
    const struct ens_draws *d = &fit->draws;
    size_t size = d->n_chains * d->n_draws;
    size_t work = ens_chains_work(d->n_draws, d->n_chains);
    double *own = job->host->alloc(job->result, work, sizeof(*own));
    struct ens_chains c;

    if (own == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%zu draws", size);
    ens_chains_init(&c, d->n_draws, d->n_chains, own);
    /* fmax and fmin leave out NaN */
    for (size_t j = 0; j < fit->n_parameters; j++) {
        ens_chains_set(&c, d->value + j * size);
        value[RHAT_MAX] = fmax(value[RHAT_MAX], ens_chains_rhat(&c));
        value[ESS_BULK_MIN] =
            fmin(value[ESS_BULK_MIN], ens_chains_ess_bulk(&c));
        value[ESS_TAIL_MIN] =
            fmin(value[ESS_TAIL_MIN], ens_chains_ess_tail(&c));
    }
    return ENS_OK;
}

static void count(const struct ens_draws *d, double *value)
{
    size_t size = d->n_chains * d->n_draws;
    const double *divergent = d->sampler + ENS_SAMPLER_DIVERGENT * size;
    const double *depth = d->sampler + ENS_SAMPLER_TREEDEPTH * size;
    const double *energy = d->sampler + ENS_SAMPLER_ENERGY * size;

    value[DIVERGENT] = value[MAX_TREEDEPTH] = 0;
    for (size_t i = 0; i < size; i++) {
        value[DIVERGENT] += divergent[i] > 0;
        value[MAX_TREEDEPTH] +=
            d->max_treedepth > 0 && depth[i] >= d->max_treedepth;
    }
    for (size_t c = 0; c < d->n_chains; c++)
        value[EBFMI_MIN] = fmin(value[EBFMI_MIN],
                                ens_ebfmi(energy + c * d->n_draws, d->n_draws));
}

static enum ens_status compute(const struct ens_job *job,
                               const struct ens_metric_input *in, double *value,
                               struct ens_error *err)
{
    enum ens_status s;

    if (in->diagnostics != NULL) {
        memcpy(value, in->diagnostics, N_FIELDS * sizeof(*value));
        return ENS_OK;
    }
    s = worst(job, in->fit, value, err);
    if (s == ENS_OK && in->fit->draws.sampler != NULL)
        count(&in->fit->draws, value);
    if (s == ENS_OK && value[RHAT_MAX] > MOST_RHAT)
        job->host->warn(job->result, "R-hat above 1.05: chains differ");
    return s;
}

static const struct ens_metric_field fields[N_FIELDS] = {
    [RHAT_MAX] = {"rhat_max", "", "largest R-hat; up to 1.01 is good", 0},
    [ESS_BULK_MIN] = {"ess_bulk_min", "draws", "least ESS of the bulk", 0},
    [ESS_TAIL_MIN] = {"ess_tail_min", "draws", "least ESS of the tails", 0},
    [DIVERGENT] = {"divergent", "draws", "divergent transitions", 0},
    [MAX_TREEDEPTH] = {"max_treedepth", "draws",
                       "transitions at the limit of tree depth", 0},
    [EBFMI_MIN] = {"ebfmi_min", "", "least E-BFMI of a chain; below 0.3 is bad",
                   0},
};

const struct ens_metric ens_metric_diagnostics = {
    .needs = ENS_NEEDS_DRAWS,
    .n_fields = N_FIELDS,
    .field = fields,
    .compute = compute,
};
