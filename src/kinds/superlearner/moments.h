/* Moments made once for all learners of a layer: sums of each fold, of which
 * training sets are unions.
 *
 * Each of B pieces of the rows (pieces.h) is summed in q lanes (stage
 * `layerL_lanes`, array lanesL: B q sums), which are then added up by a tree
 * (stage `layerL_sums`, array sumsL: B times sums and the shift that they are
 * about). */
#ifndef ENS_SUPERLEARNER_MOMENTS_H
#define ENS_SUPERLEARNER_MOMENTS_H

#include "kinds/superlearner/pieces.h"
#include "kinds/superlearner/state.h"

/** Columns of a layer's input at most: learners may fail. */
size_t ens_sl_width(const struct ens_sl *sl, const struct ens_plan *plan,
                    const struct ens_host *host, uint32_t layer,
                    enum ens_texts texts);
enum ens_status ens_sl_run_lanes(const struct ens_sl_job *job,
                                 struct ens_error *err);
enum ens_status ens_sl_run_sums(const struct ens_sl_job *job,
                                struct ens_error *err);

/** What is known of the source's columns in some rows. Memory is the task's. */
struct ens_sl_shared {
    const struct ens_moments *moments; /* NULL: rows have to be read */
    double lost;                       /* of ens_moments_finish */
    const double *least, *largest;     /* of each column */
};

/** From sumsL, where the fit has sums; TEST: of type select. */
enum ens_status
ens_sl_shared_moments(const struct ens_sl_job *job, struct ens_sl_fit fit,
                      enum ens_sl_which which, const struct ens_sl_data *data,
                      struct ens_sl_shared *to, struct ens_error *err);

/** Are all numbers of the layer's input known to be finite? Lanes that met
 * another one failed. */
int ens_sl_finite(const struct ens_sl_job *job,
                  const struct ens_sl_layer *layer,
                  const struct ens_sl_data *data);

#endif
