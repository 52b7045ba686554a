/* Fitters: from a model matrix to estimates with standard errors and limits,
 * or to draws from a posterior (`[fit] fitter`).
 *
 * The settings of a fitter are rows of the section "fit"; `formula` and
 * `level` (below) are among them. A fitter keeps no state that changes a
 * result and takes its random numbers, if any, from the stream
 * host->rng(result, "fit"), chains from "chain.1", "chain.2" ...
 *
 * What is fitted are parameters: the terms of the formula, in its order, then
 * what the fitter adds ("sigma", "sd_g", "g[1]" ...).
 *
 * Built-in ones are a file in src/fit and a line in its x.def; those of a
 * plugin a row of its table (plugin.h).
 */
#ifndef ENSRUN_FITTER_H
#define ENSRUN_FITTER_H

#include <ensrun/data.h>
#include <ensrun/family.h>
#include <ensrun/kind.h>

#define ENS_FIT_MAX_WARNINGS 4

/** Settings of a fit, read once per cell. */
struct ens_fit_options {
    double level;           /* of the limits, between 0 and 1 */
    enum ens_family family; /* which truths of a generator are of this model */
    enum ens_link_function link;
    double nu;       /* of family student, where it is no parameter */
    const void *own; /* the fitter's; in memory of the setup */
    int wants_draws; /* some metric is made of draws; set after `options` */
};

/** What `options` and `parameters` may use; memory as long as the cell. NULL
 * when out of memory. */
struct ens_fit_setup {
    void *(*alloc)(const struct ens_fit_setup *setup, size_t n, size_t size);
};

/** A group of the formula, "(1 | g)": an intercept of its own per level. */
struct ens_fit_group {
    const char *name;
    uint32_t n_levels;
    const char *const *level; /* their names */
    const uint32_t *of;       /* n: the level of a row; NULL in `parameters` */
};

/** Rows with missing values are left out already: all numbers are finite. x, y
 * are NULL where a fitter's `formula` may be missing and is. */
struct ens_fit_problem {
    size_t n, p;
    const double *x;         /* n x p, column-major */
    const double *y;         /* n; NULL where there is nothing to predict */
    const double *offset;    /* n, part of the predictor; NULL: none */
    const double *se;        /* n, known sd of y: "y | se(s)"; NULL: none */
    const char *const *term; /* p names, for messages */
    size_t n_groups;
    const struct ens_fit_group *group;
    const char *response;
    const struct ens_data *data; /* as generated */
    const double *truth; /* n_parameters; NaN: not known; NULL: none is. Not for
                            inference: of the fitter mock */
};

/** A parameter beside the terms. */
struct ens_parameter {
    const char *name;
    int hidden; /* no columns of its own: one of many; artifacts have it */
};

/* Numbers a sampler gives of each draw, named as by Stan. */
#define ENS_SAMPLER_LIST(X)                                                    \
    X(LP, "lp__")                                                              \
    X(ACCEPT, "accept_stat__")                                                 \
    X(STEPSIZE, "stepsize__")                                                  \
    X(TREEDEPTH, "treedepth__")                                                \
    X(N_LEAPFROG, "n_leapfrog__")                                              \
    X(DIVERGENT, "divergent__")                                                \
    X(ENERGY, "energy__")

enum ens_sampler {
#define ENS_SAMPLER_ENUM(name, text) ENS_SAMPLER_##name,
    ENS_SAMPLER_LIST(ENS_SAMPLER_ENUM)
#undef ENS_SAMPLER_ENUM
        ENS_N_SAMPLER
};

/** Draws of all parameters (terms first). Draw i of chain c of parameter j is
 * value[(j * n_chains + c) * n_draws + i]. */
struct ens_draws {
    size_t n_chains; /* 0: there are no draws */
    size_t n_draws;  /* of a chain */
    int independent; /* not from a Markov chain */
    const double *value;
    const double *sampler; /* [ENS_N_SAMPLER][n_chains][n_draws], or NULL */
    uint32_t max_treedepth;
};

/**
 * Arrays are given by the caller, filled with NaN. What fit leaves NaN is
 * made from the rest where that can be: with draws, their mean, sd and
 * quantiles; else std_error from the diagonal of cov, both limits as estimate
 * -+ std_error times the quantile of t with df at the level. An estimate that
 * is not finite fails the task.
 */
