/* Fitters: from a model matrix to estimates with standard errors and limits.
 *
 * One file per implementation, one line in x.def; its settings are rows of
 * the section "fit". A fitter does not allocate,
 * keeps no state and draws its random numbers, if any, from the stream it is
 * given. */
#ifndef ENS_FIT_FITTER_H
#define ENS_FIT_FITTER_H

#include <ensrun/error.h>
#include <ensrun/study.h>
#include <stddef.h>

#define ENS_FIT_MAX_WARNINGS 4

/** Settings of a fit, read once per cell. */
struct ens_fit_options {
    double level;   /* of the confidence limits */
    int is_normal;  /* family gaussian: limits from t, a residual scale */
    int is_poisson; /* family poisson: log link; neither: binomial */
};

struct ens_fit_problem {
    size_t n, p;
    const double *x;         /* n x p, column-major */
    const double *y;         /* n */
    const double *offset;    /* n, part of the predictor; NULL: none */
    const char *const *term; /* p names, for messages */
    const char *response;
};

struct ens_fit_result {
    double *estimate; /* p each, given by the caller */
    double *std_error;
    double *conf_low;
    double *conf_high;
    double *cov;     /* p x p covariance of the estimates */
    double df;       /* of the limits' t; infinite: normal */
    double sigma;    /* residual standard deviation; 1 unless gaussian */
    double deviance; /* residual sum of squares for gaussian */
    int iterations;
    size_t n_warnings; /* outcomes that leave a result: const texts */
    const char *warning[ENS_FIT_MAX_WARNINGS];
};

struct ens_fitter {
    /** Options from a cell's settings; ENS_ESTUDY when they do not fit. */
    enum ens_status (*options)(const struct ens_cell *cell, const char *role,
                               struct ens_fit_options *o,
                               struct ens_error *err);
    /** Doubles of work for a problem of that size; SIZE_MAX: too large. */
    size_t (*work)(size_t n, size_t p);
    /**
     * Fit. Results are a function of problem and options alone. ENS_EDOMAIN:
     * there is no fit (aliased term, response out of range): an outcome.
     */
    enum ens_status (*fit)(const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result,
                           struct ens_error *err);
};

/* Of settings that fitters share. */
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

/** Reads `level`; 0 < level < 1. */
enum ens_status ens_fit_level(const struct ens_cell *cell, const char *role,
                              double *level, struct ens_error *err);
/** Standard errors and limits from estimate, cov, df and level. ENS_EDOMAIN
 * when an estimate is not finite. */
enum ens_status ens_fit_limits(struct ens_fit_result *r,
                               const struct ens_fit_problem *problem,
                               double level, struct ens_error *err);
void ens_fit_warn(struct ens_fit_result *r, const char *text);

#define ENS_FITTER(name, n, help)                                              \
    extern const struct ens_fitter ens_fitter_##name;                          \
    extern const struct ens_setting ens_fitter_##name##_settings[n];
#include "fit/x.def"
#undef ENS_FITTER

#endif
