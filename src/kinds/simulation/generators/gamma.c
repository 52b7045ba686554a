/* Generator `gamma`: positive numbers of mean mu = exp(intercept + x'slope) and
 * variance mu^2 / shape. */
#include "kinds/simulation/generators/regression.h"

const struct ens_setting ens_generator_gamma_settings[] = {
    ENS_REGRESSION_SETTINGS,
    ENS_REGRESSION_NUMBER("shape", "1", 1e-300, "the variance is mu^2/shape"),
};

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    static const char *const own[] = {"shape"};
    static const struct ens_regression_kind kind = {
        .family = ENS_FAMILY_GAMMA,
        .n_own = 1,
        .own = own,
        .n_truth = 1,
        .truth = own,
    };

    return ens_regression_shape(setup, cell, &kind, NULL, out, err);
}

const struct ens_generator ens_generator_gamma = {
    .shape = shape,
    .generate = ens_regression_generate,
};
