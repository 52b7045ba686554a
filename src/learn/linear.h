/* Linear models: a base and coefficients of centred columns, per output.
 *
 * eta_k = base_k + sum over j of (x_j - centre_j) coef_kj: with the centre
 * kept, columns that are far from 0 cost no digits.
 */
#ifndef ENS_LEARN_LINEAR_H
#define ENS_LEARN_LINEAR_H

#include <ensrun/learner.h>

/* Columns of a linear learner: their moments take 512 MiB then. */
#define ENS_LINEAR_MAX 8192

enum ens_linear_link {
    ENS_LINEAR_IDENTITY,
    ENS_LINEAR_SHARE,    /* identity, cut to 0 .. 1 */
    ENS_LINEAR_LOGISTIC, /* one output: the probability of 1 */
    ENS_LINEAR_SOFTMAX,  /* probabilities; a base of -inf: never */
    ENS_LINEAR_EXP
};

/* The bytes of a model. */
struct ens_linear {
    uint64_t p, n_out;
    uint64_t link;   /* enum ens_linear_link */
    uint64_t stride; /* p, rounded up to 8 */
    double number[]; /* centre[stride], then per output base, 7 zeros,
                        coef[stride] */
};

/** A model of zeros; NULL: out of memory. */
struct ens_linear *ens_linear_new(const struct ens_learn_job *job, size_t p,
                                  size_t n_out, enum ens_linear_link link);
double *ens_linear_centre(struct ens_linear *l);
double *ens_linear_base(struct ens_linear *l, size_t k);
double *ens_linear_coef(struct ens_linear *l, size_t k);

/** ENS_ENOMEMORY's text, ENS_EDOMAIN when there are too many columns. */
enum ens_status ens_linear_memory(struct ens_error *err);
enum ens_status ens_linear_check(const struct ens_rows *rows,
                                 struct ens_error *err);

/** The link of a learner that fits means by squares. */
enum ens_linear_link ens_linear_squares_link(enum ens_outcome_family family);

/** `predict` of learners with such models. */
enum ens_status ens_linear_predict(const struct ens_learn_job *job,
                                   const struct ens_learn_model *model,
                                   const struct ens_rows *train,
                                   const struct ens_rows *at, uint64_t first,
                                   size_t n, double *out,
                                   struct ens_error *err);
/** `affine` of the same: of one output without a link. */
int ens_linear_affine(const struct ens_learn_model *model, size_t p,
                      struct ens_learn_affine *to);

#endif
