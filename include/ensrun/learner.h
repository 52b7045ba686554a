/* Learners: from rows and a response to a model, from a model to predictions
 * (`[learner NAME] learner`, `[meta] learner`).
 *
 * The settings of a learner are rows of the section "learner". A learner keeps
 * no state that changes a result, starts no threads, adds in a fixed order and
 * takes its random numbers, if any, from the stream host->rng(result, "fit").
 *
 * Rows are never copied for a learner: it asks for blocks of them, which are
 * made on the fly from the mapped arrays (row set, columns, preprocessing).
 * One that must keep rows in memory says how much in `memory`.
 *
 * Built-in ones are a file in src/learn/learners and a line in its x.def;
 * those of a plugin a row of its table (plugin.h).
 */
#ifndef ENSRUN_LEARNER_H
#define ENSRUN_LEARNER_H

#include <ensrun/kind.h>

/** What the response is. */
enum ens_outcome_family {
    ENS_OUTCOME_GAUSSIAN,    /* any number; one column: the mean */
    ENS_OUTCOME_BINOMIAL,    /* 0 or 1; one column: the probability of 1 */
    ENS_OUTCOME_MULTINOMIAL, /* class 0 .. n_classes-1; n_classes columns of
                                probabilities */
    ENS_OUTCOME_POISSON      /* a count; one column: the mean */
};

/** Moments of rows, in the columns that the learner sees: one pass at most,
 * often none. Weights w are 1 where there are none; all sums are over them. */
struct ens_moments {
    uint64_t n;    /* rows */
    double weight; /* W = sum of w */
    size_t p;
    const double *mean;  /* p: sum w x / W */
    const double *cov;   /* p x p, both triangles: sum w (x - mean)
                            (x - mean)' / W */
    double y_mean;       /* sum w y / W */
    const double *cross; /* p: sum w (x - mean)(y - y_mean) / W */
    double y_var;        /* sum w (y - y_mean)^2 / W */
};

/* Bins of a column, and the doubles of its part of a table: how many there
 * are, then smallest and largest value seen in each. */
#define ENS_BINS_MAX   256
#define ENS_BINS_TABLE (1 + 2 * ENS_BINS_MAX)

/** Columns sorted into bins, of all rows of the source, for trees. Shared by
 * all tasks: a byte per value. Values are those that the rows give. */
struct ens_bins {
    uint64_t n_rows; /* of the source */
    size_t p;
    size_t stride;       /* bytes from row to row: p rounded up to 8 */
    const uint8_t *code; /* n_rows x stride: the bin of a value; 0 behind the
                            p columns. Aligned to 8 */
    const double *table; /* p x ENS_BINS_TABLE */
};

/**
 * n rows of p columns: what a learner is fitted on, or predicts. Positions in
 * it are 0 .. n-1. Functions of a struct ens_rows take it as their first
 * argument. Values are finite: a row that is not makes the task fail with a
 * text that names row and column, whatever the learner does with it (it reads
 * zeros there).
 */
struct ens_rows {
    uint64_t n;
    size_t p;
    const char *const *column; /* p names */
    enum ens_outcome_family family;
    uint32_t n_classes; /* of multinomial; 2 of binomial; else 0 */
    int weighted;       /* else w gives ones */
    /** Rows first .. first+n-1, row-major n x p. */
    void (*x)(const struct ens_rows *r, uint64_t first, size_t n, double *out);
    /** Rows at[0..n-1], row-major n x p. */
    void (*gather)(const struct ens_rows *r, const uint64_t *at, size_t n,
                   double *out);
    /** Their response (class numbers of classes); of rows to be predicted:
     * NULL. */
    void (*y)(const struct ens_rows *r, uint64_t first, size_t n, double *out);
    void (*w)(const struct ens_rows *r, uint64_t first, size_t n, double *out);
    /** Their numbers in the source: rows of bins. */
    void (*source)(const struct ens_rows *r, uint64_t first, size_t n,
                   uint64_t *out);
    /** Moments of all n rows, lent as long as r. ENS_ENOMEMORY, ENS_EDOMAIN
     * (nothing but weights of 0). */
    enum ens_status (*moments)(const struct ens_rows *r,
                               const struct ens_moments **m,
                               struct ens_error *err);
    /** Bins of the source's columns; NULL when it has none: preprocessing
     * made columns of its own, or the learner does not use ENS_LEARN_BINS. */
    const struct ens_bins *bins;
    /** The mapped source itself where rows are contiguous doubles there and
     * the columns are the source's, scaled at most: value (i, j) of source
     * row i is (direct[i * stride + j] - centre[j]) * scale[j]; centre NULL:
     * as they are. direct NULL: not so. */
    const double *direct;
    uint64_t stride;
    const double *centre, *scale;
    /** The same of columns as they are, whether their values are finite or
     * not: for who hands on where they lie, and sees them through x too. */
    const double *mapped;
    /** Rows in one piece of the source: source row of position i is
     * first_row + i. Else UINT64_MAX. */
    uint64_t first_row;
    void *own; /* of who made it */
};

