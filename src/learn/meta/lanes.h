/* Sums of parts of the rows, of which those of all rows are made: so parts can
 * be summed by different tasks. */
#ifndef ENS_LEARN_META_LANES_H
#define ENS_LEARN_META_LANES_H

#include "learn/meta/meta.h"

/** Doubles of a lane's sums: its Gram matrix, (n_learners + 2)^2, and a
 * triangle as large where the Gram matrix lost digits. */
size_t ens_meta_lane_doubles(size_t n_learners);

/**
 * Sums of a problem's rows, columns less the shift (ens_meta_shift, of which
 * all lanes have the same). Read once; twice where the Gram matrix lost digits.
 * Columns with values that are not finite have such sums.
 */
enum ens_status ens_meta_lane_make(const struct ens_meta_problem *lane,
                                   const double *shift, double *sums,
                                   struct ens_error *err);

/** Of the rows of all problem->lanes, added in order: as
 * ens_meta_moments_make, ens_meta_factor_rows. */
enum ens_status ens_meta_lanes_moments(const struct ens_meta_problem *problem,
                                       struct ens_meta_moments *moments,
                                       struct ens_error *err);
enum ens_status ens_meta_lanes_factor(const struct ens_meta_problem *problem,
                                      const size_t *column, size_t n, double *r,
                                      struct ens_error *err);

#endif
