/* Nonnegative least squares; R's method.NNLS. */
#include "learn/meta/active.h"
#include "learn/meta/block.h"
#include "learn/meta/method.h"
#include "learn/meta/squares.h"

const struct ens_setting ens_meta_nnls_settings[] = {
    ENS_META_SETTING_NORMALISE,
    ENS_META_SETTING_DROP_BELOW,
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               struct ens_meta_options *o,
                               struct ens_error *err)
{
    (void)err;
    o->normalise = setup->value(setup, "normalise")->i != 0;
    o->drop_below = setup->value(setup, "drop_below")->d;
    return ENS_OK;
}

static enum ens_status fit(const struct ens_meta_task *task,
                           const struct ens_meta_options *o, double *weight,
                           double *intercept, struct ens_error *err)
{
    (void)o;
    (void)intercept;
    return ens_meta_squares(task, 0, weight, err);
}

const struct ens_meta ens_meta_nnls = {.options = options, .fit = fit};
