/* Simulation-based calibration of a cell: are the ranks of metric `rank`
 * uniform? Needs two passes: ranks of tasks that kept different numbers of
 * draws are brought to the largest one first. */
#ifndef ENS_KINDS_SIMULATION_RANKS_H
#define ENS_KINDS_SIMULATION_RANKS_H

#include "base/arena.h"
#include "kinds/simulation/measures/measure.h"
#include "math/rng.h"
#include "mcmc/sbc.h"
#include <ensrun/error.h>

/* Of cells whose tasks keep more, ranks are brought down to these. */
#define ENS_RANKS_MAX 16384

struct ens_ranks {        /* of one parameter */
    size_t rank, n_ranks; /* fields */
    size_t to;            /* ranks there are */
    uint64_t n;
    uint64_t *count; /* to */
    int done;
    struct ens_sbc_chi2 chi2;
    struct ens_sbc_ecdf ecdf;
};

/** The rows of a parameter: their names behind that of the metric. NULL past
 * the last. */
const struct ens_measure_def *ens_ranks_row(size_t i);

/** In the first pass: numbers of ranks. */
void ens_ranks_look(struct ens_ranks *r, double rank, double n_ranks);
enum ens_status ens_ranks_begin(struct ens_ranks *r, struct ens_arena *arena,
                                struct ens_error *err);
/** In the second; u: uniform, for ranks of another number. */
void ens_ranks_add(struct ens_ranks *r, double rank, double n_ranks, double u);
/** Value of a row; NaN: too few ranks. Memory is the arena's. */
enum ens_status ens_ranks_value(struct ens_ranks *r,
                                const struct ens_measure_def *row,
                                struct ens_arena *arena, double *value,
                                struct ens_error *err);

#endif
