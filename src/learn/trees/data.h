/* What trees are grown on: rows by position, their bins, what their response
 * contributes.
 *
 * A row contributes numbers, in `stat`, that are added over the rows of a
 * node; what is added is said by `mode`:
 *
 *     mode       stat of a row   added
 *     RESPONSE   y               y, 1
 *     WEIGHTED   w, y            wy, w, 1
 *     GRADIENT   g, h            g, h, 1
 *     CLASSES    w, class        w to the sum of that class, 1
 *
 * (1 always last: the count.) Sums of WEIGHTED are those of GRADIENT with the
 * negative gradient wy and the Hessian w of w (y - f)^2 / 2 at f = 0.
 */
#ifndef ENS_LEARN_TREES_DATA_H
#define ENS_LEARN_TREES_DATA_H

#include <ensrun/learner.h>

enum ens_tree_mode {
    ENS_TREE_RESPONSE,
    ENS_TREE_WEIGHTED,
    ENS_TREE_GRADIENT,
    ENS_TREE_CLASSES
};

struct ens_tree_data {
    uint32_t n; /* positions */
    size_t p;
    struct ens_bins bins;
    const uint32_t *source; /* rows of bins by position; NULL: first + it */
    uint64_t first;
    enum ens_tree_mode mode;
    size_t n_classes; /* of CLASSES */
    double *stat;     /* n x ens_tree_stats(mode) */
};

static inline size_t ens_tree_stats(enum ens_tree_mode mode)
{
    return mode == ENS_TREE_RESPONSE ? 1 : 2;
}

/** Numbers added per row. */
static inline size_t ens_tree_sums(const struct ens_tree_data *d)
{
    return d->mode == ENS_TREE_RESPONSE  ? 2
           : d->mode == ENS_TREE_CLASSES ? d->n_classes + 1
                                         : 3;
}

static inline const uint8_t *ens_tree_code(const struct ens_tree_data *d,
                                           uint32_t position)
{
    uint64_t row =
        d->source != NULL ? d->source[position] : d->first + position;

    return d->bins.code + row * d->bins.stride;
}

/** Bins of rows, those that are shared or their own; no stat yet. Memory of
 * the job. ENS_ENOMEMORY, ENS_EDOMAIN (no rows, or more than 2^32 - 2). */
enum ens_status ens_tree_data_init(struct ens_tree_data *d,
                                   const struct ens_learn_job *job,
                                   const struct ens_rows *rows,
                                   struct ens_error *err);

#endif
