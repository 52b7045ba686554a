/* Least squares over convex combinations; R's method.CC_LS without its
 * rounding: weights of learners that are not chosen are exactly 0 here. */
#include "learn/meta/method.h"
#include "learn/meta/squares.h"

const struct ens_setting ens_meta_convex_settings[] = {
    ENS_META_SETTING_DROP_BELOW,
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               struct ens_meta_options *o,
                               struct ens_error *err)
{
    (void)err;
    o->normalise = 1;
    o->drop_below = setup->value(setup, "drop_below")->d;
    return ENS_OK;
}

static enum ens_status fit(const struct ens_meta_task *task,
                           const struct ens_meta_options *o, double *weight,
                           double *intercept, struct ens_error *err)
{
    (void)o;
    (void)intercept;
    return ens_meta_squares(task, 1, weight, err);
}

const struct ens_meta ens_meta_convex = {.options = options, .fit = fit};
