/* The elastic net with its penalty chosen by cross-validation within the
 * training rows, as scikit-learn's ElasticNetCV. */
#include "learn/learners/learners.h"
#include "learn/learners/settings.h"
#include "learn/path.h"

const struct ens_setting ens_learner_elastic_net_cv_settings[] = {
    ENS_LEARN_SETTING_INTERCEPT, ENS_LEARN_SETTING_POSITIVE,
    ENS_LEARN_SETTING_FOLDS,     ENS_LEARN_SETTING_ALPHAS,
    ENS_LEARN_SETTING_LEAST,     ENS_LEARN_SETTING_L1_RATIO,
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **options_, struct ens_error *err)
{
    struct ens_path *o = setup->alloc(setup, 1, sizeof(*o));

    if (o == NULL)
        return ens_linear_memory(err);
    o->penalty.intercept = setup->value(setup, "intercept")->i != 0;
    o->penalty.positive = setup->value(setup, "positive")->i != 0;
    o->penalty.l1_ratio = setup->value(setup, "l1_ratio")->d;
    o->folds = (uint32_t)setup->value(setup, "inner_folds")->i;
    o->n_alphas = (size_t)setup->value(setup, "alphas")->i;
    o->least = setup->value(setup, "least")->d;
    if (!(o->penalty.l1_ratio > 0))
        return ens_fail(err, ENS_ESTUDY,
                        "l1_ratio = 0 has no largest penalty; above 0, or "
                        "learner = ridge_cv");
    *options_ = o;
    return ENS_OK;
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    (void)n;
    return (ens_path_doubles(options_, p) + ens_penalised_doubles(p)) *
           sizeof(double);
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    return ens_path_fit(job->options, job, train, err);
}

const struct ens_learner ens_learner_elastic_net_cv = {
    .families = ENS_LEARN_REGRESSION | ENS_LEARN_FAMILY(ENS_OUTCOME_BINOMIAL),
    .uses = ENS_LEARN_MOMENTS | ENS_LEARN_WEIGHTS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = ens_linear_predict,
    .affine = ens_linear_affine,
};
