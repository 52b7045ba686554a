/* One tree, grown on rows in bins.
 *
 * Leaves are split best first when their number is limited, else depth first
 * (then the order decides nothing but memory). Histograms are kept of nodes of
 * more than ENS_TREE_BLOCK rows that wait to be split: that of the larger part
 * is the node's minus that of the smaller. With mtry below the number of
 * columns each node has its own columns and nothing is kept.
 */
#ifndef ENS_LEARN_TREES_GROW_H
#define ENS_LEARN_TREES_GROW_H

#include "learn/trees/split.h"

#define ENS_TREE_LEAF UINT32_MAX

struct ens_tree_node {
    double threshold; /* x <= it goes left */
    uint32_t column;  /* ENS_TREE_LEAF: none */
    uint32_t child;   /* left; right is behind it; both behind their parent */
    uint32_t begin, end; /* its rows: grower->index[begin .. end-1] */
    uint32_t depth;
    uint8_t bin; /* a code <= it goes left */
};

struct ens_grower {
    const struct ens_host *host;
    struct ens_rng *rng; /* may be NULL when mtry is all columns */
    const struct ens_tree_data *data;
    struct ens_tree_rule rule;
    uint32_t *index;  /* [data->n]: positions of the rows to grow on */
    uint32_t *column; /* [n_columns]: those to grow on, drawn from */
    size_t n_columns;
    struct ens_tree_node *node; /* the tree: node 0 is its root */
    double *sum;                /* of node i: sum[i * ens_tree_sums] */
    size_t n_nodes;

    /* -- its own --------------------------------------------------------- */
    size_t node_cap;
    uint32_t *spare; /* [data->n] */
    struct ens_waiting *waiting;
    size_t n_waiting, waiting_cap;
    double *one;   /* histograms of mtry columns, zero between uses */
    double *left;  /* sums */
    double **pool; /* histograms of all columns that nobody uses */
    size_t n_pool, pool_cap;
};

/** Zeroes g, then takes memory for data with mtry columns per node; data,
 * rule, column and index (0 .. n-1) may be changed until ens_tree_grow. */
enum ens_status ens_grower_init(struct ens_grower *g,
                                const struct ens_host *host,
                                const struct ens_tree_data *data,
                                const struct ens_tree_rule *rule,
                                struct ens_error *err);
void ens_grower_fini(struct ens_grower *g);

/** A tree on positions index[n], n > 0 (reordered so that those of a node are
 * in one piece). ENS_ENOMEMORY, ENS_EDOMAIN (2^32 nodes). */
enum ens_status ens_tree_grow(struct ens_grower *g, uint32_t n,
                              struct ens_error *err);
/** The leaf of a position, in the tree grown last. */
uint32_t ens_grower_leaf(const struct ens_grower *g, uint32_t position);
/** Cost-complexity pruning: the smallest tree of the greatest
 * score / scale - alpha x leaves. Nodes that are cut off stay in `node`, and
 * no node's child. ENS_ENOMEMORY. */
enum ens_status ens_grower_prune(struct ens_grower *g, double scale,
                                 double alpha, struct ens_error *err);

/** Bytes that growing on n rows of p columns takes at most, but nodes. */
uint64_t ens_grower_memory(const struct ens_tree_rule *rule, size_t n_sums,
                           uint64_t n, size_t p);

#endif
