/* Generalised linear models by Newton's method over blocks of rows: each step
 * is one pass, no row is copied.
 *
 *     sum of w loss(eta, y) + l1 sum of |b| + l2/2 sum of b^2
 *
 * over coefficients but intercepts, which have no penalty. With l1 the
 * quadratic form that a step minimises has the absolute values added (proximal
 * Newton), and coordinate descent minimises it.
 * Steps are halved until the objective falls; they end when one changes the
 * predictors by 1e-9 (root mean square, weighted by their information), after
 * which the error is of the order of its square.
 * Source: Lee, Sun, Saunders (2014), "Proximal Newton-type methods for
 *         minimizing composite functions", doi:10.1137/130921428.
 */
#ifndef ENS_LEARN_NEWTON_H
#define ENS_LEARN_NEWTON_H

#include "learn/linear.h"

/* Coefficients of all outputs together; their information takes 128 MiB then,
 * twice. */
#define ENS_NEWTON_MAX 4096

enum ens_newton_loss {
    ENS_NEWTON_BINOMIAL,
    ENS_NEWTON_SOFTMAX,
    ENS_NEWTON_POISSON
};

struct ens_newton {
    enum ens_newton_loss loss;
    size_t n_out; /* outputs: 1, or classes */
    int intercept;
    double l1, l2;
    const double *output; /* softmax: y = c is class output[c]; NULL: c */
};

struct ens_newton_fit {
    double *centre; /* p: what columns are less by */
    double *b;      /* n_out times (p coefficients, intercept) */
    double loss;    /* sum of w loss by sum of w, before the last step */
    int steps;
    int converged;
    int singular; /* columns depend on each other: least norm was taken */
};

/** Doubles of memory that the two below take from their job. */
uint64_t ens_newton_doubles(size_t p, size_t n_out);

/** Where to start: f->b of zeros, in memory of job. ENS_EDOMAIN: too many
 * coefficients. */
enum ens_status ens_newton_open(const struct ens_newton *o,
                                const struct ens_learn_job *job,
                                const struct ens_rows *rows,
                                struct ens_newton_fit *f,
                                struct ens_error *err);

/** From f->b to the minimum, or to where max_steps lead. */
enum ens_status ens_newton_run(const struct ens_newton *o,
                               const struct ens_learn_job *job,
                               const struct ens_rows *rows, int max_steps,
                               struct ens_newton_fit *f, struct ens_error *err);

#endif
