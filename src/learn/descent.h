/* Coordinate descent: quadratic forms with absolute values.
 *
 *     1/2 b'C b - b'k + l1 sum of |b_j| + l2/2 sum of b_j^2
 *
 * Sweeps find which coefficients are not 0 and their signs; the solution for
 * those is then had in closed form, and it is the minimum when all signs stay
 * and no other gradient exceeds l1. So what converges is exact to rounding,
 * however slowly sweeps would end.
 * Source: Friedman, Hastie, Tibshirani (2010), "Regularization paths for
 *         generalized linear models via coordinate descent",
 *         doi:10.18637/jss.v033.i01.
 */
#ifndef ENS_LEARN_DESCENT_H
#define ENS_LEARN_DESCENT_H

#include <stddef.h>

struct ens_descent {
    size_t p;
    const double *c; /* p x p, both triangles, positive semidefinite */
    const double *k; /* p */
    double l1, l2;
    int positive;  /* b >= 0 */
    double enough; /* stop when a sweep over all changes no coefficient by more
                      than this share of the largest, in units of columns'
                      lengths; 0: at the minimum */
};

/** Doubles of work. */
size_t ens_descent_doubles(size_t p);

/**
 * From b[p] on to the minimum; a column of zeros gets 0.
 * Returns whether it was found: else b is as near as 100,000 sweeps come. (Of
 * many minima, where columns depend on each other, one.)
 */
int ens_descent_solve(const struct ens_descent *q, double *b, double *work);

/** The least l1 for which all are 0. */
double ens_descent_start(const struct ens_descent *q);

#endif