struct ens_fit_result {
    size_t n_parameters; /* p and those of `parameters` */
    double *estimate;    /* n_parameters each, in units of the response per */
    double *std_error;   /* unit of x (terms) */
    double *conf_low;
    double *conf_high;
    double *cov;     /* p x p covariance of the terms */
    double df;       /* of the limits' t; infinite (preset): normal */
    double sigma;    /* residual standard deviation; 1 unless gaussian */
    double deviance; /* residual sum of squares for gaussian */
    int iterations;
    struct ens_draws draws; /* in memory of host->alloc */
    uint32_t only_chain;    /* set by the caller, for those that sample: the
                               task is to keep this chain, from 1, as artifact
                               "chain", and no more; 0: it is the fit */
    void *own;              /* the fitter's, for predict and log_lik */
    size_t n_warnings;      /* outcomes that leave a result: const texts */
    const char *warning[ENS_FIT_MAX_WARNINGS];
};

/* What a fitter delivers beside estimates; for messages, `ensrun kinds` and
 * metrics that need it. */
enum ens_delivers {
    ENS_DELIVERS_INTERVALS = 1,
    ENS_DELIVERS_P_VALUES = 2,
    ENS_DELIVERS_DRAWS = 4,
    ENS_DELIVERS_LOG_LIK = 8,
    ENS_DELIVERS_PREDICTIONS = 16,
    ENS_DELIVERS_DIAGNOSTICS = 32
};

/* What else than terms and offsets a fitter has a model for. */
enum ens_takes {
    ENS_TAKES_GROUPS = 1, /* "(1 | g)" */
    ENS_TAKES_SE = 2      /* "y | se(s)" */
};

struct ens_density; /* density.h */

