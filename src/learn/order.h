/* Folds that are no blocks of rows: an array of row numbers, by partition,
 * fold and row, and where each group begins (folds.h).
 *
 *                 blocks, or with a stream shuffled rows in blocks
 *   id            rows of one id stay together: ids by size, the largest
 *                 first, each to the fold with the fewest rows
 *   strata        every fold has its share of each label: that of every K-th
 *                 row of the sorted labels
 *   id, strata    ids by how uneven their strata are, each to the fold where
 *                 the shares of the strata then differ least
 *   folds         as the user says; a negative or missing one: never tested.
 *                 Of some of the rows, a fold may be empty
 *   partitions    rows of one label are a partition (clusters)
 *
 * Source: ids, strata and both as GroupKFold, StratifiedKFold and
 * StratifiedGroupKFold of scikit-learn 1.2, without shuffling fold by fold the
 * same (ties between ids of one size: that which appears first).
 */
#ifndef ENS_LEARN_ORDER_H
#define ENS_LEARN_ORDER_H

#include "learn/folds.h"
#include "learn/labels.h"

/** A stream of random numbers. */
struct ens_draws {
    uint64_t (*below)(void *arg, uint64_t n); /* uniform in 0 .. n-1 */
    void *arg;
};

/** Labels are of the rows that are ordered; NULL: none. */
struct ens_order_how {
    const struct ens_draws *shuffle; /* NULL: not shuffled */
    const struct ens_labels *id, *strata, *partitions, *folds;
    const double *fold; /* of folds: its K values, ascending */
};

/** Are folds more than blocks of rows? Else no order is needed. */
int ens_order_needed(const struct ens_order_how *how);

/** How many starts there are. */
size_t ens_order_starts(const struct ens_folds_spec *spec);

/**
 * order[rows->n] and start[ens_order_starts(spec)].
 * Errors: ENS_ESTUDY: as ens_folds_open; temporal folds (their rows have an
 *         order); fewer ids than folds, fewer rows in a partition than folds,
 *         labels that are missing; folds with id, strata or shuffle.
 *         ENS_ENOMEMORY.
 * Cost:   24 bytes a row of memory beside the labels. With ids G K steps of G
 *         ids, with strata of C labels, too, G K^2 C.
 */
enum ens_status ens_folds_order(const struct ens_folds_spec *spec,
                                const struct ens_rowset *rows,
                                const struct ens_order_how *how,
                                struct ens_arena *arena, int64_t *order,
                                uint64_t *start, struct ens_error *err);

/** Whole values of labels that are 0 or more, ascending: what the user calls
 * his folds. *n of them, in memory of the arena.
 * ENS_EINPUT: a fold that is no whole number; fewer than two. */
enum ens_status ens_order_folds(const struct ens_labels *labels,
                                struct ens_arena *arena, const double **fold,
                                uint32_t *n, struct ens_error *err);

#endif
