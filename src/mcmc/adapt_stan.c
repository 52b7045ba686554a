/* As Stan: the metric is the regularised variance, or covariance, of the
 * draws of a window; the step size is found anew with each. */
#include "mcmc/adapt.h"

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

/* Products, two vectors, a factor. */
static size_t dense_work(size_t dim)
{
    return ens_products_work(dim) + 2 * dim + dim * dim;
}

static enum ens_status dense_start(struct ens_adapt *a, double *work,
                                   struct ens_error *err)
{
    ens_windows_init(&a->windows, a->warmup);
    ens_products_init(&a->products, a->nuts->dim, work);
    a->scratch = work + ens_products_work(a->nuts->dim);
    return start_step(a, err);
}

static void add_draw(struct ens_adapt *a)
{
    size_t d = a->nuts->dim;

    ens_whiten_q(a->whiten, a->nuts->here->q, a->scratch);
    ens_products_add(&a->products, a->scratch, d, a->scratch + d);
}

static void set_covariance(struct ens_adapt *a)
{
    size_t d = a->nuts->dim;
    double *q = a->scratch, *factor = q + 2 * d;
    double *covariance = a->products.product;

    for (size_t j = 0; j < d; j++)
        for (size_t i = j; i < d; i++)
            covariance[i + j * d] =
                shrunk(covariance[i + j * d], a->products.n, i == j);
    if (ens_whiten_factor(covariance, d, factor) == 0) {
        ens_whiten_q(a->whiten, a->nuts->here->q, q);
        ens_whiten_set(a->whiten, a->products.mean, factor);
        ens_whiten_z(a->whiten, q, q);
        ens_nuts_place(a->nuts, q);
    }
    ens_products_clear(&a->products, d);
}

static enum ens_status dense_learn(struct ens_adapt *a,
                                   const struct ens_nuts_info *info,
                                   struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    size_t iteration = a->iteration++;

    learn_step(a, info);
    if (ens_windows_learns(&a->windows, iteration))
        add_draw(a);
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
