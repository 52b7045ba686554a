/* Least squares under weights that are not negative, and may have to sum to 1:
 * exactly, by an active set. */
#ifndef ENS_LEARN_META_ACTIVE_H
#define ENS_LEARN_META_ACTIVE_H

#include <stddef.h>

struct ens_active {
    size_t m, n;     /* m > n >= 1 */
    const double *f; /* m x n, column-major, no column of zeros */
    const double *b; /* m */
    int is_simplex;  /* weights sum to 1 */
};

/** Doubles of work. */
#define ENS_ACTIVE_WORK(m, n) ((m) * ((n) + 3) + (n) * ((n) + 67))
/** Numbers of columns: work of another type. */
#define ENS_ACTIVE_PLACES(n) (2 * (n))

/**
 * x[n] minimises |f x - b|. Of columns that depend on those chosen before them
 * the weight is 0; so it is one solution where there are many, always the same.
 * Method:  Lawson and Hanson (1974), "Solving Least Squares Problems", ch. 23;
 *          sums to 1 by eliminating one column of the chosen ones. Each least
 *          squares problem by QR and seminormal equations, refined: the
 *          condition of f is not squared.
 */
void ens_active_solve(const struct ens_active *q, double *x, double *work,
                      size_t *places);

#endif
