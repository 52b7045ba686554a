/* Columns sorted into at most 256 bins, for trees: a byte per value, made
 * once and read by all tasks.
 *
 * Bins come from an evenly spaced sample of rows: a column of few distinct
 * values has a bin for each; others have bins of about equally many rows.
 * Between two bins lies the middle of the largest value seen in one and the
 * smallest seen in the next.
 *
 * The bins of a source are made of all its rows, those of test folds too: of
 * their x, never of their y.
 *
 * Codes are written by ranges of rows, in any order and by any process; a row
 * takes a multiple of 8 bytes, so that ranges are ranges of an int64 array.
 */
#ifndef ENS_LEARN_BINS_H
#define ENS_LEARN_BINS_H

#include <ensrun/learner.h>

/* Rows that bins are made of, at most: 256 for a bin. */
#define ENS_BINS_SAMPLE 65536

/** Bytes of a row's codes. */
size_t ens_bins_stride(size_t p);
/** Bytes of the codes of n rows; 0 when there is no such number. */
size_t ens_bins_bytes(uint64_t n, size_t p);
/** Doubles of the table of p columns; 0 when there is no such number. */
size_t ens_bins_table_size(size_t p);

/** Doubles of work for ens_bins_make of n rows, of p columns. */
size_t ens_bins_make_work(uint64_t n, size_t p);
/** The table of rows that hold x (its other parts are not asked). A pure
 * function of their values; r->n > 0, r->p > 0. */
void ens_bins_make(const struct ens_rows *r, double *work, double *table);

/** Doubles of work for ens_bins_encode. */
size_t ens_bins_encode_work(size_t p);
/** Codes of rows first .. first+n-1: code[n * stride]. */
void ens_bins_encode(const struct ens_rows *r, const double *table,
                     uint64_t first, uint64_t n, double *work, uint8_t *code);

/** What separates a from b > a: a <= it < b. */
static inline double ens_bins_between(double a, double b)
{
    double m = a / 2 + b / 2;

    return m >= a && m < b ? m : a;
}

static inline const double *ens_bins_low(const double *column)
{
    return column + 1;
}

static inline const double *ens_bins_high(const double *column)
{
    return column + 1 + ENS_BINS_MAX;
}

/** Of codes as they lie in an array, and their table: lent. */
struct ens_bins ens_bins_of(uint64_t n_rows, size_t p, const void *code,
                            const double *table);

#endif
