/* The lasso, from moments, as scikit-learn's Lasso. */
#include "learn/learners/learners.h"
#include "learn/learners/settings.h"
#include "learn/penalised.h"

const struct ens_setting ens_learner_lasso_settings[] = {
    ENS_LEARN_SETTING_INTERCEPT,
    ENS_LEARN_SETTING_POSITIVE,
    ENS_LEARN_SETTING_ALPHA(
        "1", "weight of the penalty beside half the mean square error"),
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **options_, struct ens_error *err)
{
    struct ens_penalised *o = setup->alloc(setup, 1, sizeof(*o));

    if (o == NULL)
        return ens_linear_memory(err);
    o->intercept = setup->value(setup, "intercept")->i != 0;
    o->positive = setup->value(setup, "positive")->i != 0;
    o->alpha = setup->value(setup, "alpha")->d;
    o->l1_ratio = 1;
    *options_ = o;
    return ENS_OK;
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    (void)options_;
    (void)n;
    return ens_penalised_doubles(p) * sizeof(double);
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    return ens_penalised_fit(job->options, job, train, err);
}

const struct ens_learner ens_learner_lasso = {
    .families = ENS_LEARN_REGRESSION | ENS_LEARN_FAMILY(ENS_OUTCOME_BINOMIAL),
    .uses = ENS_LEARN_MOMENTS | ENS_LEARN_WEIGHTS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = ens_linear_predict,
    .affine = ens_linear_affine,
};
