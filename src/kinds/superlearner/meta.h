/* Stage `meta`: weights of the learners of the last layer, and risks.
 *
 * A member is a learner and partition: what has a weight. Of probabilities of
 * more than two classes a row is taken as one row for each class, its response
 * 1 for the class it is of and 0 for the others: a member has one weight, and
 * weighted probabilities sum to 1.
 *
 * Array `weights`: of each sample and member its weight, cross-validated risk
 * and the standard error of that. Array `risks`: of each sample and member,
 * then of the super learner and of the best member: number of rows, mean loss
 * and standard error, on rows that the sample left out; of sample 0 on those
 * it was weighted by. */
#ifndef ENS_SUPERLEARNER_META_H
#define ENS_SUPERLEARNER_META_H

#include "kinds/superlearner/state.h"
#include "learn/meta/meta.h"

#define ENS_SL_META_FIELDS(X)                                                  \
    X(SAMPLE, "outer_fold", I64, "", "outer fold left out; 0: none")           \
    X(N, "n_rows", I64, "rows", "rows it is weighted by")                      \
    X(MEMBERS, "members", I64, "",                                             \
      "learners and partitions that are weighted")                             \
    X(LEFT, "left_out", I64, "",                                               \
      "those without a weight: failed, zeros, duplicates")                     \
    X(RISK, "risk", F64, "", "mean loss of the weighted predictions")          \
    X(BEST, "best", I64, "", "number of the member of smallest risk")

enum ens_sl_meta_field {
#define ENS_SL_ENUM(id, name, type, unit, help) ENS_SL_M_##id,
    ENS_SL_META_FIELDS(ENS_SL_ENUM)
#undef ENS_SL_ENUM
        ENS_SL_N_META_FIELDS
};
extern const struct ens_field ens_sl_meta_fields[ENS_SL_N_META_FIELDS];

enum ens_status ens_sl_run_meta(const struct ens_sl_job *job,
                                struct ens_error *err);
/** Members of the last layer. */
uint64_t ens_sl_n_members(const struct ens_sl *sl, const struct ens_plan *plan,
                          const struct ens_host *host);

#endif
