/* The stages of a super learner, one after the other: of each layer, group by
 * group, those that it needs, then the meta learner. Each follows from the
 * settings alone. */
#ifndef ENS_SUPERLEARNER_STEPS_H
#define ENS_SUPERLEARNER_STEPS_H

#include "kinds/superlearner/names.h"

/** What decides which steps a group of a layer has. */
struct ens_sl_needs {
    uint64_t n_cells; /* learners in it */
    uint64_t leader;  /* the first of them */
    int moments, bins;
};

/** Walks all cells. */
enum ens_status ens_sl_needs(const struct ens_plan *plan,
                             const struct ens_host *host,
                             const struct ens_sl_layer *layer,
                             struct ens_sl_needs *needs, struct ens_error *err);
/** How many learners a group has; walks all cells. */
uint64_t ens_sl_n_learners(const struct ens_plan *plan,
                           const struct ens_host *host,
                           const struct ens_sl_layer *layer);
/** The highest layer that a learner is in. */
uint32_t ens_sl_n_layers(const struct ens_plan *plan,
                         const struct ens_host *host);

/** Lanes that n rows are summed in, each with partial sums of that size. */
uint32_t ens_sl_lanes(uint64_t n, uint64_t partial_bytes);
/** Lanes that n rows are sorted in: nothing is summed, so few rows need one. */
uint32_t ens_sl_sort_lanes(uint64_t n);

/** Tasks of a step in each cell that takes part, of an input of that many
 * columns; of META_LANES, META_RISKS: of that many members. */
uint32_t ens_sl_n_tasks(const struct ens_sl_layer *layer, enum ens_sl_step step,
                        size_t width);

/** The stage after `key`, added to `plan`; none after the last. */
enum ens_status ens_sl_next(const struct ens_host *host, const char *key,
                            struct ens_plan *plan, struct ens_error *err);

#endif
