/* Trees as they are kept: in one piece, with thresholds in units of x.
 *
 *     offset  size   what
 *     0       8      ENS_TREES_MAGIC
 *     8       4      link, of enum ens_tree_link
 *     12      4      outputs k
 *     16      8      columns
 *     24      8      trees t
 *     32      8      nodes m
 *     40      8      values v
 *     48      8 k    what outputs start from
 *     ...     16 (t + 1)  first node and first value of each tree, and ends
 *     ...     16 m   nodes: threshold f64, column u32, child u32
 *     ...     8 v    values
 *
 * x[column] <= threshold goes to `child`, else to the node behind it; child is
 * counted from the tree's first node and lies behind its parent. A leaf has
 * column 2^32 - 1 and its value as threshold; where trees give all outputs
 * (MEAN, k > 1) its values are k values, row `child` of those of its tree.
 * Little-endian, as all that is kept.
 */
#ifndef ENS_LEARN_TREES_MODEL_H
#define ENS_LEARN_TREES_MODEL_H

#include "learn/trees/grow.h"

#define ENS_TREES_MAGIC 0x3173656572746e65 /* "entrees1" */

enum ens_tree_link {
    ENS_TREES_MEAN, /* of all trees */
    /* sums; tree i is of output i mod k */
    ENS_TREES_SUM,
    ENS_TREES_LOGISTIC, /* of the sum */
    ENS_TREES_EXP,
    ENS_TREES_SOFTMAX
};

/* Values of a leaf from its sums: value[k], k the outputs, or 1 with links
 * but MEAN. */
typedef void ens_leaf_fn(const void *arg, const double *sum, double *value);

struct ens_trees {
    enum ens_tree_link link;
    size_t n_out, p;
    struct ens_kept_tree *tree; /* of the job's memory */
    size_t n, cap;
};

/** Room for up to `cap` trees. */
enum ens_status ens_trees_init(struct ens_trees *t,
                               const struct ens_learn_job *job,
                               enum ens_tree_link link, size_t p, size_t cap,
                               struct ens_error *err);
/** Bytes of a tree of so many leaves, of so many values each beside the nodes
 * (0 with one output), and of its copy in the model. */
uint64_t ens_trees_bytes(uint64_t n_leaves, size_t n_values);
/** Keep the tree that was grown last. */
enum ens_status ens_trees_add(struct ens_trees *t,
                              const struct ens_learn_job *job,
                              const struct ens_grower *g, ens_leaf_fn *leaf,
                              const void *arg, struct ens_error *err);
/** The model: of the first n trees, outputs starting from base[n_out] (NULL:
 * from 0). */
enum ens_status ens_trees_finish(const struct ens_trees *t,
                                 const struct ens_learn_job *job, size_t n,
                                 const double *base, struct ens_error *err);
/** `predict` of a learner whose models these are. */
enum ens_status ens_trees_predict(const struct ens_learn_job *job,
                                  const struct ens_learn_model *model,
                                  const struct ens_rows *train,
                                  const struct ens_rows *at, uint64_t first,
                                  size_t n, double *out, struct ens_error *err);

#endif
