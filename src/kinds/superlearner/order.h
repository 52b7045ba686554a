/* Rows of folds that are no blocks of rows, and predictions in row order. */
#ifndef ENS_SUPERLEARNER_ORDER_H
#define ENS_SUPERLEARNER_ORDER_H

#include "kinds/superlearner/state.h"
#include "learn/order.h"

enum ens_status ens_sl_run_rows(const struct ens_sl_job *job,
                                struct ens_error *err);
enum ens_status ens_sl_run_sorted(const struct ens_sl_job *job,
                                  struct ens_error *err);
/** int64 of a sample's part of array rowsL: its number of rows n, where groups
 * of folds begin (learn/order.h), n rows, then those that it leaves out. */
size_t ens_sl_order_words(const struct ens_sl_layer *layer);
/** The same of a sample, as every process can tell. */
enum ens_status ens_sl_order(const struct ens_sl *sl,
                             const struct ens_sl_layer *layer, uint32_t sample,
                             struct ens_arena *arena, int64_t *words,
                             struct ens_error *err);

#endif
