/* A kd-tree over rows that stay where they are: their places in an order of
 * leaves, and where the splits are. One piece of memory without pointers.
 *
 * Layout (native byte order):
 *   struct ens_kd_head
 *   struct ens_kd_run   run[ENS_KD_RUNS]
 *   double              box[2 p]          lowest of each column, then highest
 *   struct ens_kd_node  node[2^levels]    0 is unused, 1 the root, 2i and
 *                                         2i + 1 the halves of i
 *   uint32_t            place[n]          rows, leaf by leaf
 * A node of places [lo, hi) has halves [lo, mid), [mid, hi), mid = lo +
 * (hi - lo) / 2; those of level `levels` are leaves.
 */
#ifndef ENS_LEARN_KDTREE_H
#define ENS_LEARN_KDTREE_H

#include "learn/nearest.h"
#include <ensrun/learner.h>

/* Rows of a leaf, at most. 10^6 uniform rows, 5 nearest, us a query in 2 and
 * 10 columns: 16: 1.5, 380; 32: 1.5, 440; 64: 2.3, 590. A model is 6.1, 5.0,
 * 4.5 MB. */
#define ENS_KD_LEAF 32
/* Rows in so few pieces of the source are read where they lie. */
#define ENS_KD_RUNS 64
#define ENS_KD_MAX  ((uint64_t)UINT32_MAX - 1) /* rows */

struct ens_kd_head {
    uint64_t n, p, levels;
    uint64_t n_runs; /* 0: more than ENS_KD_RUNS, or not contiguous doubles */
};

struct ens_kd_run {
    uint64_t at, source; /* place of its first row; its row of the source */
};

struct ens_kd_node {
    double low, high; /* highest of the first half, lowest of the second */
    uint32_t column;
    uint32_t first[2]; /* lowest place in each half */
};

enum ens_kd_metric { ENS_KD_EUCLIDEAN, ENS_KD_MANHATTAN };

struct ens_kdtree {
    struct ens_kd_head head;
    const struct ens_rows *rows;
    const struct ens_kd_run *run;
    const double *box;
    const struct ens_kd_node *node;
    const uint32_t *place;
};

/** Bytes of a tree over n <= ENS_KD_MAX rows. */
uint64_t ens_kdtree_bytes(uint64_t n, size_t p);
/** Bytes of work for ens_kdtree_build. */
uint64_t ens_kdtree_work(uint64_t n, size_t p);

/**
 * Build the tree of rows [0, r->n), 0 < r->n <= ENS_KD_MAX.
 * Shapes:  to[ens_kdtree_bytes], zeroed, and work[ens_kdtree_work], both
 *          aligned to 16 bytes.
 * Method:  a node is halved at the median of the column that is widest in a
 *          sample of it; one whose rows are all equal, by their places.
 * Cost:    10^6 x 2: 0.1 s.
 */
void ens_kdtree_build(void *to, const struct ens_rows *r, void *work);

/** The tree in memory aligned to 16 bytes, over the same rows; 0, or -1: it
 * is damaged, or not of these. */
int ens_kdtree_open(struct ens_kdtree *t, const void *data, size_t bytes,
                    const struct ens_rows *r);

/** Doubles of work for ens_kdtree_search. */
#define ENS_KD_SEARCH_WORK(p) ((size_t)(ENS_KD_LEAF + 1) * (p))

/**
 * Offers every row that may be among the k nearest of q[p], with the distance
 * ens_kd_distance. 0, or -1: the tree is damaged.
 */
int ens_kdtree_search(const struct ens_kdtree *t, enum ens_kd_metric metric,
                      const double *q, struct ens_nearest *h, double *work);

/** Sum of squared or absolute differences, in order of the columns. */
static inline double ens_kd_distance(enum ens_kd_metric metric, const double *a,
                                     const double *b, size_t p)
{
    double d = 0;

    if (metric == ENS_KD_MANHATTAN)
        for (size_t j = 0; j < p; j++)
            d += fabs(a[j] - b[j]);
    else
        for (size_t j = 0; j < p; j++)
            d += (a[j] - b[j]) * (a[j] - b[j]);
    return d;
}

#endif
