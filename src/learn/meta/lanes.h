/* Sums of parts of the rows, of which those of all rows are made: so parts can
 * be summed by different tasks. */
#ifndef ENS_LEARN_META_LANES_H
#define ENS_LEARN_META_LANES_H

#include "learn/meta/meta.h"

/** Doubles of a lane's sums: its Gram matrix, (n_learners + 2)^2, and a
 * triangle as large where the Gram matrix loses digits. */
size_t ens_meta_lane_doubles(size_t n_learners);

/** Rows being summed, columns less a shift that all lanes have. */
struct ens_meta_lane {
    size_t n_learners;
    const double *shift; /* ens_meta_shift */
    double *sums;
    int mode;
    int is_whole;      /* the Gram matrix is that of all rows */
    size_t *column, n; /* learners in the triangle */
    double *x, *w, *gram, *r, *work;
};

/** shift and sums[ens_meta_lane_doubles] are lent, work is the problem's. */
enum ens_status ens_meta_lane_open(struct ens_meta_lane *lane,
                                   const struct ens_meta_problem *problem,
                                   const double *shift, double *sums,
                                   struct ens_error *err);
/** Rows as problem->read gives them, at most ENS_META_BLOCK; w NULL: ones. The
 * sums are the same bits for the same blocks. */
void ens_meta_lane_add(struct ens_meta_lane *lane, const double *z,
                       const double *y, const double *w, size_t n);
/** 0: the sums are there. 1: all rows are wanted once more, from the first; at
 * most twice. Columns with values that are not finite have such sums. */
int ens_meta_lane_end(struct ens_meta_lane *lane);

/** Of the rows of all problem->lanes, added in order: as
 * ens_meta_moments_make, ens_meta_factor_rows. */
enum ens_status ens_meta_lanes_moments(const struct ens_meta_problem *problem,
                                       struct ens_meta_moments *moments,
                                       struct ens_error *err);
enum ens_status ens_meta_lanes_factor(const struct ens_meta_problem *problem,
                                      const size_t *column, size_t n, double *r,
                                      struct ens_error *err);

#endif
