/* Weighted least squares: the engine of ols and glm.
 *
 * factor (of X'WX, once per set of weights) -> step (as often as wanted).
 */
#ifndef ENS_FIT_LSQ_H
#define ENS_FIT_LSQ_H

#include "fit/fitter.h"

/* Below this ratio of squared pivot to diagonal, a Gram matrix has lost more
 * than 10 of the 16 digits and the factor is taken from X itself. */
#define ENS_LSQ_MIN_RATIO 1e-6

struct ens_lsq {
    const struct ens_fit_problem *problem;
    double *factor; /* p x p, lower: L L' = X'WX */
    double *copy;   /* n x p, for QR */
    double *work;
    int is_qr; /* the factor is from QR */
};

/** Doubles of work for ens_lsq_init; SIZE_MAX: too large. */
size_t ens_lsq_work(size_t n, size_t p);
void ens_lsq_init(struct ens_lsq *q, const struct ens_fit_problem *problem,
                  double *work);
/**
 * Factor X'WX (w NULL: ones). ENS_EDOMAIN names the first term that is
 * aliased: its part orthogonal to those before it is shorter than tol times
 * its length, as R's dqrdc2 has it.
 */
enum ens_status ens_lsq_factor(struct ens_lsq *q, const double *w, double tol,
                               struct ens_error *err);
/** b[p] += (X'WX)^-1 X'r, for r = W times residuals; delta[p] is scratch. */
void ens_lsq_step(const struct ens_lsq *q, const double *r, double *b,
                  double *delta);
/** cov = scale (X'WX)^-1 */
void ens_lsq_cov(const struct ens_lsq *q, double scale, double *cov);

/**
 * b[p] of least squares, from the factor and refined; r[n] the residuals,
 * delta[p] scratch. Returns their sum of squares.
 */
double ens_lsq_solve(const struct ens_lsq *q, double *b, double *r,
                     double *delta);

/** Doubles of work for ens_lsq_augment; SIZE_MAX: too large. */
size_t ens_lsq_augmented_work(size_t n, size_t p);
/**
 * *to: the problem with p more rows, of which least squares minimises
 * |y - Xb|^2 + sum of weight[j] (b[j] - centre[j])^2. centre NULL: zeros.
 */
void ens_lsq_augment(const struct ens_fit_problem *problem,
                     const double *weight, const double *centre, double *work,
                     struct ens_fit_problem *to);

/** Doubles of work for ens_lsq_gaussian. */
size_t ens_lsq_gaussian_work(size_t n, size_t p);
/** Ordinary least squares with everything in the result. */
enum ens_status ens_lsq_gaussian(const struct ens_fit_options *o,
                                 const struct ens_fit_problem *problem,
                                 double *work, struct ens_fit_result *result,
                                 struct ens_error *err);

#endif
