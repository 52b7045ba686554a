/* Ridge regression, from moments: minimises the sum of w (y - b0 - x b)^2 +
 * alpha |b|^2, as scikit-learn's Ridge. */
#include "learn/learners/learners.h"
#include "learn/learners/settings.h"
#include "learn/squares.h"

struct ridge {
    int intercept;
    double alpha;
};

const struct ens_setting ens_learner_ridge_settings[] = {
    ENS_LEARN_SETTING_INTERCEPT,
    ENS_LEARN_SETTING_ALPHA("1", "weight of the sum of squared coefficients "
                                 "beside the sum of squared residuals"),
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **options_, struct ens_error *err)
{
    struct ridge *o = setup->alloc(setup, 1, sizeof(*o));

    if (o == NULL)
        return ens_linear_memory(err);
    o->intercept = setup->value(setup, "intercept")->i != 0;
    o->alpha = setup->value(setup, "alpha")->d;
    *options_ = o;
    return ENS_OK;
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    (void)options_;
    (void)n;
    return ens_squares_doubles(p) * sizeof(double);
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct ridge *o = job->options;

    return ens_squares_fit(job, train, o->intercept, o->alpha, err);
}

const struct ens_learner ens_learner_ridge = {
    .families = ENS_LEARN_REGRESSION | ENS_LEARN_FAMILY(ENS_OUTCOME_BINOMIAL),
    .uses = ENS_LEARN_MOMENTS | ENS_LEARN_WEIGHTS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = ens_linear_predict,
    .affine = ens_linear_affine,
};
