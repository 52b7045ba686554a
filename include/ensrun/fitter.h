/* Fitters: from a model matrix to estimates with standard errors and limits
 * (`[fit] fitter`).
 *
 * The settings of a fitter are rows of the section "fit"; `formula` and
 * `level` (below) are among them. A fitter keeps no state that changes a
 * result and takes its random numbers, if any, from the stream
 * host->rng(result, "fit").
 *
 * Built-in ones are a file in src/fit and a line in its x.def; those of a
 * plugin a row of its table (plugin.h).
 */
#ifndef ENSRUN_FITTER_H
#define ENSRUN_FITTER_H

#include <ensrun/kind.h>

#define ENS_FIT_MAX_WARNINGS 4

/** Settings of a fit, read once per cell. */
struct ens_fit_options {
    double level;   /* of the confidence limits, between 0 and 1 */
    int is_normal;  /* a linear model of the response itself: a generator's
                       truths are those of its terms */
    int is_poisson; /* family poisson: log link; neither: binomial */
};

/** Rows with missing values are left out already: all numbers are finite. x, y
 * are NULL where a fitter's `formula` may be missing and is. */
struct ens_fit_problem {
    size_t n, p;
    const double *x;         /* n x p, column-major */
    const double *y;         /* n */
    const double *offset;    /* n, part of the predictor; NULL: none */
    const char *const *term; /* p names, for messages */
    const char *response;
    const struct ens_data *data; /* as generated */
};

/**
 * Arrays are given by the caller, filled with NaN. What fit leaves NaN is
 * made from the rest where that can be: std_error from the diagonal of cov,
 * both limits as estimate -+ std_error times the quantile of t with df at
 * the level. An estimate that is not finite fails the task.
 */
struct ens_fit_result {
    double *estimate; /* p each, in units of the response per unit of x */
    double *std_error;
    double *conf_low;
    double *conf_high;
    double *cov;     /* p x p covariance of the estimates */
    double df;       /* of the limits' t; infinite (preset): normal */
    double sigma;    /* residual standard deviation; 1 unless gaussian */
    double deviance; /* residual sum of squares for gaussian */
    int iterations;
    size_t n_warnings; /* outcomes that leave a result: const texts */
    const char *warning[ENS_FIT_MAX_WARNINGS];
};

struct ens_fitter {
    /** Optional, in a worker: as those of a generator (generator.h). */
    enum ens_status (*open)(const struct ens_host *host, void **state,
                            struct ens_error *err);
    void (*close)(void *state);
    /** Optional. Options from a cell's settings (section `role`); ENS_ESTUDY
     * when they do not fit. Pure. NULL: `level`, and is_normal. */
    enum ens_status (*options)(const struct ens_cell *cell, const char *role,
                               struct ens_fit_options *o,
                               struct ens_error *err);
    /** Optional. Doubles of work for a problem of that size; SIZE_MAX: too
     * large. NULL: none. */
    size_t (*work)(size_t n, size_t p);
    /**
     * Required, in a worker. A function of settings, problem and stream
     * alone. ENS_EDOMAIN: there is no fit (aliased term, response out of
     * range): the task is `failed`, with err's text. Built-in fitters do
     * without job and may be called with NULL.
     */
    enum ens_status (*fit)(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result,
                           struct ens_error *err);
};

/* Of settings that all fitters have. */
#define ENS_FIT_SETTING_FORMULA                                                \
    {                                                                          \
        .section = "fit", .key = "formula", .type = ENS_T_FORMULA,             \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = NULL,                     \
        .help = "model as in R: y ~ a*b + I(c/100) + factor(d); -1 or 0 "      \
                "drops the intercept"                                          \
    }
#define ENS_FIT_SETTING_LEVEL                                                  \
    {                                                                          \
        .section = "fit", .key = "level", .type = ENS_T_NUM,                   \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = "0.95", .min = 0,         \
        .max = 1, .help = "level of the confidence limits"                     \
    }

#endif
