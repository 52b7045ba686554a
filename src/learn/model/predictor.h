/* Predictions of new rows by a fitted super learner, block by block: layer
 * after layer, then the meta learner. What a block takes is all the memory
 * there is. */
#ifndef ENS_LEARN_MODEL_PREDICTOR_H
#define ENS_LEARN_MODEL_PREDICTOR_H

#include "learn/model/columns.h"
#include "learn/rows.h"

struct ens_predictor_learner {
    const struct ens_learner *ops;
    const void *options;         /* of its options */
    void *state;                 /* of its open, which is the caller's */
    const struct ens_task *task; /* what its job has */
    struct ens_result *result;
    /* Of its case: */
    enum ens_texts texts;
    uint64_t lag; /* it reads rows that stand so many before */
};

/** Who knows the study. All but train and warn are required. */
struct ens_predictor_study {
    const struct ens_host *host;
    /** The learner of a cell; of the meta learner: cell UINT64_MAX. */
    enum ens_status (*learner)(void *own, uint64_t cell,
                               struct ens_predictor_learner *l,
                               struct ens_error *err);
    /** Opens preprocessing (lent) for columns of those names; in memory of the
     * arena. */
    enum ens_status (*prep)(void *own, const struct ens_model_blob *blob,
                            const char *const *column, size_t p,
                            struct ens_arena *arena,
                            const struct ens_rows_prep **prep,
                            struct ens_error *err);
    /** The rows that a learner with ENS_LEARN_ROWS was fitted on: of a layer
     * (from 0; n_layers: the meta learner) and partition. NULL: such learners
     * are refused. */
    enum ens_status (*train)(void *own, uint32_t layer, uint64_t cell,
                             uint32_t partition,
                             const struct ens_rows_prep *prep,
                             const struct ens_rows **rows,
                             struct ens_error *err);
    /** What a learner says of rows that it predicts; NULL: nobody listens. */
    void (*warn)(void *own, const char *learner, const char *text);
    void *own;
};

struct ens_predictor_options {
    int proba;    /* of classes: probabilities, not the likeliest class */
    int skip_bad; /* rows with missing values are NaN, not an error */
    uint64_t block_bytes; /* of a block of columns, about; 0: 4 MiB */
};

struct ens_predictor {
    const struct ens_model *model;
    uint64_t n_rows;
    size_t block;   /* rows of a block, at most */
    uint64_t reach; /* layers look back on so many rows before, in all */
    size_t n_out;
    const char *const *out; /* names of the columns */
    int is_class;           /* out are numbers of classes */
    struct ens_predictor_inside *in;
};

/**
 * All is lent; memory is the arena's.
 * Errors: those of ens_model_input_open; ENS_ECORRUPT: the model does not fit
 *         the study; ENS_EDOMAIN: a learner that is needed has no fit.
 */
enum ens_status ens_predictor_open(struct ens_predictor *p,
                                   const struct ens_model *m,
                                   const struct ens_predictor_study *study,
                                   const struct ens_predictor_options *options,
                                   const struct ens_input *input,
                                   struct ens_arena *arena,
                                   struct ens_error *err);
/** Rows first .. first+n-1 (n <= block): out row-major n x n_out. Rows in
 * their order, from any on; of the first `reach` that are not the input's
 * first the predictions are not to be used. */
enum ens_status ens_predictor_rows(struct ens_predictor *p, uint64_t first,
                                   size_t n, double *out,
                                   struct ens_error *err);
void ens_predictor_close(struct ens_predictor *p);

#endif
