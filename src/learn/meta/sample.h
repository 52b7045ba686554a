/* Rows in memory, for what must sort them: the area under the ROC curve. */
#ifndef ENS_LEARN_META_SAMPLE_H
#define ENS_LEARN_META_SAMPLE_H

#include "learn/meta/meta.h"

/* Of more rows, as many are taken, evenly spread: the area's standard error is
 * about 0.001 then, and a search of ten learners takes seconds. */
#define ENS_META_SAMPLE 262144

struct ens_meta_sample {
    size_t n, n_columns;
    double *z; /* n x n_columns, column-major */
    double *w; /* n, negative for class 0 */
    double *score, *sorted, *weight, *work;
    uint32_t *order;
};

/** Some of the problem's columns, finite ones. ENS_EDOMAIN: y is not 0 or 1, or
 * there is one class only. */
enum ens_status ens_meta_sample_take(const struct ens_meta_problem *problem,
                                     const size_t *column, size_t n_columns,
                                     struct ens_meta_sample *t,
                                     struct ens_error *err);

/** Bytes of it. */
uint64_t ens_meta_sample_memory(uint64_t n, size_t n_columns);

/** Area under the curve of the sum of x[n_columns] times the columns. */
double ens_meta_sample_auc(struct ens_meta_sample *t, const double *x);

#endif
