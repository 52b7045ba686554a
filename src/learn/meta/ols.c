/* Least squares with an intercept, as scikit-learn's LinearRegression. */
#include "learn/meta/squares.h"

const struct ens_setting ens_meta_ols_settings[] = {{0}};

static enum ens_status options(const struct ens_learn_setup *setup,
                               struct ens_meta_options *o,
                               struct ens_error *err)
{
    (void)setup;
    (void)o;
    (void)err;
    return ENS_OK;
}

static enum ens_status fit(const struct ens_meta_task *task,
                           const struct ens_meta_options *o, double *weight,
                           double *intercept, struct ens_error *err)
{
    enum ens_status s = ens_meta_ridge_weights(task, 0, weight, err);

    (void)o;
    if (s == ENS_OK)
        *intercept = ens_meta_intercept(task, weight);
    return s;
}

const struct ens_meta ens_meta_ols = {.options = options, .fit = fit};
