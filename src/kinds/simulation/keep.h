/* What a task keeps beside its columns: arrays, as .npy. */
#ifndef ENS_KINDS_SIMULATION_KEEP_H
#define ENS_KINDS_SIMULATION_KEEP_H

#include <ensrun/fitter.h>

/** Item "data": the rows that were drawn, else the columns. */
enum ens_status ens_keep_data(const struct ens_job *job,
                              const struct ens_data *data,
                              struct ens_error *err);
/** Item "fit": estimates of the p terms and their covariance, p x (1 + p). */
enum ens_status ens_keep_fit(const struct ens_job *job,
                             const struct ens_fit_result *r, size_t p,
                             struct ens_error *err);
/** Items "draws", draw x chain x parameter, and "sampler", draw x chain x
 * number of ENS_SAMPLER_LIST; nothing when there are none. */
enum ens_status ens_keep_draws(const struct ens_job *job,
                               const struct ens_fit_result *r,
                               struct ens_error *err);

#endif
