#include "math/sums.h"

#include <math.h>

#define RUN 128

static double sum_run(const double *x, size_t n)
{
    double lane[4] = {0, 0, 0, 0};
    size_t i = 0;

    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++)
            lane[k] += x[i + k];
    for (size_t k = 0; i < n; i++, k++)
        lane[k] += x[i];
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

static double dot_run(const double *x, const double *y, size_t n)
{
    double lane[4] = {0, 0, 0, 0};
    size_t i = 0;

    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++)
            lane[k] += x[i + k] * y[i + k];
    for (size_t k = 0; i < n; i++, k++)
        lane[k] += x[i] * y[i];
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

/* Left part: half, rounded up to whole runs. */
static size_t split(size_t n)
{
    return (n / 2 + RUN - 1) / RUN * RUN;
}

double ens_sum(const double *x, size_t n)
{
    size_t left;

    if (n <= RUN)
        return sum_run(x, n);
    left = split(n);
    return ens_sum(x, left) + ens_sum(x + left, n - left);
}

double ens_dot(const double *x, const double *y, size_t n)
{
    size_t left;

    if (n <= RUN)
        return dot_run(x, y, n);
    left = split(n);
    return ens_dot(x, y, left) + ens_dot(x + left, y + left, n - left);
}

void ens_welford_add(struct ens_welford *m, double x)
{
    double d = x - m->mean;

    m->n++;
    m->mean += d / (double)m->n;
    m->m2 += d * (x - m->mean);
}

double ens_welford_var(const struct ens_welford *m)
{
    return m->n < 2 ? NAN : m->m2 / (double)(m->n - 1);
}
