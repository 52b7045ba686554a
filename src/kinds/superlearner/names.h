/* What stages and arrays of a super learner are called: by layer, group and
 * step. */
#ifndef ENS_SUPERLEARNER_NAMES_H
#define ENS_SUPERLEARNER_NAMES_H

#include "kinds/superlearner/shape.h"

enum ens_sl_step {
    ENS_SL_ROWS,  /* rowsL: the order of rows that folds are slices of */
    ENS_SL_LANES, /* lanesL: sums of each fold, by lanes of rows */
    ENS_SL_SUMS,  /* sumsL: those of all lanes */
    ENS_SL_EDGES, /* edgesL: where bins of columns end */
    ENS_SL_BINS,  /* binsL: columns as bins, by lanes of rows */
    ENS_SL_FIT,   /* predictedL or rawL, rawouterL, fitsL: a task per fit */
    ENS_SL_SORT,  /* predictedL, outerL from those */
    ENS_SL_META_LANES, /* metalanes: sums of each sample, by lanes of rows */
    ENS_SL_META_RISKS, /* metarisks: the same of the super learner's risk */
    ENS_SL_META,       /* weights, risks: a task per sample */
    ENS_SL_N_STEPS
};

/** A stage; layer 0 of META_LANES and what follows. */
struct ens_sl_at {
    uint32_t layer;
    enum ens_sl_step step;
    char group[ENS_SL_GROUP];
};

struct ens_sl_at ens_sl_at(const struct ens_sl_layer *layer,
                           enum ens_sl_step step);
/** "layer2_lanes", "layer2", "meta"; of group fast "layer2_fast_lanes". */
void ens_sl_stage_key(struct ens_sl_at at, char key[ENS_SL_KEY]);
/** ENS_EPROTOCOL: no name of a stage. */
enum ens_status ens_sl_stage_of(const char *key, struct ens_sl_at *at,
                                struct ens_error *err);
/** "predicted", layer 2 -> "predicted2"; its group fast: "predicted2_fast"; of
 * no layer (NULL): the stem. */
void ens_sl_array(char to[ENS_SL_KEY], const char *stem,
                  const struct ens_sl_layer *layer);
/** What such a name says: its stem's length, layer (0: of all) and group.
 * ENS_ENOTFOUND. */
enum ens_status ens_sl_array_parse(const char *name, size_t *stem,
                                   uint32_t *layer, char group[ENS_SL_GROUP]);

#endif
