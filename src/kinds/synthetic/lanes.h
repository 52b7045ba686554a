/* Sums in lanes: an order of adding that follows from the number of rows
 * alone (DESIGN section 7, Reductions), so that any number of workers gives
 * the same bits. */
#ifndef ENS_KINDS_SYNTHETIC_LANES_H
#define ENS_KINDS_SYNTHETIC_LANES_H

#include <ensrun/view.h>

#define ENS_LANES_MAX 4096u

/** Lanes of n rows: ceil(n / 65536) in 16 .. 4096, never more than n. */
uint32_t ens_lanes(uint64_t n);

/**
 * Sum of a one-dimensional view. Lane i adds rows floor(i n / L) up to
 * floor((i + 1) n / L) in order; lanes are combined by a fixed tree (per level
 * lane 2j + lane 2j+1, an odd last one is carried). NaN (a block whose task is
 * not ok) counts as 0.
 */
double ens_lanes_sum(const struct ens_view *v);

#endif
