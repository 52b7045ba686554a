/* Partitions of rows by k-means: rows that are alike lie in one. */
#ifndef ENS_LEARN_CLUSTERS_H
#define ENS_LEARN_CLUSTERS_H

#include "base/arena.h"
#include "learn/order.h"
#include <ensrun/learner.h>

/* Rows that centres are found from: evenly spaced ones where there are
 * more. */
#define ENS_CLUSTERS_ROWS 65536

struct ens_clusters {
    uint32_t n;
    size_t p;
    double *centre; /* n x p */
};

/**
 * n centres for the rows, in memory of the arena: a start by draws, then
 * Lloyd's steps until no row changes, at most 300.
 * Method:  starts are rows, each drawn with a probability proportional to its
 *          squared distance from those before it (k-means++).
 * Source:  Arthur and Vassilvitskii (2007), "k-means++: the advantages of
 *          careful seeding", SODA.
 * Errors:  ENS_EDOMAIN: fewer different rows than clusters; ENS_ENOMEMORY.
 */
enum ens_status ens_clusters_fit(const struct ens_rows *rows, uint32_t n,
                                 const struct ens_draws *draws,
                                 struct ens_arena *arena,
                                 struct ens_clusters *c, struct ens_error *err);

/** Lloyd's steps from centres that are there. A cluster that loses all rows
 * starts anew at the row that is farthest from its centre. ENS_ENOMEMORY. */
enum ens_status ens_clusters_settle(const struct ens_rows *rows,
                                    struct ens_arena *arena,
                                    struct ens_clusters *c,
                                    struct ens_error *err);

/** Number of the nearest centre of rows x[n][p], of equally near ones the
 * first; *distance (may be NULL): squared. */
void ens_clusters_nearest(const struct ens_clusters *c, const double *x,
                          size_t n, uint32_t *cluster, double *distance);
/** The cluster of each row as a label, for ens_order_how: label k is cluster k,
 * even of one without rows. 4 bytes a row, of the arena. ENS_ENOMEMORY. */
enum ens_status ens_clusters_labels(const struct ens_clusters *c,
                                    const struct ens_rows *rows,
                                    struct ens_arena *arena,
                                    struct ens_labels *labels,
                                    struct ens_error *err);
/** Those of positions first .. first+n-1; block: 256 * p doubles. */
void ens_clusters_of(const struct ens_clusters *c, const struct ens_rows *rows,
                     uint64_t first, size_t n, double *block, int64_t *cluster);

#endif
