/* Nearest rows by looking at all of them: in many dimensions, where a tree
 * prunes nothing. */
#ifndef ENS_LEARN_BRUTE_H
#define ENS_LEARN_BRUTE_H

#include "learn/kdtree.h"

/* Rows looked up at once, and training rows of a block. */
#define ENS_BRUTE_QUERIES 128
#define ENS_BRUTE_ROWS    512

/** Doubles of work for ens_brute. */
#define ENS_BRUTE_WORK(p)                                                      \
    ((size_t)(2 * (ENS_BRUTE_QUERIES + ENS_BRUTE_ROWS) + 1) * (p) +            \
     (size_t)ENS_BRUTE_QUERIES * ENS_BRUTE_ROWS + 2 * ENS_BRUTE_QUERIES)

/**
 * The nearest rows of n <= ENS_BRUTE_QUERIES queries q[n * p]: heap[n] is
 * offered all of r that may be among them, with the distance ens_kd_distance.
 * Method:  |x - q|^2 as |x|^2 - 2 x'q + |q|^2 by one dgemm a block, about the
 *          first row; what that leaves possible, its rounding included, gets
 *          its exact distance: the result does not depend on the BLAS.
 */
void ens_brute(const struct ens_rows *r, enum ens_kd_metric metric,
               const double *q, size_t n, struct ens_nearest *heap,
               double *work);

#endif
