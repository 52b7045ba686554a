/* Labels of rows (ids, strata, classes, folds, partitions) as numbers 0, 1 ...
 * in the order in which they appear. */
#ifndef ENS_LEARN_LABELS_H
#define ENS_LEARN_LABELS_H

#include "learn/span.h"
#include <ensrun/view.h>

#define ENS_LABEL_NONE UINT32_MAX /* missing */

struct ens_labels {
    uint64_t n;
    const uint32_t *code; /* n */
    uint32_t n_labels;
    const double *value;   /* n_labels: of text its place among the levels */
    const uint64_t *count; /* n_labels: rows */
    uint64_t n_missing;
    const char *const *level; /* of text; else NULL */
    const char *name;         /* of the input */
};

/**
 * Labels of those rows of an input of one column.
 * Errors: ENS_EINPUT: more columns, complex numbers, whole numbers of 2^53 or
 *         more (they would be confused with others); ENS_ENOMEMORY.
 * Cost:   one pass; 4 bytes a row, 40 to 80 a label.
 */
enum ens_status ens_labels_read(const struct ens_input *in,
                                const struct ens_rowset *rows,
                                struct ens_arena *arena,
                                struct ens_labels *labels,
                                struct ens_error *err);

/** Its values in ascending order, n_labels of them. */
void ens_labels_values(const struct ens_labels *labels, double *value);

#endif
