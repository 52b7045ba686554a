/* Which learners' columns can be used, and these made small. */
#ifndef ENS_LEARN_META_COLUMNS_H
#define ENS_LEARN_META_COLUMNS_H

#include "learn/meta/method.h"

struct ens_meta_columns {
    struct ens_meta_task task; /* of those that are left */
    size_t n_finite;           /* learners without NaN or infinite values */
    const size_t *finite;      /* n_finite: which */
    const double *r;           /* (n_finite + 2)^2: ens_meta_factor_gram */
};

/**
 * A learner is left out when it failed (some prediction is not finite), is 0
 * in every row, or has the column of one before it: they differ by less than
 * 1e-8 of their standard deviation (1e-6 where there are only moments). One
 * warning for each sort names them; r counts.
 */
enum ens_status ens_meta_columns_find(const struct ens_meta_problem *problem,
                                      struct ens_meta_columns *c,
                                      struct ens_meta_result *r,
                                      struct ens_error *err);

#endif
