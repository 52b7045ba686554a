/* Meta learners: from out-of-fold predictions Z (n rows of L learners) and the
 * response y to weights of the learners (`[meta] learner`).
 *
 * Those that minimise squares ask for moments of (Z, y) alone, and for rows
 * only where these lost digits; the others read rows, block by block and as
 * often as they need. What is common to all is done here, once: columns of
 * learners that failed, zeros and duplicates are left out with a warning (their
 * weight is 0), risks are estimated, weights normalised.
 *
 * One file per implementation, one line in x.def; its settings are rows of the
 * section "meta".
 * Source: van der Laan, Polley, Hubbard (2007), "Super Learner",
 *         doi:10.2202/1544-6115.1309; R package SuperLearner.
 */
#ifndef ENS_LEARN_META_META_H
#define ENS_LEARN_META_META_H

#include <ensrun/learner.h>

/* Rows that `read` is asked for at once, at most. */
#define ENS_META_BLOCK 1024

/** Sums over rows of the n_learners + 2 columns (1, z - shift, y - shift), each
 * times w: what is lost where means are large is not lost here. */
struct ens_meta_moments {
    uint64_t n;          /* rows */
    const double *shift; /* n_learners + 1: provisional means; of a column with
                            values that are not finite: any */
    const double *gram;  /* (n_learners + 2)^2, column-major, lower triangle */
};

/** Sums of all rows by parts of them: learn/meta/lanes.h. */
struct ens_meta_lanes {
    size_t n;
    const double *shift; /* n_learners + 1: that all were made with */
    const double *sums;  /* n, each `stride` doubles after the one before */
    size_t stride;
};

/** n rows from `first`: z row-major n x n_learners, y[n], w[n] (ones where
 * there are no weights). The same bytes whenever asked. */
typedef enum ens_status ens_meta_read_fn(void *own, uint64_t first, size_t n,
                                         double *z, double *y, double *w,
                                         struct ens_error *err);

struct ens_meta_problem {
    uint64_t n;        /* rows */
    size_t n_learners; /* L >= 1 */
    const char *const *name;
    const char *failure; /* why the first one that failed did; NULL: its
                            predictions are not finite */
    const struct ens_meta_moments *moments; /* NULL: made from lanes or rows */
    const struct ens_meta_lanes *lanes;     /* NULL: made from rows */
    ens_meta_read_fn *read; /* NULL: sums alone; then methods that read rows
                               are refused */
    /** Memory for as long as the result is used, zeroed; NULL when there is
     * none. */
    void *(*alloc)(void *own, size_t n, size_t size);
    void (*warn)(void *own, const char *text);
    void *own;
};

enum ens_meta_link {
    ENS_META_LINEAR, /* intercept + sum of weight times prediction */
    ENS_META_LOGIT   /* its inverse, of that of predictions' logits, each cut
                        to trim .. 1 - trim */
};

/** Of which loss a method's risks are, smaller is better. */
enum ens_meta_risk {
    ENS_META_SQUARED,  /* mean of w (z - y)^2 */
    ENS_META_DEVIANCE, /* mean of -2 w log likelihood of classes 0 and 1 */
    ENS_META_AUC       /* 1 - area under the curve */
};

struct ens_meta_result {
    double *weight; /* n_learners; arrays are given by ens_meta_fit */
    double *risk;   /* n_learners; NaN: the learner failed */
    double intercept;
    double risk_all; /* of the weighted predictions, on the same rows */
    enum ens_meta_risk loss;
    enum ens_meta_link link;
    double trim;
    size_t n_failed, n_zero, n_duplicates; /* learners left out */
};

/** What settings say; those a method does not have are 0. */
struct ens_meta_options {
    enum ens_meta_risk loss;
    int normalise;     /* divide weights by their sum */
    double drop_below; /* smaller ones become 0 */
    double trim;
    double penalty;
    const void *own; /* a method's, in memory of the setup */
};

struct ens_meta; /* an implementation; see method.h */

extern const struct ens_impl ens_metas[]; /* ops: struct ens_meta */
extern const size_t ens_n_metas;

/** NULL: unknown. */
const struct ens_impl *ens_meta_find(const char *name);

/** Settings of a method, read by setup->value (its keys are those of section
 * "meta"). ENS_ESTUDY when they do not fit the family. */
enum ens_status ens_meta_options(const struct ens_meta *method,
                                 const struct ens_learn_setup *setup,
                                 struct ens_meta_options *options,
                                 struct ens_error *err);

/** Does it ask for rows beyond moments? */
int ens_meta_reads_rows(const struct ens_meta *method,
                        const struct ens_meta_options *options);

/** Private memory of a fit beyond blocks of rows, bytes. */
uint64_t ens_meta_memory(const struct ens_meta *method, uint64_t n,
                         size_t n_learners);

/**
 * Weights, a function of method, options and the problem's numbers alone.
 * Errors: ENS_EDOMAIN: no learner is left, weights that are all
 *         0, a response the method has no use for; what `read` returned.
 * Cost:   squares: one pass over rows (none where moments or lanes are given),
 * a second one where columns are collinear.
 */
enum ens_status ens_meta_fit(const struct ens_meta *method,
                             const struct ens_meta_options *options,
                             const struct ens_meta_problem *problem,
                             struct ens_meta_result *result,
                             struct ens_error *err);

/** out[n] from z row-major n x n_learners. Learners of weight 0 are not
 * looked at: theirs may be NaN. */
void ens_meta_predict(const struct ens_meta_result *r, size_t n_learners,
                      const double *z, size_t n, double *out);

#endif
