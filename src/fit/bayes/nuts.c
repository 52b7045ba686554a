/* Bayesian regression sampled by NUTS. */
#include "fit/bayes/model.h"
#include "fit/bayes/sample.h"
#include "fit/fitter.h"

const struct ens_setting ens_fitter_nuts_settings[] = {
    ENS_FIT_SETTING_FORMULA, ENS_BAYES_SETTINGS_MODEL, ENS_FIT_SETTING_LEVEL,
    ENS_FIT_SETTINGS_NUTS,   ENS_PRIOR_SETTINGS,
};

/* Without groups a posterior is near a normal distribution. With groups in
 * units of their sd it is a banana: the larger steps of a dense metric diverge
 * in its tip (19 of 4,000, 10 groups of 20 rows) and those of a diagonal do
 * not, and coefficients are uncorrelated by their coordinates. Groups
 * themselves are correlated with the intercept (ESS 5,400 beside 220). */
static const char *best_adaptation(const struct ens_fit_problem *problem,
                                   const struct ens_bayes_options *o)
{
    if (problem->n_groups == 0)
        return "laplace";
    return o->is_centred ? "fisher_dense" : "fisher";
}

static enum ens_status fit(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result, struct ens_error *err)
{
    struct ens_bayes *model;
    struct ens_density density;
    enum ens_status s;

    (void)work;
    s = ens_bayes_make(&model, job, o->own, problem, err);
    if (s != ENS_OK)
        return s;
    density = ens_bayes_density(model);
    return ens_sample(
        job,
        &(struct ens_sampled){.density = &density,
                              .constrain = ens_bayes_constrain,
                              .best = best_adaptation(problem, o->own)},
        result, err);
}

const struct ens_fitter ens_fitter_nuts = {
    .delivers = ENS_DELIVERS_INTERVALS | ENS_DELIVERS_DRAWS |
                ENS_DELIVERS_LOG_LIK | ENS_DELIVERS_PREDICTIONS |
                ENS_DELIVERS_DIAGNOSTICS,
    .takes = ENS_TAKES_GROUPS | ENS_TAKES_SE,
    .options = ens_bayes_fit_options,
    .parameters = ens_bayes_fit_parameters,
    .fit = fit,
};
