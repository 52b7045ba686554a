/* As Stan: the metric is the regularised variance, or covariance, of the
 * draws of a window; the step size is found anew with each. */
#include "mcmc/adapt.h"

#include "math/linalg.h"

#include <math.h>
#include <string.h>

static enum ens_status start_step(struct ens_adapt *a, struct ens_error *err)
{
    enum ens_status s = ens_adapt_find_step(a->nuts, err);

    a->most_step = INFINITY;
    /* Around 1, not around what was found: as Stan. */
    ens_dual_start(&a->dual, a->target, 1, a->most_step);
    return s;
}

static void learn_step(struct ens_adapt *a, const struct ens_nuts_info *info)
{
    ens_nuts_set_step(a->nuts, ens_dual_update(&a->dual, info->accept));
}

static void finish_step(struct ens_adapt *a)
{
    if (a->iteration == a->warmup)
        ens_nuts_set_step(a->nuts, ens_dual_final(&a->dual));
}

/* Shrunk towards 1e-3, by five draws' weight. */
static double shrunk(double sum, double n, int diagonal)
{
    double w = n / (n + 5);

    return w * (sum / (n - 1)) + (diagonal ? 1e-3 * (1 - w) : 0);
}

static size_t stan_work(size_t dim)
{
    return 2 * dim;
}

static enum ens_status stan_start(struct ens_adapt *a, double *work,
                                  struct ens_error *err)
{
    ens_windows_init(&a->windows, a->warmup);
    a->draws = (struct ens_spread){0, work, work + a->nuts->dim};
    ens_spread_clear(&a->draws, a->nuts->dim);
    return start_step(a, err);
}

static void set_variance(struct ens_adapt *a)
{
    struct ens_nuts *nuts = a->nuts;

    for (size_t i = 0; i < nuts->dim; i++)
        nuts->scale[i] = sqrt(shrunk(a->draws.square[i], a->draws.n, 1));
    ens_spread_clear(&a->draws, nuts->dim);
    ens_nuts_set_step(nuts, nuts->step_size);
}

static enum ens_status stan_learn(struct ens_adapt *a,
                                  const struct ens_nuts_info *info,
                                  struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    size_t iteration = a->iteration++;

    learn_step(a, info);
    if (ens_windows_learns(&a->windows, iteration))
        ens_spread_add(&a->draws, a->nuts->here->q, a->nuts->dim);
    if (ens_windows_ends(&a->windows, iteration)) {
        set_variance(a);
        s = ens_adapt_restart(a, err);
    }
    if (s == ENS_OK)
        finish_step(a);
    return s;
}

const struct ens_adaptation ens_adapt_stan = {
    .name = "stan",
    .warmup = 1000,
    .work = stan_work,
    .start = stan_start,
    .learn = stan_learn,
};

/* dense: mean, two vectors, sums of products, factor. */
static size_t dense_work(size_t dim)
{
    return 3 * dim + 2 * dim * dim;
}

static enum ens_status dense_start(struct ens_adapt *a, double *work,
                                   struct ens_error *err)
{
    size_t d = a->nuts->dim;

    ens_windows_init(&a->windows, a->warmup);
    a->draws = (struct ens_spread){0, work, NULL};
    a->covariance = work + 3 * d;
    memset(work, 0, (3 * d + d * d) * sizeof(*work));
    return start_step(a, err);
}

/* Sums of products of differences to the mean, lower triangle. */
static void add_product(struct ens_adapt *a)
{
    size_t d = a->nuts->dim;
    double *mean = a->draws.mean, *q = mean + d, *before = q + d;

    ens_whiten_q(a->whiten, a->nuts->here->q, q);
    a->draws.n++;
    for (size_t i = 0; i < d; i++) {
        before[i] = q[i] - mean[i];
        mean[i] += before[i] / a->draws.n;
    }
    for (size_t j = 0; j < d; j++)
        for (size_t i = j; i < d; i++)
            a->covariance[i + j * d] += before[j] * (q[i] - mean[i]);
}

/* The upper factor U of the covariance, UU', is the Cholesky factor of the
 * matrix with rows and columns in reverse, reversed. */
static void set_covariance(struct ens_adapt *a)
{
    size_t d = a->nuts->dim;
    double *sum = a->covariance, *factor = sum + d * d;
    double *q = a->draws.mean + d;

    for (size_t j = 0; j < d; j++)
        for (size_t i = j; i < d; i++)
            factor[d - 1 - j + (d - 1 - i) * d] =
                shrunk(sum[i + j * d], a->draws.n, i == j);
    if (ens_cholesky(factor, d) > 0) {
        for (size_t j = 0; j < d; j++)
            for (size_t i = 0; i <= j; i++)
                sum[i + j * d] = factor[d - 1 - i + (d - 1 - j) * d];
        ens_whiten_q(a->whiten, a->nuts->here->q, q);
        ens_whiten_set(a->whiten, a->draws.mean, sum);
        ens_whiten_z(a->whiten, q, q);
        ens_nuts_place(a->nuts, q);
    }
    memset(a->draws.mean, 0, d * sizeof(*q));
    memset(sum, 0, d * d * sizeof(*sum));
    a->draws.n = 0;
}

static enum ens_status dense_learn(struct ens_adapt *a,
                                   const struct ens_nuts_info *info,
                                   struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    size_t iteration = a->iteration++;

    learn_step(a, info);
    if (ens_windows_learns(&a->windows, iteration))
        add_product(a);
    if (ens_windows_ends(&a->windows, iteration)) {
        set_covariance(a);
        s = ens_adapt_restart(a, err);
    }
    if (s == ENS_OK)
        finish_step(a);
    return s;
}

const struct ens_adaptation ens_adapt_dense = {
    .name = "dense",
    .warmup = 1000,
    .is_whitened = 1,
    .work = dense_work,
    .start = dense_start,
    .learn = dense_learn,
};
