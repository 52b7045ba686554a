/* Generator `logistic`: y is 1 with probability 1/(1 + exp(-intercept -
 * x'slope)), else 0. */
#include "kinds/simulation/generators/regression.h"

const struct ens_setting ens_generator_logistic_settings[] = {
    ENS_REGRESSION_SETTINGS,
};

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    static const char *const meta[] = {"events"};
    static const struct ens_regression_kind kind = {
        .family = ENS_FAMILY_BINOMIAL, .n_meta = 1, .meta = meta};

    return ens_regression_shape(setup, cell, &kind, NULL, out, err);
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    enum ens_status s = ens_regression_generate(job, shape, out, err);
    const double *y;
    double events = 0;

    if (s != ENS_OK)
        return s;
    y = out->data.column[out->data.n_columns - 1].values;
    for (size_t i = 0; i < out->data.n; i++)
        events += y[i];
    out->meta[0] = events;
    return ENS_OK;
}

const struct ens_generator ens_generator_logistic = {
    .shape = shape,
    .generate = generate,
};
