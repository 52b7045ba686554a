/* What fitters share; their interface is ensrun/fitter.h.
 *
 * One file per implementation, one line in x.def; its settings are rows of
 * the section "fit". */
#ifndef ENS_FIT_FITTER_H
#define ENS_FIT_FITTER_H

#include <ensrun/fitter.h>

/* What least squares and likelihood deliver. */
#define ENS_FIT_FREQUENTIST                                                    \
    (ENS_DELIVERS_INTERVALS | ENS_DELIVERS_P_VALUES |                          \
     ENS_DELIVERS_PREDICTIONS | ENS_DELIVERS_LOG_LIK)

/** The link that goes with a family. */
enum ens_link_function ens_family_link(enum ens_family family);
/** Text of a family: "gaussian" ... */
const char *ens_family_text(enum ens_family family);
/** Reads `level`; 0 < level < 1. */
enum ens_status ens_fit_level(const struct ens_cell *cell, const char *role,
                              double *level, struct ens_error *err);
/** Standard errors and limits from estimate, cov, df and level. ENS_EDOMAIN
 * when an estimate is not finite. */
enum ens_status ens_fit_limits(struct ens_fit_result *r,
                               const struct ens_fit_problem *problem,
                               double level, struct ens_error *err);
/**
 * What a fitter that gives draws left NaN: mean, sd, quantiles of type 7,
 * covariance of the terms. Scratch memory is the task's; without draws nothing
 * is done.
 */
enum ens_status ens_fit_summarise(const struct ens_job *job,
                                  struct ens_fit_result *r, size_t p,
                                  double level, struct ens_error *err);
/** As ens_fit_limits, of what is still NaN. */
enum ens_status ens_fit_complete(struct ens_fit_result *r,
                                 const struct ens_fit_problem *problem,
                                 double level, struct ens_error *err);
void ens_fit_warn(struct ens_fit_result *r, const char *text);

#define ENS_FITTER(name, n, help)                                              \
    extern const struct ens_fitter ens_fitter_##name;                          \
    extern const struct ens_setting ens_fitter_##name##_settings[n];
#include "fit/x.def"
#undef ENS_FITTER

#endif
