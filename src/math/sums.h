/* Sums whose order is part of the contract: a function of n alone, so that
 * the same numbers give the same bits everywhere. */
#ifndef ENS_MATH_SUMS_H
#define ENS_MATH_SUMS_H

#include <stddef.h>
#include <stdint.h>

/**
 * Pairwise sum of x[n]: halves are added down to runs of 128, which are
 * summed in order in four lanes. Error grows as log2(n), not n.
 * Source: Higham (1993), "The accuracy of floating point summation",
 *         doi:10.1137/0914050.
 */
double ens_sum(const double *x, size_t n);

/** Sum of x[i] y[i], with the same tree. */
double ens_dot(const double *x, const double *y, size_t n);

/**
 * Mean and sum of squared deviations of numbers that arrive one by one, in
 * the order they arrive.
 * Source: Welford (1962), doi:10.1080/00401706.1962.10490022.
 */
struct ens_welford {
    uint64_t n;
    double mean;
    double m2;
};

void ens_welford_add(struct ens_welford *m, double x);
/** Variance with n - 1; NaN when n < 2. */
double ens_welford_var(const struct ens_welford *m);

#endif
