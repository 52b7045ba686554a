/* Losses of linear predictors over a block of rows, with what a Newton step
 * needs. In lanes: arrays hold n rows filled up to a multiple of 8 with
 * anything finite, and w with zeros. */
#ifndef ENS_MATH_LOSSES_H
#define ENS_MATH_LOSSES_H

#include <stddef.h>

/**
 * Rows y of 0 and 1, eta the logit: returns the sum of
 * w (log(1 + exp(eta)) - y eta); r = w (mu - y), h = w mu (1 - mu).
 * r may be eta.
 */
double ens_loss_binomial(const double *eta, const double *y, const double *w,
                         size_t n, double *r, double *h);

/** Counts, eta the log of the mean: w (mu - y eta); w (mu - y); w mu. */
double ens_loss_poisson(const double *eta, const double *y, const double *w,
                        size_t n, double *r, double *h);

/**
 * Classes 0 .. k-1 as numbers in y; eta[k], `stride` doubles apart, becomes
 * probabilities. Returns the sum of -w log(probability of y).
 */
double ens_loss_softmax(double *eta, size_t stride, size_t k, const double *y,
                        const double *w, size_t n);

/** r = w (mu - (y == class)); the derivatives of the loss of class `class`. */
void ens_loss_softmax_residual(const double *mu, const double *y,
                               const double *w, double class, size_t n,
                               double *r);

/** h = w a (same - b), of probabilities a of one class and b of another (same
 * 0) or the same (1). */
void ens_loss_softmax_weight(const double *a, const double *b, double same,
                             const double *w, size_t n, double *h);

#endif
