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
 * term of the model, METRIC__NAME__TERM or METRIC__TERM. */
struct ens_metric_field {
    const char *name;
    const char *unit; /* "" = none */
    const char *help; /* meaning, for columns.csv */
    int per_term;
};

/** What a metric sees of a task; lent until compute returns. */
struct ens_metric_input {
    const struct ens_data *data;           /* as generated */
    const struct ens_fit_problem *problem; /* its complete rows */
    const struct ens_fit_result *fit;
    const double *truth;         /* problem->p; NaN where it is not known */
    const struct ens_call *call; /* arguments in the order of the settings */
};

struct ens_metric {
    /** Optional, in a worker: as those of a generator (generator.h). */
    enum ens_status (*open)(const struct ens_host *host, void **state,
                            struct ens_error *err);
    void (*close)(void *state);
    size_t n_fields; /* at least 1 */
    const struct ens_metric_field *field;
    /** Required: when compute fails the task is `failed`. Else its columns
     * are missing and the text is among the task's warnings. ENS_EINPUT ends
     * the run in any case. */
    int required;
    /**
     * Required, in a worker. value: one number per field in their order, p
     * of them for one per term; filled with NaN (missing) before. Random
     * numbers, if any, from the stream host->rng(result, "metric.NAME").
     */
    enum ens_status (*compute)(const struct ens_job *job,
                               const struct ens_metric_input *in, double *value,
                               struct ens_error *err);
};

#endif
