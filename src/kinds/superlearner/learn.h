/* A learner at work in a task: its options, its memory, its model. */
#ifndef ENS_SUPERLEARNER_LEARN_H
#define ENS_SUPERLEARNER_LEARN_H

#include "kinds/superlearner/state.h"

/** What a learner is asked with. Zero but for the first three. */
struct ens_sl_learn {
    const struct ens_sl_job *task;
    const struct ens_learner *learner;
    const void *options;
    struct ens_learn_job job;
    struct ens_learn_model model;
    char *made; /* of the model */
    const struct ens_rows *train;
};

/** Options of a learner of a cell, or of [meta] (cell NULL). Memory is the
 * arena's. */
enum ens_status ens_sl_options(const struct ens_sl *sl,
                               const struct ens_host *host,
                               const struct ens_cell *cell,
                               const struct ens_learner *learner,
                               struct ens_arena *arena, const void **options,
                               struct ens_error *err);

/** What `options` of a learner or meta learner gets; own NULL: no memory. */
struct ens_learn_setup ens_sl_setup(const struct ens_sl *sl,
                                    const struct ens_host *host,
                                    const struct ens_cell *cell,
                                    struct ens_arena *arena);

/** Fit; learn->model is lent until the task ends. */
enum ens_status ens_sl_learn(struct ens_sl_learn *learn,
                             const struct ens_rows *train,
                             struct ens_error *err);
/** Predict rows first .. first+n-1 into out, n x n_out; what is not finite is
 * an error. */
enum ens_status ens_sl_predict_rows(const struct ens_sl_learn *learn,
                                    const struct ens_rows *train,
                                    const struct ens_rows *at, uint64_t first,
                                    size_t n, double *out,
                                    struct ens_error *err);

/** Columns of a prediction of that family. */
size_t ens_sl_n_out(enum ens_outcome_family family, uint32_t n_classes);

#endif
