/* Where the truth ranks among the draws, for simulation-based calibration. */
#include "kinds/simulation/metrics/metrics.h"

#include "base/number.h"
#include "mcmc/chains.h"
#include "mcmc/sbc.h"

#include <ensrun/plugin.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const struct ens_setting ens_metric_rank_settings[1] = {
    ENS_SETTING("metrics", "thin", TEXT, ONE, STUDY, "auto", 0, 0,
                "auto: draws by the least bulk ESS; no; or keep every k-th"),
};

/* 0: auto. */
static int read_thin(const struct ens_call *call, size_t *stride)
{
    const char *text = call->n > 0 ? call->arg[0].text : "auto";
    uint64_t k;

    *stride = strcmp(text, "no") == 0;
    if (*stride == 1 || strcmp(text, "auto") == 0)
        return 1;
    if (ens_number_parse_u64(text, strlen(text), &k) != 0 || k == 0 ||
        k > UINT32_MAX)
        return 0;
    *stride = (size_t)k;
    return 1;
}

static enum ens_status check(const struct ens_call *call,
                             struct ens_metric_field *field, size_t *n,
                             char (*name)[ENS_METRIC_NAME],
                             struct ens_error *err)
{
    size_t stride;

    (void)field;
    (void)n;
    (void)name;
    if (read_thin(call, &stride))
        return ENS_OK;
    return ens_fail(err, ENS_ESTUDY,
                    "%s: thin: \"%.40s\" is not auto, no, or a whole number "
                    "from 1",
                    call->name, call->arg[0].text);
}

/* Least bulk ESS of the parameters ranked; NaN: none has one. */
static enum ens_status least_ess(const struct ens_job *job,
                                 const struct ens_metric_input *in,
                                 double *least, struct ens_error *err)
{
    const struct ens_draws *d = &in->fit->draws;
    size_t size = d->n_chains * d->n_draws;
    size_t work = ens_chains_work(d->n_draws, d->n_chains);
    double *own = job->host->alloc(job->result, work, sizeof(*own));
    struct ens_chains c;

    *least = NAN;
    if (own == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%zu draws", size);
    ens_chains_init(&c, d->n_draws, d->n_chains, own);
    for (size_t j = 0; j < in->n_parameters; j++) {
        if (isnan(in->truth[j]))
            continue;
        ens_chains_set(&c, d->value + in->place[j] * size);
        *least = fmin(*least, ens_chains_ess_bulk(&c));
    }
    return ENS_OK;
}

static enum ens_status compute(const struct ens_job *job,
                               const struct ens_metric_input *in, double *value,
                               struct ens_error *err)
{
    const struct ens_draws *d = &in->fit->draws;
    size_t size = d->n_chains * d->n_draws, stride, ranked = 0;
    char purpose[96];
    struct ens_rng *g;
    enum ens_status s = ENS_OK;
    double ess = NAN;

    read_thin(in->call, &stride);
    if (stride == 0 && !d->independent)
        s = least_ess(job, in, &ess, err);
    if (s != ENS_OK)
        return s;
    stride = stride == 0 ? ens_sbc_stride(size, ess) : stride;
    snprintf(purpose, sizeof(purpose), "metric.%s", in->name);
    g = job->host->rng(job->result, purpose);
    for (size_t j = 0; j < in->n_parameters; j++) {
        const double *x = d->value + in->place[j] * size;
        double u = job->host->uniform(g);
        int is_nan = isnan(in->truth[j]);

        for (size_t i = 0; i < size && !is_nan; i += stride)
            is_nan = isnan(x[i]);
        if (is_nan)
            continue;
        value[3 + j] = (double)ens_sbc_rank(x, size, stride, in->truth[j], u);
        ranked++;
    }
    if (ranked == 0)
        return ENS_OK;
    value[0] = (double)ens_sbc_kept(size, stride);
    value[1] = (double)stride;
    value[2] = value[0] + 1;
    return ENS_OK;
}

static const struct ens_metric_field fields[] = {
    {"n_draws", "draws", "draws that were kept", 0},
    {"stride", "draws", "every so many draws one was kept", 0},
    {"n_ranks", "", "ranks that are possible: n_draws + 1", 0},
    {"by_param", "", "draws below the truth", 1}};

const struct ens_metric ens_metric_rank = {
    .needs = ENS_NEEDS_DRAWS,
    .n_fields = 4,
    .field = fields,
    .columns = check,
    .compute = compute,
};
