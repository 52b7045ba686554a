/* The discrete super learner: all weight to the smallest risk, the first one of
 * several. */
#include "learn/meta/method.h"

const struct ens_setting ens_meta_discrete_settings[] = {ENS_META_SETTING_RISK};

static enum ens_status options(const struct ens_learn_setup *setup,
                               struct ens_meta_options *o,
                               struct ens_error *err)
{
    return ens_meta_read_risk(setup, o, err);
}

static enum ens_status fit(const struct ens_meta_task *task,
                           const struct ens_meta_options *o, double *weight,
                           double *intercept, struct ens_error *err)
{
    size_t best = 0;

    (void)o;
    (void)intercept;
    (void)err;
    for (size_t j = 1; j < task->n; j++)
        if (task->risk[j] < task->risk[best])
            best = j;
    weight[best] = 1;
    return ENS_OK;
}

const struct ens_meta ens_meta_discrete = {.options = options, .fit = fit};
