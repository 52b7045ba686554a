/* Rows of folds that are no blocks of rows, and predictions in row order. */
#ifndef ENS_SUPERLEARNER_ORDER_H
#define ENS_SUPERLEARNER_ORDER_H

#include "kinds/superlearner/state.h"
#include "learn/order.h"

enum ens_status ens_sl_run_rows(const struct ens_sl_job *job,
                                struct ens_error *err);
enum ens_status ens_sl_run_sorted(const struct ens_sl_job *job,
                                  struct ens_error *err);
/** Partitions of those rows that are clusters; NULL: blocks of rows. */
enum ens_status ens_sl_clusters(const struct ens_sl_job *job,
                                const struct ens_rowset *rows,
                                const struct ens_labels **labels,
                                struct ens_error *err);

#endif
