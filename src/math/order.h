/* Sorting of many numbers that differ in their leading digits as in their
 * trailing ones. */
#ifndef ENS_MATH_ORDER_H
#define ENS_MATH_ORDER_H

#include <stddef.h>
#include <stdint.h>

/** Doubles of work for ens_order of n numbers. */
#define ENS_ORDER_WORK(n) (4 * (size_t)(n))

/**
 * sorted[n] = x[n] ascending, order[n] their places: sorted[i] = x[order[i]].
 * Stable but that -0 comes before 0; infinite numbers are allowed, NaN is not.
 * x and sorted may be the same; order may be NULL. n < 2^32.
 * Method:  radix sort by bytes; those that all numbers share are skipped.
 * Cost:    4,000 draws 39 us, where qsort takes 256.
 */
void ens_order(const double *x, size_t n, double *sorted, uint32_t *order,
               double *work);

#endif
