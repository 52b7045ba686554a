/* Lasso and elastic net from moments, scikit-learn's scale:
 *
 *     1/2 mean square error + alpha l1_ratio |b|_1
 *                           + 1/2 alpha (1 - l1_ratio) |b|^2
 *
 * Source: Friedman, Hastie, Tibshirani (2010), doi:10.18637/jss.v033.i01.
 */
#ifndef ENS_LEARN_PENALISED_H
#define ENS_LEARN_PENALISED_H

#include "learn/descent.h"
#include "learn/squares.h"

struct ens_penalised {
    int intercept, positive;
    double alpha, l1_ratio;
};

/** Doubles of memory that a fit takes from its job. */
uint64_t ens_penalised_doubles(size_t p);

/** From moments to the model; warns where the minimum was not found. */
enum ens_status ens_penalised_fit(const struct ens_penalised *o,
                                  const struct ens_learn_job *job,
                                  const struct ens_rows *rows,
                                  struct ens_error *err);

/** The same, of moments that are there: b[p] from where it is.
 * work[ens_descent_doubles(p)]. Returns whether the minimum was found; enough:
 * as of struct ens_descent. */
int ens_penalised_solve(const struct ens_penalised *o,
                        const struct ens_squares *q, double enough, double *b,
                        double *work);

#endif