/** What `options` may use; memory as long as the cell. */
struct ens_learn_setup {
    const struct ens_host *host;
    /** NULL when out of memory. */
    void *(*alloc)(const struct ens_learn_setup *setup, size_t n, size_t size);
    /** Value of a setting of the learner's section, there or in [meta]; of a
     * key that its table has: never NULL. */
    const struct ens_value *(*value)(const struct ens_learn_setup *setup,
                                     const char *key);
    enum ens_outcome_family family;
    uint32_t n_classes;
    const void *own; /* of who made it */
};

struct ens_learn_job {
    const struct ens_host *host;
    struct ens_result *result;   /* with `outside`: of the host only input,
                                    folder, group and warn take it */
    const struct ens_task *task; /* with `outside`: the first of its cell */
    void *state;                 /* of the learner's open; NULL: has none */
    const void *options;         /* of its options */
    enum ens_outcome_family family;
    uint32_t n_classes;
    size_t n_out; /* columns of a prediction: n_classes of multinomial, else 1*/
    /** Memory until the task ends, zeroed; NULL when there is none. */
    void *(*alloc)(const struct ens_learn_job *job, size_t n, size_t size);
    /** In fit: the model, as one piece of memory to fill, aligned to 16 bytes,
     * zeroed. It is kept as bytes and read elsewhere: no pointers in it. The
     * last call counts. NULL when there is none. */
    void *(*model)(const struct ens_learn_job *job, size_t bytes);
    void (*warn)(const struct ens_learn_job *job, const char *text);
    void *own; /* of who made it */
    /** predict of new rows, in no worker: nobody tries again what ends it. */
    int outside;
};

/** The model that `model` gave, in memory aligned to 16 bytes. */
struct ens_learn_model {
    const void *data;
    size_t bytes;
};

/** base + sum over j of (x_j - centre_j) coef_j. */
struct ens_learn_affine {
    double base;
    const double *centre, *coef; /* p; coef NULL: zeros */
};

enum ens_learn_uses {
    ENS_LEARN_MOMENTS = 1, /* asks for moments: they are made once for all */
    ENS_LEARN_BINS = 2,    /* reads bins: they are made once for all */
    ENS_LEARN_ROWS = 4,    /* predict reads training rows */
    ENS_LEARN_WEIGHTS = 8, /* takes weights; others are refused with them */
    ENS_LEARN_BLIND = 16   /* looks at no column: they may hold no numbers */
};

#define ENS_LEARN_FAMILY(f) (1u << (f))
#define ENS_LEARN_REGRESSION                                                   \
    (ENS_LEARN_FAMILY(ENS_OUTCOME_GAUSSIAN) |                                  \
     ENS_LEARN_FAMILY(ENS_OUTCOME_POISSON))
#define ENS_LEARN_CLASSES                                                      \
    (ENS_LEARN_FAMILY(ENS_OUTCOME_BINOMIAL) |                                  \
     ENS_LEARN_FAMILY(ENS_OUTCOME_MULTINOMIAL))
#define ENS_LEARN_ALL (ENS_LEARN_REGRESSION | ENS_LEARN_CLASSES)

struct ens_learner {
    unsigned families; /* of ENS_LEARN_FAMILY */
    unsigned uses;     /* of enum ens_learn_uses */
    /** Optional, in a worker: as those of a generator (generator.h). */
    enum ens_status (*open)(const struct ens_host *host, void **state,
                            struct ens_error *err);
    void (*close)(void *state);
    /** Optional. Pure. Options in memory of the setup; ENS_ESTUDY when
     * settings do not fit each other or the family. */
    enum ens_status (*options)(const struct ens_learn_setup *setup,
                               const void **options, struct ens_error *err);
    /** Optional. Private memory a fit of n rows and p columns needs beyond a
     * few blocks of rows, moments and bins of columns, bytes; for `ensrun
     * plan`, which adds these. Pure. */
    uint64_t (*memory)(const void *options, uint64_t n, size_t p);
    /**
     * A function of options, rows and stream alone; calls job->model once.
     * ENS_EDOMAIN: there is no fit; the task fails with err's text.
     */
    enum ens_status (*fit)(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err);
    /** Predictions of rows first .. first+n-1 of `at`, row-major n x n_out.
     * train: the rows of the fit with ENS_LEARN_ROWS, else NULL. A function of
     * a row alone: not of n or first. ENS_EDOMAIN: the model is damaged. */
    enum ens_status (*predict)(const struct ens_learn_job *job,
                               const struct ens_learn_model *model,
                               const struct ens_rows *train,
                               const struct ens_rows *at, uint64_t first,
                               size_t n, double *out, struct ens_error *err);
    /** Optional: is the prediction of p columns, which is one number, such a
     * function, lent by the model? Mean square errors are then made of
     * moments, where these are known, and no rows are read. */
    int (*affine)(const struct ens_learn_model *model, size_t p,
                  struct ens_learn_affine *to);
};

#endif
