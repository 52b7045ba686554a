/* Equal weights: what any other meta learner must beat. */
#include "learn/meta/method.h"

const struct ens_setting ens_meta_average_settings[] = {ENS_META_SETTING_RISK};

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
    (void)o;
    (void)intercept;
    (void)err;
    for (size_t j = 0; j < task->n; j++)
        weight[j] = 1 / (double)task->n;
    return ENS_OK;
}

const struct ens_meta ens_meta_average = {.options = options, .fit = fit};