struct ens_fitter {
    /** Optional, in a worker: as those of a generator (generator.h). */
    enum ens_status (*open)(const struct ens_host *host, void **state,
                            struct ens_error *err);
    void (*close)(void *state);
    unsigned delivers; /* of enum ens_delivers */
    unsigned takes;    /* of enum ens_takes; a formula with others is refused */
    /** Optional. Options from a cell's settings (section `role`); ENS_ESTUDY
     * when they do not fit. Pure. NULL: `level`, family gaussian. */
    enum ens_status (*options)(const struct ens_fit_setup *setup,
                               const struct ens_cell *cell, const char *role,
                               struct ens_fit_options *o,
                               struct ens_error *err);
    /** Optional. Parameters beside the terms: *list of *n, in memory of the
     * setup. shape: terms, groups and their levels; no rows, but se is not
     * NULL where there are any. Pure. NULL: the terms are all. */
    enum ens_status (*parameters)(const struct ens_fit_setup *setup,
                                  const struct ens_fit_options *o,
                                  const struct ens_fit_problem *shape,
                                  struct ens_parameter **list, size_t *n,
                                  struct ens_error *err);
    /** Optional. Doubles of work for a problem of that size; SIZE_MAX: too
     * large. NULL: none. */
    size_t (*work)(size_t n, size_t p);
    /**
     * Required, in a worker, but for those with a density. A function of
     * settings, problem and stream alone. ENS_EDOMAIN: there is no fit
     * (aliased term, response out of range): the task is `failed`, with err's
     * text. Built-in fitters that need no memory of the task may be called
     * with job NULL.
     */
    enum ens_status (*fit)(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result,
                           struct ens_error *err);
    /**
     * Instead of fit: the log density of the posterior, which is sampled by
     * NUTS (settings: ENS_FIT_SETTINGS_NUTS). *density and its model in
     * memory of host->alloc.
     */
    enum ens_status (*density)(const struct ens_job *job,
                               const struct ens_fit_options *o,
                               const struct ens_fit_problem *problem,
                               struct ens_density *density,
                               struct ens_error *err);
    /** With density, optional: the parameters (terms, then `parameters`) at
     * q[dim]. NULL: they are q. */
    void (*constrain)(void *model, const double *q, double *parameter);
    /**
     * Optional: the mean of the response in rows first .. first+n-1 of `at`,
     * at each of S draws, or, without draws, at the estimates (S = 1):
     * out[i * S + s]. Draw s is number s of all chains, chain by chain. NULL:
     * that of the family, with the predictor of terms, offset and groups.
     */
    enum ens_status (*predict)(const struct ens_job *job,
                               const struct ens_fit_options *o,
                               const struct ens_fit_result *fit,
                               const struct ens_fit_problem *at, size_t first,
                               size_t n, double *out, struct ens_error *err);
    /** Optional: the log likelihood of rows, as predict. NULL: that of the
     * family, its parameter among `parameters`, or sigma of the result. */
    enum ens_status (*log_lik)(const struct ens_job *job,
                               const struct ens_fit_options *o,
                               const struct ens_fit_result *fit,
                               const struct ens_fit_problem *at, size_t first,
                               size_t n, double *out, struct ens_error *err);
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
/* Of fitters with a density: 8 rows. */
#define ENS_FIT_SETTINGS_NUTS                                                  \
    {.section = "fit",                                                         \
     .key = "chains",                                                          \
     .type = ENS_T_INT,                                                        \
     .shape = ENS_AXIS,                                                        \
     .cls = ENS_C_CELL,                                                        \
     .def = "4",                                                               \
     .min = 1,                                                                 \
     .max = 1000,                                                              \
     .help = "chains of NUTS"},                                                \
        {.section = "fit",                                                     \
         .key = "chains_as_tasks",                                             \
         .type = ENS_T_BOOL,                                                   \
         .shape = ENS_ONE,                                                     \
         .cls = ENS_C_RUN,                                                     \
         .def = "no",                                                          \
         .help = "chains of one data set on several workers, for few and "     \
                 "long fits; else a task draws one after the other. Results "  \
                 "are the same"},                                              \
        {.section = "fit",                                                     \
         .key = "warmup",                                                      \
         .type = ENS_T_INT,                                                    \
         .shape = ENS_AXIS,                                                    \
         .cls = ENS_C_CELL,                                                    \
         .def = "",                                                            \
         .min = 0,                                                             \
         .max = 1e7,                                                           \
         .help = "transitions of a chain before its draws; not set: as the "   \
                 "adaptation needs, 150 of laplace, 400 of fisher, 1000 of "   \
                 "stan"},                                                      \
        {.section = "fit",                                                     \
         .key = "draws",                                                       \
         .type = ENS_T_INT,                                                    \
         .shape = ENS_AXIS,                                                    \
         .cls = ENS_C_CELL,                                                    \
         .def = "1000",                                                        \
         .min = 1,                                                             \
         .max = 1e7,                                                           \
         .help = "draws kept of a chain"},                                     \
        {.section = "fit",                                                     \
         .key = "thin",                                                        \
         .type = ENS_T_INT,                                                    \
         .shape = ENS_AXIS,                                                    \
         .cls = ENS_C_CELL,                                                    \
         .def = "1",                                                           \
         .min = 1,                                                             \
         .max = 1e6,                                                           \
         .help = "transitions per draw kept"},                                 \
        {.section = "fit",                                                     \
         .key = "adapt_delta",                                                 \
         .type = ENS_T_NUM,                                                    \
         .shape = ENS_AXIS,                                                    \
         .cls = ENS_C_CELL,                                                    \
         .def = "0.8",                                                         \
         .min = 0.01,                                                          \
         .max = 0.9999,                                                        \
         .help = "acceptance that the step size is made for; nearer to 1 "     \
                 "against divergences"},                                       \
        {.section = "fit",                                                     \
         .key = "max_treedepth",                                               \
         .type = ENS_T_INT,                                                    \
         .shape = ENS_AXIS,                                                    \
         .cls = ENS_C_CELL,                                                    \
         .def = "10",                                                          \
         .min = 1,                                                             \
         .max = 20,                                                            \
         .help = "a trajectory has at most 2 to that power - 1 steps"},        \
    {                                                                          \
        .section = "fit", .key = "adaptation", .type = ENS_T_CHOICE,           \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = "auto",                   \
        .choices = "auto|stan|dense|fisher|fisher_dense|laplace",              \
        .help = "what the warm-up learns: stan (variances, as Stan), dense "   \
                "(covariances), fisher, fisher_dense (the same of draws and "  \
                "gradients), laplace (fisher around the mode); auto: laplace " \
                "without groups, fisher_dense with groups that are centred "   \
                "and for densities of others, else fisher"                     \
    }

#endif
