/* Draws from a log density by NUTS, as the settings of a cell's fit say. */
#ifndef ENS_FIT_BAYES_SAMPLE_H
#define ENS_FIT_BAYES_SAMPLE_H

#include <ensrun/density.h>
#include <ensrun/fitter.h>

struct ens_sampled {
    const struct ens_density *density;
    void (*constrain)(void *model, const double *q, double *parameter);
    /* What `auto` means, up to 200 parameters; NULL: fisher_dense. */
    const char *best;
};

/**
 * Chains one after the other, from the streams "chain.1", "chain.2" ...;
 * result->draws in memory of the task, the rest of the result is left as it
 * is but for warnings. Chains that tasks of the study's first stage kept
 * (number (replicate - 1) * chains + c, from result->only_chain) are taken
 * from there; with only_chain one is kept, and nothing else made.
 * Errors:  ENS_EDOMAIN, an outcome: there is no mode though laplace was asked
 *          for, or a chain finds no start or step size.
 */
enum ens_status ens_sample(const struct ens_job *job,
                           const struct ens_sampled *of,
                           struct ens_fit_result *result,
                           struct ens_error *err);

/** fitter->fit, or its density sampled; a gradient that differences of the
 * density contradict is a warning of the task. */
enum ens_status ens_fit_run(const struct ens_fitter *fitter,
                            const struct ens_job *job,
                            const struct ens_fit_options *o,
                            const struct ens_fit_problem *problem, double *work,
                            struct ens_fit_result *result,
                            struct ens_error *err);

#endif
