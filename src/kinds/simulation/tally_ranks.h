/* Rows of cells.csv about the metric rank: is the sampler calibrated?
 *
 * Of each parameter ranked NAME__ecdf_p, NAME__ecdf_diff and NAME__chi2_p
 * (mcmc/sbc.h). Tasks may keep different numbers of draws: each rank is moved
 * to one of ENS_TALLY_RANKS by a uniform number of its replicate's stream
 * "sbc", which leaves uniform ranks uniform. */
#ifndef ENS_KINDS_SIMULATION_TALLY_RANKS_H
#define ENS_KINDS_SIMULATION_TALLY_RANKS_H

#include "base/arena.h"
#include <ensrun/kind.h>

#define ENS_TALLY_RANKS 1000

struct ens_tally_ranks {
    const char *term;
    const char *ecdf_p, *ecdf_diff, *chi2_p; /* names of the rows */
    size_t rank, n_ranks;                    /* fields */
    uint64_t n;                              /* ranks seen */
    uint64_t *count;                         /* ENS_TALLY_RANKS */
};

/** Kept in the arena. ENS_ENOMEMORY. */
enum ens_status ens_tally_ranks_init(struct ens_tally_ranks *r,
                                     const char *metric, const char *term,
                                     size_t rank, size_t n_ranks,
                                     struct ens_arena *arena,
                                     struct ens_error *err);
/** A replicate's: rank among n_ranks (NaN: it has none), uniform u. */
void ens_tally_ranks_add(struct ens_tally_ranks *r, double rank, double n_ranks,
                         double u);
enum ens_status ens_tally_ranks_rows(const struct ens_tally_ranks *r,
                                     uint64_t n_records, ens_measure_fn *sink,
                                     void *arg, struct ens_error *err);

#endif
