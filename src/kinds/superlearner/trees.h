/* Bins of a layer's input, made once for all trees of it: stages
 * `layerL_edges` (array edgesL: the table of bins, learn/bins.h) and
 * `layerL_bins` (array binsL: a row's codes, by lanes of rows). */
#ifndef ENS_SUPERLEARNER_TREES_H
#define ENS_SUPERLEARNER_TREES_H

#include "kinds/superlearner/state.h"

enum ens_status ens_sl_run_edges(const struct ens_sl_job *job,
                                 struct ens_error *err);
enum ens_status ens_sl_run_bins(const struct ens_sl_job *job,
                                struct ens_error *err);
/** *bins NULL when the layer has none of that source. */
enum ens_status ens_sl_shared_bins(const struct ens_sl_job *job,
                                   const struct ens_sl_layer *layer,
                                   const struct ens_sl_data *data,
                                   const struct ens_bins **bins,
                                   struct ens_error *err);

#endif
