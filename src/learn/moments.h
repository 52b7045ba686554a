/* Moments of rows: sums of blocks about a provisional shift, added up over
 * the blocks of a training set, then centred (struct ens_moments, learner.h).
 *
 * Sums are plain doubles, so that they can lie in a shared array. A training
 * set is the union of blocks: sums are only ever added. (All less one block is
 * the same algebra, but where that block's values are large nothing is left of
 * the others.)
 *
 * Memory is the caller's: functions ending in _doubles say how many.
 */
#ifndef ENS_LEARN_MOMENTS_H
#define ENS_LEARN_MOMENTS_H

#include <ensrun/learner.h>

/* Layout of the sums of p columns and a response, which is column p: number of
 * rows, W = sum of w, p + 1 sums of w (x - a), the lower triangle by rows of
 * sums of w (x - a)(x - a)', and the least and largest x of p columns (of rows
 * of weight 0: not). a is the shift. */
size_t ens_sums_doubles(size_t p);

/** Sums of no rows. */
void ens_sums_init(double *sums, size_t p);

/** to += from */
void ens_sums_add(double *to, const double *from, size_t p);

/** out = sums[block[0]] + sums[block[1]] ... in that order; block NULL: the
 * first n. Sums are `stride` doubles apart. */
void ens_sums_union(const double *sums, size_t stride, const uint32_t *block,
                    size_t n, size_t p, double *out);

/** Work for n > 0 lanes: sums of each level of the tree. */
size_t ens_sums_tree_doubles(size_t n, size_t p);
/**
 * out: the sums of n > 0 lanes, which are `stride` doubles apart, added by a
 * tree: per level lane 2j and lane 2j + 1, an odd last one is carried.
 */
void ens_sums_tree(const double *lane, size_t stride, size_t n, size_t p,
                   double *work, double *out);

/** Rows whose sums go to those of their folds. */
struct ens_sums_pass {
    size_t p;
    const double *shift; /* p + 1 */
    uint32_t n_folds;
    double *sums; /* n_folds of them, one after the other */
    double *work; /* ens_sums_pass_doubles(p, n_folds) */
};

struct ens_sums_rows {
    size_t n;
    const double *x; /* row-major; rows are `stride` doubles apart */
    size_t stride;
    const double *y;      /* NULL: zeros */
    const double *w;      /* NULL: ones */
    const uint32_t *fold; /* of each row; one >= n_folds is in none. NULL: all
                             are of fold 0 */
};

size_t ens_sums_pass_doubles(size_t p, uint32_t n_folds);
/** Add rows, any number: in chunks, of which each is first sorted by folds.
 * Equal blocks give equal bits wherever they lie; a lane may be cut into calls
 * at multiples of 1024 of its rows, which changes no bit. */
void ens_sums_lane(const struct ens_sums_pass *pass,
                   const struct ens_sums_rows *rows);

/** Are the sums of all columns finite? Then all their values were. */
int ens_sums_are_finite(const double *sums, size_t p);

/**
 * The provisional shift, p + 1: mean of at most 1000 evenly spaced rows. A
 * function of the rows alone. work: 2 (p + 1) doubles.
 */
void ens_moments_shift(const struct ens_rows *r, double *shift, double *work);

/** Of a struct ens_moments of p columns. */
size_t ens_moments_doubles(size_t p);

/**
 * Centre sums. mem[ens_moments_doubles(p)] is what *m points into.
 * A column that is constant has a variance and covariances of exactly 0.
 * *loss (may be NULL): how much larger, at most, the mean square about the
 * shift is than the variance; beyond 1e6 more than 6 of 16 digits are gone,
 * and sums about another shift are wanted.
 * ENS_EDOMAIN: no weight; a sum that is not finite (names the column's number
 * from 1).
 */
enum ens_status ens_moments_finish(const double *sums, const double *shift,
                                   size_t p, double *mem, struct ens_moments *m,
                                   double *loss, struct ens_error *err);

size_t ens_moments_of_rows_doubles(size_t p);
/**
 * The same by a pass over rows; by two where the first lost digits.
 * ENS_EDOMAIN: as ens_moments_finish, with the column's name.
 */
enum ens_status ens_moments_of_rows(const struct ens_rows *r, double *mem,
                                    double *work, struct ens_moments *m,
                                    struct ens_error *err);

/* -- linear preprocessing: moments of columns that are made of columns.
 * mem: ens_moments_doubles of the new columns. ------------------------- */

/** Columns column[0..n-1]. */
void ens_moments_select(const struct ens_moments *from, const size_t *column,
                        size_t n, double *mem, struct ens_moments *to);

/** x' = (x - centre) * scale; centre NULL: zeros. */
void ens_moments_scale(const struct ens_moments *from, const double *centre,
                       const double *scale, double *mem,
                       struct ens_moments *to);

/** x' = A'(x - centre), A[p, q] column-major; centre NULL: zeros.
 * work[p * q]. */
void ens_moments_map(const struct ens_moments *from, const double *centre,
                     const double *a, size_t q, double *mem, double *work,
                     struct ens_moments *to);

#endif
