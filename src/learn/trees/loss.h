/* Losses that boosting lowers, by their first two derivatives in f: the sum of
 * the trees. */
#ifndef ENS_LEARN_TREES_LOSS_H
#define ENS_LEARN_TREES_LOSS_H

#include "learn/trees/model.h"

/** Predictions from sums: out[n x n_out], in place. */
void ens_loss_link(enum ens_tree_link link, size_t n_out, size_t n,
                   double *out);
/**
 * Negative gradients and Hessians of output k (0 but for SOFTMAX) at rows that
 * have means mu[n x n_out] (ens_loss_link of f): stat[2 n], w (g, h).
 *
 *     SUM       w (y - f)^2 / 2
 *     LOGISTIC  -w (y log m + (1 - y) log(1 - m)), m = 1 / (1 + exp -f)
 *     EXP       w (m - y f), m = exp f
 *     SOFTMAX   -w log m[y], m[k] = exp f[k] / sum exp f
 */
void ens_loss_gradients(enum ens_tree_link link, size_t n_out, size_t k,
                        size_t n, const double *y, const double *w,
                        const double *mu, double *stat);
/** The sum of the losses of those rows, but for a constant. */
double ens_loss_sum(enum ens_tree_link link, size_t n_out, size_t n,
                    const double *y, const double *w, const double *mu);

#endif
