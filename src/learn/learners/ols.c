/* Ordinary least squares, from moments. A constant column gets 0. */
#include "learn/learners/learners.h"
#include "learn/learners/settings.h"
#include "learn/squares.h"

const struct ens_setting ens_learner_ols_settings[] = {
    ENS_LEARN_SETTING_INTERCEPT,
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **options_, struct ens_error *err)
{
    int *intercept = setup->alloc(setup, 1, sizeof(*intercept));

    if (intercept == NULL)
        return ens_linear_memory(err);
    *intercept = setup->value(setup, "intercept")->i != 0;
    *options_ = intercept;
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
    const int *intercept = job->options;

    return ens_squares_fit(job, train, *intercept, 0, err);
}

const struct ens_learner ens_learner_ols = {
    .families = ENS_LEARN_REGRESSION | ENS_LEARN_FAMILY(ENS_OUTCOME_BINOMIAL),
    .uses = ENS_LEARN_MOMENTS | ENS_LEARN_WEIGHTS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = ens_linear_predict,
    .affine = ens_linear_affine,
};
