/* Generator `poisson`: counts of mean exp(intercept + x'slope). */
#include "kinds/simulation/generators/regression.h"

const struct ens_setting ens_generator_poisson_settings[] = {
    ENS_REGRESSION_SETTINGS,
};

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    static const struct ens_regression_kind kind = {
        .family = ENS_FAMILY_POISSON,
    };

    return ens_regression_shape(setup, cell, &kind, NULL, out, err);
}

const struct ens_generator ens_generator_poisson = {
    .shape = shape,
    .generate = ens_regression_generate,
};
