/* What a fit says of rows: the mean of the response and its log likelihood,
 * at each draw or at the estimates. Of the fitter, where it has slots for it,
 * else of its family. */
#ifndef ENS_FIT_PREDICT_H
#define ENS_FIT_PREDICT_H

#include <ensrun/fitter.h>

struct ens_fitted {
    const struct ens_fitter *fitter;
    const struct ens_job *job; /* the fitter's */
    const struct ens_fit_options *options;
    const struct ens_fit_result *result;
    const char *const *parameter; /* names, n_parameters of the result */

    /* set by ens_fitted_init */
    size_t n_draws;   /* of all chains; 1: the estimates */
    size_t aux, nu;   /* parameters of the family; SIZE_MAX: none */
    double *eta;      /* n_draws, scratch */
    double *constant; /* n_draws: of the log density, that of no row */
};

/** The first five members are set. ENS_ENOMEMORY. */
enum ens_status ens_fitted_init(struct ens_fitted *f, struct ens_error *err);

/** Can it tell them at all? */
int ens_fitted_has_predictions(const struct ens_fitted *f);
int ens_fitted_has_log_lik(const struct ens_fitted *f);

/**
 * Rows first .. first + n - 1 of `at`: out[i * n_draws + s].
 * Errors:  ENS_EDOMAIN: a parameter is missing among those of the fit.
 */
enum ens_status ens_fitted_predict(const struct ens_fitted *f,
                                   const struct ens_fit_problem *at,
                                   size_t first, size_t n, double *out,
                                   struct ens_error *err);
/** The same; at->y is the response. A response that the family does not have
 * gives -infinity or NaN. */
enum ens_status ens_fitted_log_lik(const struct ens_fitted *f,
                                   const struct ens_fit_problem *at,
                                   size_t first, size_t n, double *out,
                                   struct ens_error *err);

#endif
