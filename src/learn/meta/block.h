/* Rows of a problem, block by block. */
#ifndef ENS_LEARN_META_BLOCK_H
#define ENS_LEARN_META_BLOCK_H

#include "learn/meta/meta.h"

struct ens_meta_block {
    uint64_t first;
    size_t n, n_learners;
    double *z; /* row-major n x n_learners */
    double *y, *w;
};

typedef enum ens_status ens_meta_block_fn(void *arg,
                                          const struct ens_meta_block *b,
                                          struct ens_error *err);

/** Hands out all rows in order, in blocks of ENS_META_BLOCK; stops when `fn`
 * fails. *memory keeps the buffers for further passes: NULL at first. */
enum ens_status ens_meta_each(const struct ens_meta_problem *problem,
                              struct ens_meta_block **memory,
                              ens_meta_block_fn *fn, void *arg,
                              struct ens_error *err);

void *ens_meta_alloc(const struct ens_meta_problem *problem, size_t n,
                     size_t size, struct ens_error *err);

#endif
