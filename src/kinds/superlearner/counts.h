/* How many rows folds have where values of id, strata or folds decide it. A
 * pass over labels is dear and every array asks: what was found is remembered
 * by study, layer and group, until the next plan. */
#ifndef ENS_SUPERLEARNER_COUNTS_H
#define ENS_SUPERLEARNER_COUNTS_H

#include "kinds/superlearner/shape.h"

/** K + 2 positions of a sample of a layer that is known but for n_out: where
 * what fold k = 1 .. K predicts begins, at first[k - 1], where it ends, at
 * first[K], and how many rows the sample has. ENS_ESTUDY, ENS_EINPUT. */
enum ens_status ens_sl_count(const struct ens_sl *sl,
                             const struct ens_sl_layer *layer, uint32_t sample,
                             const uint64_t **first, struct ens_error *err);
/** Forget all: a plan is being made, of what may be another study where one
 * was before. */
void ens_sl_count_anew(void);

#endif
