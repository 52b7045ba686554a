/* What the sources of the predictor share; nobody else's business.
 *
 *   predictor_open.c  a model and new rows, made ready
 *   predictor.c       block by block
 */
#ifndef ENS_LEARN_MODEL_PREDICTOR_INSIDE_H
#define ENS_LEARN_MODEL_PREDICTOR_INSIDE_H

#include "learn/model/predictor.h"

/* A table of the present block in memory, which layers read and write. */
struct table {
    size_t p;
    double *x; /* block x p */
    struct ens_span span;
    struct ens_learn_source source;
};

struct fit {
    const char *name;
    struct ens_predictor_learner learner;
    struct ens_learn_job job;
    struct ens_learn_model model;
    const struct ens_rows *train;
    struct ens_rows at;
    size_t column, n_out; /* of what it writes to */
};

/* X as some learners see it. */
struct first {
    enum ens_texts texts;
    uint64_t lag;
    struct ens_learn_source raw;
    unsigned char *used; /* by column: some learner takes it */
    struct table table;
};

/* What the layer before predicted of rows that stand `lag` before. */
struct late {
    uint64_t lag;
    struct table table;
};

/* In front of the block its table has the last `kept` rows of those before. */
struct layer {
    struct table to;
    size_t kept;
    uint8_t *bad; /* rows that it cannot predict; kept ones in front */
    struct ens_predictor_learner *learner;
    size_t n_fits;
    struct fit *fit;
    size_t n_late;
    struct late *late;
};

struct ens_predictor_inside {
    struct ens_predictor_study study;
    struct ens_predictor_options options;
    struct ens_model_input input;
    struct ens_response response;
    struct ens_arena *arena;
    struct ens_arena work; /* of a call */
    const struct fit *now; /* which predicts */
    size_t n_predicted;    /* columns of what a learner predicts */
    size_t n_first;        /* one for each texts and lag */
    struct first *first;
    struct layer *layer;
    struct fit meta;
    struct table meta_to;
    int is_number; /* what comes out is the number of a class, about */
    uint64_t next; /* row; 0: not known yet */
    uint32_t *bad, *found;
    double *z, *one, *predicted;
};

/** Columns of what the meta learner makes; of none: all of the last layer. */
size_t ens_predictor_combined(const struct ens_model *m);

#endif
