/* A worker's view of a super learner: what a cell and a task are made of. */
#ifndef ENS_SUPERLEARNER_STATE_H
#define ENS_SUPERLEARNER_STATE_H

#include "base/arena.h"
#include "kind/parts.h"
#include "kinds/superlearner/shape.h"
#include "kinds/superlearner/steps.h"
#include "learn/rows.h"
#include "learn/scores.h"

struct ens_sl_state {
    const struct ens_host *host;
    const struct ens_plan *plan;
    struct ens_sl sl;
    uint32_t n_layers;
    struct ens_arena cell_arena; /* until the cell changes */
    struct ens_arena arena;      /* until the task ends */
    struct ens_sl_at at;         /* the stage */
    struct ens_sl_layer layer;   /* its layer; of meta: what follows the last */
    int has_moments, has_bins;   /* it has those stages */
    uint64_t leader;             /* whose they are */
    enum ens_texts texts;        /* of which source */
    size_t width;                /* columns of it at most */
    const struct ens_score *score, *risk;
    uint32_t fit_schema, meta_schema;
    struct ens_sl_meta *weighed; /* by stage meta_risks; NULL: not yet */
    uint32_t weighed_sample;
    struct ens_parts parts; /* states of learners */
    /* of the cell */
    const struct ens_learner *learner;
    const void *options;
};

/** A task. */
struct ens_sl_job {
    struct ens_sl_state *st;
    const struct ens_task *task;
    struct ens_result *result;
};

/** What rows of a layer's input are, for a sample. Memory is the task's. */
struct ens_sl_data {
    struct ens_learn_source source;
    struct ens_learn_source y, w;
    struct ens_response response;
    enum ens_texts texts;
    const struct ens_bins *bins; /* NULL: none */
    unsigned char *failed; /* of the meta learner's: columns of learners of
                              which a fit failed; others leave them out */
    const char *failure;   /* the first of these fits; NULL: none */
};

/** Columns and response of a layer's input; layer n_layers + 1: of the meta
 * learner's. */
enum ens_status ens_sl_data(const struct ens_sl_job *job,
                            const struct ens_sl_layer *layer, uint32_t sample,
                            enum ens_texts texts, struct ens_sl_data *data,
                            struct ens_error *err);
/** The same with every prediction of the layer before and nothing else;
 * data->failed tells those of learners that failed. */
enum ens_status ens_sl_predictions(const struct ens_sl_job *job,
                                   const struct ens_sl_layer *layer,
                                   uint32_t sample, struct ens_sl_data *data,
                                   struct ens_error *err);
/** All of y and of the weights. ENS_EINPUT: the first value that is none. */
enum ens_status ens_sl_check_response(const struct ens_sl *sl,
                                      struct ens_error *err);
/** Name of a column that a learner adds: its partition and class as far as
 * there are several. NULL: out of memory. */
const char *ens_sl_column_name(struct ens_arena *arena,
                               const struct ens_sl_layer *layer,
                               const char *learner, uint32_t j, size_t k);
/** Column of numbers by name, or by number from 1; NULL. */
const struct ens_column *ens_sl_find_column(const struct ens_input *x,
                                            const char *name);

/** Folds of a sample, and the rows that it leaves out (none of sample 0). */
enum ens_status ens_sl_folds(const struct ens_sl_job *job,
                             const struct ens_sl_layer *layer, uint32_t sample,
                             struct ens_folds *folds, struct ens_rowset *out,
                             struct ens_error *err);

/** Rows that an outer fold leaves out, and the others; of sample 0 none and
 * all. Of layers whose rows no array gives. */
enum ens_status ens_sl_outer(const struct ens_sl *sl,
                             const struct ens_sl_layer *layer, uint32_t sample,
                             struct ens_arena *arena, struct ens_rowset *in,
                             struct ens_rowset *out, struct ens_error *err);

/** An array of the leader of a layer, or of another cell; layer NULL: of none.
 */
enum ens_status ens_sl_array_of(const struct ens_sl_job *job, const char *stem,
                                const struct ens_sl_layer *layer, uint64_t cell,
                                struct ens_view *view, struct ens_error *err);

/** Name of a learner: "scaled.lasso[alpha=0.1]"; in group fast
 * "fast/scaled.lasso[alpha=0.1]", where the group is not told beside it. */
void ens_sl_learner_name(const struct ens_cell *cell, char *to, size_t cap);
void ens_sl_case_name(const struct ens_cell *cell, char *to, size_t cap);

#endif
