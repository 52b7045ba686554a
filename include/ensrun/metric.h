/* Metrics that a task computes (`[metrics] use`): numbers from the data and
 * the fit of one replicate, kept as columns of the tasks' table; cells.csv
 * has their mean over replicates with its Monte Carlo standard error.
 *
 * (bias, rmse and coverage are measures: computed at the end from columns.)
 *
 * A metric is named in `use` as a call; its settings are the call's
 * arguments: rows of the section "metrics". It belongs to the study's
 * fingerprint: tasks that have ended lack the columns of a new one.
 */
#ifndef ENSRUN_METRIC_H
#define ENSRUN_METRIC_H

#include <ensrun/data.h>
#include <ensrun/fitter.h>
#include <ensrun/kind.h>

/** Columns METRIC__NAME, or METRIC when name is ""; per_term: one for each
 * parameter with columns, METRIC__NAME__TERM or METRIC__TERM. */
struct ens_metric_field {
    const char *name;
    const char *unit; /* "" = none */
    const char *help; /* meaning, for columns.csv */
    int per_term;
};

#define ENS_METRIC_NAME 24 /* room for a name made of a call, with the NUL */

/* What a metric cannot do without; where a fit has none its columns are
 * missing, without a warning. */
enum ens_needs {
    ENS_NEEDS_TEST = 1,        /* rows to predict */
    ENS_NEEDS_PREDICTIONS = 2, /* the mean of the response in them */
    ENS_NEEDS_LOG_LIK = 4,     /* their log likelihood */
    ENS_NEEDS_DRAWS = 8,
    ENS_NEEDS_LOO = 16,  /* leave-one-out of the rows fitted */
    ENS_NEEDS_EPRED = 32 /* with LOO: their weighted means */
};

/** Predictions of the test set's complete rows. */
struct ens_predicted {
    size_t n;
    const double *y;    /* n, the response */
    const double *mean; /* n, over draws; NULL: nobody needs it */
    const double *elpd; /* n, log of the mean likelihood over draws */
};

/** Leave-one-out by Pareto smoothed importance sampling. */
struct ens_loo {
    size_t n;           /* rows fitted */
    const double *elpd; /* n each */
    const double *p_loo;
    const double *pareto_k;
    const double *mean; /* weighted mean of the response; NULL: not needed */
};

/** What a metric sees of a task; lent until compute returns. */
struct ens_metric_input {
    const struct ens_data *data;           /* as generated */
    const struct ens_fit_problem *problem; /* its complete rows */
    const struct ens_fit_result *fit;
    size_t n_parameters;              /* those with columns */
    const char *const *parameter;     /* their names */
    const size_t *place;              /* theirs among all of the result */
    const double *truth;              /* n_parameters; NaN: not known */
    const struct ens_predicted *test; /* NULL: none, or not needed */
    const struct ens_loo *loo;        /* NULL: none, or not needed */
    const double *diagnostics;        /* values of the metric of that name,
                                         where the task has them already */
    double level;                     /* of the fit's limits */
    const char *name; /* of the columns; "metric.NAME" is the stream */
    const struct ens_call *call; /* arguments in the order of the settings */
};

struct ens_metric {
    /** Optional, in a worker: as those of a generator (generator.h). */
    enum ens_status (*open)(const struct ens_host *host, void **state,
                            struct ens_error *err);
    void (*close)(void *state);
    unsigned needs;  /* of enum ens_needs */
    size_t n_fields; /* at least 1 */
    const struct ens_metric_field *field;
    /**
     * Optional, pure: check a call's arguments (ENS_ESTUDY) and say which
     * columns it has: field[*n] is a copy of `field` to change, name[*n] room
     * for names. NULL: `field`.
     */
    enum ens_status (*columns)(const struct ens_call *call,
                               struct ens_metric_field *field, size_t *n,
                               char (*name)[ENS_METRIC_NAME],
                               struct ens_error *err);
    /** Required: when compute fails the task is `failed`. Else its columns
     * are missing and the text is among the task's warnings. ENS_EINPUT ends
     * the run in any case. */
    int required;
    /**
     * Required, in a worker. value: one number per field in their order,
     * n_parameters of them for one per term; NaN (missing) before. Random
     * numbers, if any, from the stream host->rng(result, "metric.NAME").
     */
    enum ens_status (*compute)(const struct ens_job *job,
                               const struct ens_metric_input *in, double *value,
                               struct ens_error *err);
};

#endif
