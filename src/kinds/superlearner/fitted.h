/* The fitted super learner: its file, and predictions of new rows by it. */
#ifndef ENS_SUPERLEARNER_FITTED_H
#define ENS_SUPERLEARNER_FITTED_H

#include <ensrun/kind.h>

extern const struct ens_file_def ens_sl_files[];
#define ENS_SL_N_FILES 1

/** Slot of the kind. */
enum ens_status ens_sl_predict(const struct ens_host *host,
                               const struct ens_predict *p,
                               struct ens_error *err);

#endif
