/* Trees whose leaves are means of the response, or shares of its classes:
 * those of `tree` and `forest`. */
#ifndef ENS_LEARN_TREES_MEANS_H
#define ENS_LEARN_TREES_MEANS_H

#include "learn/trees/grow.h"

struct ens_means {
    const struct ens_rows *rows;
    struct ens_tree_data data;
    enum ens_tree_criterion criterion;
    double shift;  /* taken from responses, for small sums */
    double weight; /* of all rows */
    size_t n_out;
};

/** Bins and responses of rows; `always_weighted`: stat has weights even where
 * the rows have none. ENS_ENOMEMORY, ENS_EDOMAIN (no rows, weights all 0, a
 * class that there is not). */
enum ens_status ens_means_init(struct ens_means *m,
                               const struct ens_learn_job *job,
                               const struct ens_rows *rows, int entropy,
                               int always_weighted, struct ens_error *err);
/** Numbers that a row adds to at most, before there are rows. */
size_t ens_means_sums(enum ens_outcome_family family, uint32_t n_classes);
/** Positions of weight above 0: index[data.n]; how many. */
uint32_t ens_means_index(const struct ens_means *m, uint32_t *index);
/** ens_leaf_fn; arg: struct ens_means. */
void ens_means_leaf(const void *arg, const double *sum, double *value);

#endif
