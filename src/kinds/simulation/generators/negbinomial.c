/* Generator `negbinomial`: counts of mean mu = exp(intercept + x'slope)
 * and variance mu + mu^2 / phi. */
#include "kinds/simulation/generators/regression.h"

const struct ens_setting ens_generator_negbinomial_settings[] = {
    ENS_REGRESSION_SETTINGS,
    ENS_REGRESSION_NUMBER("phi", "1", 1e-300,
                          "dispersion: the variance is mu + mu^2/phi"),
};

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    static const char *const own[] = {"phi"};
    static const struct ens_regression_kind kind = {
        .family = ENS_FAMILY_NEGBINOMIAL,
        .n_own = 1,
        .own = own,
        .n_truth = 1,
        .truth = own,
    };

    return ens_regression_shape(setup, cell, &kind, NULL, out, err);
}

const struct ens_generator ens_generator_negbinomial = {
    .shape = shape,
    .generate = ens_regression_generate,
};
