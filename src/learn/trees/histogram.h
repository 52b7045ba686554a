/* Sums over rows by bin of a column: what a split is chosen from.
 *
 * A histogram of a column is ENS_BINS_MAX entries of ens_tree_sums numbers and
 * a little room behind them: with columns a power of two apart, entries of
 * different columns would share their last 12 bits of address and stores hold
 * up loads (measured: 10x in columns of two values).
 *
 * Rows are added in the order of their list, which is part of the result.
 */
#ifndef ENS_LEARN_TREES_HISTOGRAM_H
#define ENS_LEARN_TREES_HISTOGRAM_H

#include "learn/trees/data.h"

#define ENS_TREE_BLOCK 256 /* rows taken at a time */

/* A block of rows: where their codes are, what they add. */
struct ens_tree_block {
    size_t n;
    const uint8_t *code[ENS_TREE_BLOCK];
    double a[ENS_TREE_BLOCK], b[ENS_TREE_BLOCK];
};

/** Doubles of a histogram of one column. */
static inline size_t ens_histogram_size(const struct ens_tree_data *d)
{
    return ENS_BINS_MAX * ens_tree_sums(d) + 8;
}

/** Adds rows at[n] to the histograms of column[k], one behind the other:
 * to[k * size]. With k = p they must be 0 .. p-1. */
void ens_histogram_add(const struct ens_tree_data *d, const uint32_t *at,
                       size_t n, const uint32_t *column, size_t k, double *to);
/** a[n] -= b[n]. */
void ens_histogram_subtract(double *a, const double *b, size_t n);
/** Bins that hold rows, ascending; returns how many. */
size_t ens_histogram_list(const struct ens_tree_data *d, const double *one,
                          uint8_t *list);

/** n <= ENS_TREE_BLOCK rows. */
void ens_histogram_load(const struct ens_tree_data *d, const uint32_t *at,
                        size_t n, struct ens_tree_block *b);
/** Of few rows: add them to the histogram of a column, list the bins. */
size_t ens_histogram_few(const struct ens_tree_data *d,
                         const struct ens_tree_block *b, uint32_t column,
                         double *one, uint8_t *list);
/** Zeroes those bins again. */
void ens_histogram_clear(const struct ens_tree_data *d, double *one,
                         const uint8_t *list, size_t n);

/** Sums of rows at[n]: sum[ens_tree_sums]. Do all have the same response? (Of
 * GRADIENT: 0.) */
int ens_histogram_total(const struct ens_tree_data *d, const uint32_t *at,
                        size_t n, double *sum);

#endif
