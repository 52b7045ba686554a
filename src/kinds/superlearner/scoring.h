/* Scores of a family: what `scorer` names, and the loss that risks are of. */
#ifndef ENS_SUPERLEARNER_SCORING_H
#define ENS_SUPERLEARNER_SCORING_H

#include "kinds/superlearner/state.h"
#include "learn/scores.h"

/** ENS_ESTUDY: a score that is not of the family. */
enum ens_status ens_sl_scores(const struct ens_sl *sl,
                              const struct ens_score **score,
                              const struct ens_score **risk,
                              struct ens_error *err);
/** Begin a score of at most n rows; memory is the task's. */
enum ens_status ens_sl_scorer(const struct ens_sl_job *job, size_t m,
                              const struct ens_score *score, uint64_t n,
                              struct ens_scorer *scorer, struct ens_error *err);

#endif
