/* Ridge regression with an intercept, on the scale of scikit-learn's Ridge:
 * sum of w (y - z weight)^2 + alpha sum of weight^2. */
#include "learn/meta/squares.h"

const struct ens_setting ens_meta_ridge_settings[] = {
    ENS_META_SETTING("alpha", ENS_T_NUM, "1", 0, 1e300,
                     "weight of the squared weights beside the sum of squared "
                     "residuals"),
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               struct ens_meta_options *o,
                               struct ens_error *err)
{
    (void)err;
    o->penalty = setup->value(setup, "alpha")->d;
    return ENS_OK;
}

static enum ens_status fit(const struct ens_meta_task *task,
                           const struct ens_meta_options *o, double *weight,
                           double *intercept, struct ens_error *err)
{
    enum ens_status s = ens_meta_ridge_weights(task, o->penalty, weight, err);

    if (s == ENS_OK)
        *intercept = ens_meta_intercept(task, weight);
    return s;
}

const struct ens_meta ens_meta_ridge = {.options = options, .fit = fit};
