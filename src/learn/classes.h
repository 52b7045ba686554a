/* Means and scatter of the rows of each class, in one pass. */
#ifndef ENS_LEARN_CLASSES_H
#define ENS_LEARN_CLASSES_H

#include <ensrun/learner.h>

/* Of a learner that takes `priors`. */
#define ENS_LEARN_PRIORS                                                       \
    {                                                                          \
        .section = "learner", .key = "priors", .type = ENS_T_VECTOR,           \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = "",                       \
        .help = "probabilities of the classes, separated by blanks; not set: " \
                "their shares of the training rows"                            \
    }

struct ens_classes {
    size_t n, p;    /* classes; columns */
    int full;       /* is m2 of each class p x p, else p? */
    uint64_t *rows; /* n: with a weight above 0 */
    double *weight; /* n: sums of weights */
    double *mean;   /* n x p: weighted */
    double *m2;     /* n x p: sums of w (x - mean)^2; or n x p x p, both
                       triangles, of products */
};

/** 2 of binomial, that of classes of multinomial. */
size_t ens_classes_of(const struct ens_learn_job *job);

/**
 * Moments of the classes of `train`, memory of the job. Rows of a weight of 0
 * have no class here.
 * Method:  blocks of rows, by class; block moments are merged in order (Chan,
 *          Golub and LeVeque 1983, doi:10.1080/00031305.1983.10483115).
 * Errors:  ENS_EDOMAIN: no row has a weight above 0; ENS_ENOMEMORY.
 */
enum ens_status ens_classes_count(struct ens_classes *c,
                                  const struct ens_learn_job *job,
                                  const struct ens_rows *train, int full,
                                  struct ens_error *err);

/** Doubles that it takes. */
size_t ens_classes_doubles(size_t n, size_t p, int full);

/** Settings `priors`: NULL, not set. ENS_ESTUDY: not one probability a class,
 * or of another sum than 1. */
enum ens_status ens_classes_priors(const struct ens_learn_setup *setup,
                                   const double **priors,
                                   struct ens_error *err);
/** Their logs in log_prior[n]; shares of the weights where priors is NULL.
 * -infinity: a class without rows. */
void ens_classes_log_priors(const struct ens_classes *c, const double *priors,
                            double *log_prior);

/** Log densities and priors of the classes at x[p], up to a constant. */
typedef void ens_classes_score_fn(const void *arg, const double *x,
                                  double *score);

/**
 * Probabilities of the classes in rows first .. first+n-1, as `predict` of a
 * learner gives them.
 * Errors:  ENS_ENOMEMORY; ENS_EDOMAIN: scores are no numbers, the model is
 *          damaged.
 */
enum ens_status ens_classes_predict(const struct ens_learn_job *job,
                                    const struct ens_rows *at, uint64_t first,
                                    size_t n, ens_classes_score_fn *score,
                                    const void *arg, double *out,
                                    struct ens_error *err);

#endif
