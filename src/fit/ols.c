/* Ordinary least squares, as R's lm. */
#include "fit/fitter.h"

#include "fit/lsq.h"

const struct ens_setting ens_fitter_ols_settings[] = {
    ENS_FIT_SETTING_FORMULA,
    ENS_FIT_SETTING_LEVEL,
};

static enum ens_status options(const struct ens_fit_setup *setup,
                               const struct ens_cell *cell, const char *role,
                               struct ens_fit_options *o, struct ens_error *err)
{
    (void)setup;
    o->family = ENS_FAMILY_GAUSSIAN;
    o->link = ENS_LINK_IDENTITY;
    return ens_fit_level(cell, role, &o->level, err);
}

static enum ens_status fit(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result, struct ens_error *err)
{
    (void)job;
    return ens_lsq_gaussian(o, problem, work, result, err);
}

const struct ens_fitter ens_fitter_ols = {
    .delivers = ENS_FIT_FREQUENTIST,
    .options = options,
    .work = ens_lsq_gaussian_work,
    .fit = fit,
};
