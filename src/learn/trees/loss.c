#include "learn/trees/loss.h"

#include "math/lanes.h"

#include <math.h>

/* exp of n numbers: the same bits for a number wherever it stands. */
ENS_LANES_CLONES
static void exp_all(double *x, size_t n, double sign)
{
    for (size_t i = 0; i < n; i += ENS_LANES) {
        size_t k = n - i < ENS_LANES ? n - i : ENS_LANES;
        ens_lanes v = ens_lanes_part(x + i, k, 0);
        double y[ENS_LANES];

        ens_lanes_store(y, ens_lanes_exp(v * sign));
        memcpy(x + i, y, k * sizeof(*x));
    }
}

static void softmax(size_t n_out, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double *f = out + i * n_out, most = f[0], sum = 0;

        for (size_t k = 1; k < n_out; k++)
            most = f[k] > most ? f[k] : most;
        for (size_t k = 0; k < n_out; k++)
            f[k] -= most;
        exp_all(f, n_out, 1);
        for (size_t k = 0; k < n_out; k++)
            sum += f[k];
        for (size_t k = 0; k < n_out; k++)
            f[k] /= sum;
    }
}

void ens_loss_link(enum ens_tree_link link, size_t n_out, size_t n, double *out)
{
    switch (link) {
    case ENS_TREES_MEAN:
    case ENS_TREES_SUM:
        break;
    case ENS_TREES_LOGISTIC:
        exp_all(out, n * n_out, -1);
        for (size_t i = 0; i < n * n_out; i++)
            out[i] = 1 / (1 + out[i]);
        break;
    case ENS_TREES_EXP:
        exp_all(out, n * n_out, 1);
        break;
    case ENS_TREES_SOFTMAX:
        softmax(n_out, n, out);
        break;
    }
}

void ens_loss_gradients(enum ens_tree_link link, size_t n_out, size_t k,
                        size_t n, const double *y, const double *w,
                        const double *mu, double *stat)
{
    for (size_t i = 0; i < n; i++) {
        double m = mu[i * n_out + k];
        double is = link == ENS_TREES_SOFTMAX ? y[i] == (double)k : y[i];

        stat[2 * i] = w[i] * (is - m);
        stat[2 * i + 1] = link == ENS_TREES_SUM   ? w[i]
                          : link == ENS_TREES_EXP ? w[i] * m
                                                  : w[i] * (m * (1 - m));
    }
}

/* Logarithms of means that are 0 to rounding are those of the smallest. */
static double safe_log(double m)
{
    return log(m > 1e-300 ? m : 1e-300);
}

double ens_loss_sum(enum ens_tree_link link, size_t n_out, size_t n,
                    const double *y, const double *w, const double *mu)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        const double *m = mu + i * n_out;

        if (link == ENS_TREES_SOFTMAX)
            sum -= w[i] * safe_log(m[(size_t)y[i]]);
        else if (link == ENS_TREES_LOGISTIC)
            sum -= w[i] * safe_log(y[i] > 0.5 ? m[0] : 1 - m[0]);
        else if (link == ENS_TREES_EXP)
            sum += w[i] * (m[0] - y[i] * safe_log(m[0]));
        else
            sum += w[i] * (y[i] - m[0]) * (y[i] - m[0]) / 2;
    }
    return sum;
}
