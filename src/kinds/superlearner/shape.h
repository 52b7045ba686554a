/* What a super learner consists of, as its settings say: a pure function of
 * study and inputs.
 *
 * A layer's input has n_in rows: those of X for layer 1, the rows predicted by
 * the layer before for others. Its learners are in groups, each with a way of
 * its own to divide these rows: the layer's own group, of learners that name
 * none, and those that [group NAME] describes. A group's output are the last
 * n_out rows of the input; rows that all groups of a layer predict are the next
 * layer's input.
 *
 * A group is fitted for samples 0 .. V: sample 0 is all rows, sample v >= 1
 * leaves out outer fold v (`outer_folds` = V), the same rows in all groups. Of
 * each sample there are J partitions, of each partition fit 0 (all its rows,
 * for predictions of new rows) and fits 1 .. K (without fold k, which it
 * predicts).
 *
 * Replicate of a fit: 1 + (sample * J + partition) * (K + 1) + fit; without
 * fit 0 (type select): 1 + (sample * J + partition) * K + fit - 1.
 *
 * Arrays, by group, `predictedL` of the layer's own, `predictedL_NAME` of
 * another: predictions of its learners `predictedL` (n_out x J m:
 * partition-major, m columns each) and `outerL` (V x n_out x J m), rows in the
 * order of the layer's input; when rows are not predicted in that order, fits
 * write `rawL` (J x n_out x m) and `rawouterL` (V x J x n_in x m) and a stage
 * of its own sorts them.
 *
 * A layer that predicts some rows only hands on those. Where they are not its
 * last ones, `indexL` has them: n_out rows of X, from 0, ascending.
 */
#ifndef ENS_SUPERLEARNER_SHAPE_H
#define ENS_SUPERLEARNER_SHAPE_H

#include "learn/folds.h"
#include <ensrun/kind.h>
#include <ensrun/learner.h>

#define ENS_SL_LAYERS 32 /* at most */
#define ENS_SL_GROUPS 16 /* [group] sections at most */
#define ENS_SL_KEY    48 /* bytes of a stage's or array's name */
#define ENS_SL_GROUP  17 /* bytes of a group's name */
#define ENS_SL_BLOCK  1024

/** A group of a layer; most layers have one. */
struct ens_sl_layer {
    uint32_t number;
    char group[ENS_SL_GROUP]; /* "": the layer's own */
    char row[12];             /* of role layer: its number */
    char section[32];         /* "layer 1", "group fast": for messages */
    uint64_t n_in, n_out;
    uint64_t first_out; /* row of the input that output row 0 is, unless
                           is_picked */
    uint32_t mapped_by; /* its input's rows are in the index of that layer; 0:
                           they are rows of X, as they stand */
    uint64_t first_y;   /* from that row on, of the index or of X */
    uint32_t n_partitions, n_folds, n_samples;
    int is_shuffled;
    int is_full;   /* has fits 0 */
    int is_shared; /* rows are given by an array: stage `rowsL` */
    int is_uneven; /* folds are not as large as blocks of rows would be */
    int is_kmeans; /* partitions are clusters */
    int is_sorted; /* rows are predicted in their order */
    int is_picked; /* those predicted are not the last ones: `indexL` */
    int is_proba;  /* predictions of classes are probabilities */
    size_t m;      /* columns of a prediction: 1, or classes */
    struct ens_folds_spec spec;
};

struct ens_sl {
    const struct ens_study *study;
    enum ens_outcome_family family;
    uint32_t n_classes;
    uint32_t n_outer;      /* V */
    int is_select;         /* no ensemble: learners are compared */
    int keeps_all;         /* and their predictions kept */
    int is_outer_shuffled; /* outer folds are drawn: as layer 1 says, for all */
    uint32_t n_groups;     /* [group] sections */
    const char *group[ENS_SL_GROUPS];
    /* layers that learners of a group are in, bit n - 1 of layer n; the last:
     * of none, where others are in that layer, too */
    uint32_t layers[ENS_SL_GROUPS + 1];
    uint64_t n_rows;
    const struct ens_input *x, *y, *weights;
    const struct ens_input *id, *strata, *folds; /* NULL: none */
};

/** A fit, by its replicate. */
struct ens_sl_fit {
    uint32_t sample, partition, fold; /* fold 0: all rows */
};

/** Of the study; checks inputs and [superlearner]. ENS_ESTUDY, ENS_EINPUT. */
enum ens_status ens_sl_read(struct ens_sl *sl, const struct ens_plan *plan,
                            const struct ens_host *host, struct ens_error *err);
/** A group of layer 1 .. ; what it needs of those before it is found anew. */
enum ens_status ens_sl_layer(const struct ens_sl *sl, uint32_t number,
                             const char *group, struct ens_sl_layer *layer,
                             struct ens_error *err);
/** The one that a cell is in. */
enum ens_status ens_sl_layer_of_cell(const struct ens_sl *sl,
                                     const struct ens_cell *cell,
                                     struct ens_sl_layer *layer,
                                     struct ens_error *err);
/** Rows of X that are the layer's input, by the settings alone: `indexL` holds
 * the same. Memory is the arena's. */
enum ens_status ens_sl_map(const struct ens_sl *sl,
                           const struct ens_sl_layer *layer,
                           struct ens_arena *arena, struct ens_rowset *map,
                           struct ens_error *err);
/** What follows the last layer: no folds, the meta learner's rows. */
enum ens_status ens_sl_meta_layer(const struct ens_sl *sl, uint32_t n_layers,
                                  struct ens_sl_layer *layer,
                                  struct ens_error *err);
uint32_t ens_sl_layer_of(const struct ens_cell *cell);
const char *ens_sl_group_of(const struct ens_cell *cell);
int ens_sl_is_in(const struct ens_cell *cell, const struct ens_sl_layer *layer);

uint32_t ens_sl_n_fits(const struct ens_sl_layer *layer);
struct ens_sl_fit ens_sl_fit_of(const struct ens_sl_layer *layer,
                                uint32_t replicate);
uint32_t ens_sl_replicate(const struct ens_sl_layer *layer,
                          struct ens_sl_fit fit);
/** Are predictions of that layer arrays? Not of those that select compares. */
int ens_sl_is_kept(const struct ens_sl *sl, uint32_t layer, uint32_t n_layers);
/** Columns that a learner of the layer adds to the next one's input. */
size_t ens_sl_n_columns(const struct ens_sl_layer *layer);

/** What tables of settings cannot check: learners, cases, scores, meta learner.
 * ENS_ESTUDY. */
enum ens_status ens_sl_check(const struct ens_sl *sl,
                             const struct ens_plan *plan,
                             const struct ens_host *host,
                             struct ens_error *err);
/** Schemas: of fits, of the meta learner. */
enum ens_status ens_sl_schemas(const struct ens_host *host,
                               struct ens_plan *plan, struct ens_error *err);
/** Which of the inputs that need not be there are, as a text: no cell names
 * them, and all results depend on them. */
void ens_sl_computed(const struct ens_study *study, char *to, size_t cap);

#endif
