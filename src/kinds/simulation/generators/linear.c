/* Generator `linear`: y = intercept + x'slope + N(0, sigma). */
#include "kinds/simulation/generators/regression.h"

const struct ens_setting ens_generator_linear_settings[] = {
    ENS_REGRESSION_SETTINGS,
    ENS_REGRESSION_NUMBER("sigma", "1", 0, "standard deviation of the errors"),
};

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    static const char *const own[] = {"sigma"};
    static const struct ens_regression_kind kind = {
        .family = ENS_FAMILY_GAUSSIAN,
        .n_own = 1,
        .own = own,
        .n_truth = 1,
        .truth = own,
    };

    return ens_regression_shape(setup, cell, &kind, NULL, out, err);
}

const struct ens_generator ens_generator_linear = {
    .shape = shape,
    .generate = ens_regression_generate,
};
