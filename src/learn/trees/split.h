/* The best place to split the rows of a node in two.
 *
 * A node has a score, which is what a split raises:
 *
 *     squares    G^2 / (H + l2) of sums G of wy (or of negative gradients) and
 *                H of w (or Hessians): the fall in the sum of squares, in Gini
 *                impurity of two classes (half of it), in a loss to second
 *                order (twice it)
 *     gini       sum of W_k^2 / W over classes
 *     entropy    sum of W_k log2 W_k - W log2 W
 */
#ifndef ENS_LEARN_TREES_SPLIT_H
#define ENS_LEARN_TREES_SPLIT_H

#include "learn/trees/data.h"

enum ens_tree_criterion {
    ENS_TREE_SQUARES, /* modes other than CLASSES */
    ENS_TREE_GINI,    /* CLASSES */
    ENS_TREE_ENTROPY
};

struct ens_tree_rule {
    enum ens_tree_criterion criterion;
    uint32_t depth;    /* of the leaves, at most */
    uint32_t leaves;   /* at most; 0: as many as there are */
    double min_split;  /* rows of a node that is split */
    double min_leaf;   /* rows of its parts */
    double min_weight; /* H of its parts */
    double l2;
    double min_gain; /* a split raises the score by more */
    size_t mtry;     /* columns looked at per node */
};

struct ens_split {
    double score; /* sum of both parts'; -INFINITY: there is none */
    double threshold;
    uint32_t column;
    uint8_t bin; /* the last of the left part */
};

double ens_split_score(const struct ens_tree_rule *r,
                       const struct ens_tree_data *d, const double *sum);
/** Looks at a column: bins list[n] of its histogram hold rows, total[sums] in
 * all. *best changes when it has a better split; of equal ones the first
 * stays. left[sums]: work. */
void ens_split_column(const struct ens_tree_rule *r,
                      const struct ens_tree_data *d, const double *total,
                      uint32_t column, const double *one, const uint8_t *list,
                      size_t n, double *left, struct ens_split *best);

#endif
