/* Nonnegative weights of logits by maximum likelihood; R's method.NNloglik, at
 * the maximum itself: L-BFGS-B stops about 1e-4 from it. */
#include "learn/meta/loglik.h"

const struct ens_setting ens_meta_nnloglik_settings[] = {
    ENS_META_SETTING_TRIM,
    ENS_META_SETTING_NORMALISE,
    ENS_META_SETTING_DROP_BELOW,
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               struct ens_meta_options *o,
                               struct ens_error *err)
{
    o->trim = setup->value(setup, "trim")->d;
    o->normalise = setup->value(setup, "normalise")->i != 0;
    o->drop_below = setup->value(setup, "drop_below")->d;
    o->loss = ENS_META_DEVIANCE;
    return ens_meta_need_classes(setup, "nnloglik", err);
}

static enum ens_status fit(const struct ens_meta_task *task,
                           const struct ens_meta_options *o, double *weight,
                           double *intercept, struct ens_error *err)
{
    (void)intercept;
    return ens_meta_loglik_fit(task, o->trim, 0, weight, err);
}

const struct ens_meta ens_meta_nnloglik = {
    .options = options, .fit = fit, .link = ENS_META_LOGIT, .reads_rows = 1};
