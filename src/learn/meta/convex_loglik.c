/* Convex combinations of logits by maximum likelihood; R's
 * method.CC_nloglik, which leaves weights of 1e-8 for drop_below = 1e-4. */
#include "learn/meta/loglik.h"

const struct ens_setting ens_meta_convex_loglik_settings[] = {
    ENS_META_SETTING_TRIM,
    ENS_META_SETTING_DROP_BELOW,
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               struct ens_meta_options *o,
                               struct ens_error *err)
{
    o->trim = setup->value(setup, "trim")->d;
    o->normalise = 1;
    o->drop_below = setup->value(setup, "drop_below")->d;
    o->loss = ENS_META_DEVIANCE;
    return ens_meta_need_classes(setup, "convex_loglik", err);
}

static enum ens_status fit(const struct ens_meta_task *task,
                           const struct ens_meta_options *o, double *weight,
                           double *intercept, struct ens_error *err)
{
    (void)intercept;
    return ens_meta_loglik_fit(task, o->trim, 1, weight, err);
}

const struct ens_meta ens_meta_convex_loglik = {
    .options = options, .fit = fit, .link = ENS_META_LOGIT, .reads_rows = 1};
