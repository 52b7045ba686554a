/* The fit task: a learner fitted on the rows of one partition without one
 * fold, which it then predicts. */
#ifndef ENS_SUPERLEARNER_FIT_H
#define ENS_SUPERLEARNER_FIT_H

#include "kinds/superlearner/state.h"

/* Fields of a fit, in this order. X(name, type, unit, help) */
#define ENS_SL_FIT_FIELDS(X)                                                   \
    X(SAMPLE, "outer_fold", I64, "", "outer fold that is left out; 0: none")   \
    X(PARTITION, "partition", I64, "", "part of the rows it is fitted on")     \
    X(FOLD, "fold", I64, "", "fold it predicts; 0: fitted on all rows")        \
    X(N_TRAIN, "n_train", I64, "rows", "rows it is fitted on")                 \
    X(N_TEST, "n_test", I64, "rows", "rows it predicts")                       \
    X(P, "columns", I64, "", "columns it sees")                                \
    X(SCORE, "score", F64, "", "of the rows it predicts")                      \
    X(RISK, "risk", F64, "", "mean loss of the rows it predicts")              \
    X(TRAIN_SCORE, "train_score", F64, "",                                     \
      "of the rows it is fitted on (type select)")

enum ens_sl_fit_field {
#define ENS_SL_ENUM(id, name, type, unit, help) ENS_SL_F_##id,
    ENS_SL_FIT_FIELDS(ENS_SL_ENUM)
#undef ENS_SL_ENUM
        ENS_SL_N_FIT_FIELDS
};

extern const struct ens_field ens_sl_fit_fields[ENS_SL_N_FIT_FIELDS];

enum ens_status ens_sl_run_fit(const struct ens_sl_job *job,
                               struct ens_error *err);

#endif
