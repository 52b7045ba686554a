/* The diagonal metric of least Fisher divergence: sd of the draws over sd of
 * the gradients, learned after every draw from a foreground estimate, which
 * a background one of more recent draws replaces in turn.
 *
 * Source:  Seyboldt, Carlson and Carpenter (2026), arXiv:2603.18845; the
 *          schedule follows nutpie 0.16.
 */
#include "mcmc/adapt.h"
#include "mcmc/settle.h"

#include <math.h>
#include <string.h>

#define EARLY       0.3  /* share of the warm-up with short windows */
#define LAST        0.15 /* share that learns the step size alone */
#define EARLY_DRAWS 10
#define FIRST_DRAWS 80
#define GROWTH      1.5
#define FIRST_STEP  0.1
#define MOST_STEP   3.14159265358979323846
#define LEAST_DRAWS 3

static size_t fisher_work(size_t dim)
{
    return 9 * dim + ens_settle_work(dim);
}

static struct ens_spread carve(double **work, size_t dim)
{
    struct ens_spread s = {0, *work, *work + dim};

    ens_spread_clear(&s, dim);
    *work += 2 * dim;
    return s;
}

static void add_here(struct ens_adapt *a)
{
    const struct ens_nuts_point *here = a->nuts->here;
    size_t d = a->nuts->dim;

    ens_spread_add(&a->draws, here->q, d);
    ens_spread_add(&a->gradients, here->gradient, d);
    ens_spread_add(&a->next_draws, here->q, d);
    ens_spread_add(&a->next_gradients, here->gradient, d);
    memcpy(a->before, here->q, d * sizeof(*a->before));
}

static void set_scale(struct ens_nuts *nuts, size_t i, double inverse_metric)
{
    if (isfinite(inverse_metric) && inverse_metric > 0)
        nuts->scale[i] = sqrt(fmin(fmax(inverse_metric, 1e-20), 1e20));
}

static enum ens_status fisher_start(struct ens_adapt *a, double *work,
                                    struct ens_error *err)
{
    struct ens_nuts *nuts = a->nuts;

    a->draws = carve(&work, nuts->dim);
    a->gradients = carve(&work, nuts->dim);
    a->next_draws = carve(&work, nuts->dim);
    a->next_gradients = carve(&work, nuts->dim);
    a->before = work;
    work += nuts->dim;
    a->window = FIRST_DRAWS;
    a->has_metric = 0;
    a->most_step = MOST_STEP;
    if (!a->scheme->needs_mode)
        ens_settle(nuts, work);
    memcpy(a->before, nuts->here->q, nuts->dim * sizeof(*a->before));
    ens_nuts_set_step(nuts, FIRST_STEP);
    return ens_adapt_restart(a, err);
}

static void swap_spreads(struct ens_spread *a, struct ens_spread *b, size_t dim)
{
    struct ens_spread old = *a;

    *a = *b;
    *b = old;
    ens_spread_clear(b, dim);
}

/* Is there no room for another window before the last share? */
static int is_late(const struct ens_adapt *a, size_t iteration, int early,
                   double next)
{
    double end = (double)a->warmup - floor(LAST * (double)a->warmup);

    return (early ? EARLY_DRAWS : next) + (double)iteration > end;
}

/* Returns whether it is late. */
static int learn_spreads(struct ens_adapt *a, size_t iteration)
{
    size_t d = a->nuts->dim;
    size_t first = (size_t)floor(EARLY * (double)a->warmup);
    int early = iteration < first;
    double next;
    int late;

    if (iteration == first && a->next_draws.n > a->window)
        a->window = a->next_draws.n;
    next = fmax(a->window + 1, round(a->window * GROWTH));
    late = is_late(a, iteration, early, next);
    /* A draw that stayed where it was says nothing of the spread. */
    if (memcmp(a->nuts->here->q, a->before, d * sizeof(*a->before)) != 0)
        add_here(a);
    if (a->next_draws.n >= (early ? EARLY_DRAWS : a->window) && !late) {
        swap_spreads(&a->draws, &a->next_draws, d);
        swap_spreads(&a->gradients, &a->next_gradients, d);
        if (!early)
            a->window = next;
    }
    return late;
}

static int set_metric(struct ens_adapt *a)
{
    if (a->draws.n < LEAST_DRAWS)
        return 0;
    for (size_t i = 0; i < a->nuts->dim; i++)
        set_scale(a->nuts, i,
                  sqrt(a->draws.square[i] / a->gradients.square[i]));
    return 1;
}

static enum ens_status fisher_learn(struct ens_adapt *a,
                                    const struct ens_nuts_info *info,
                                    struct ens_error *err)
{
    size_t iteration = a->iteration++;
    size_t end = a->warmup - (size_t)floor(LAST * (double)a->warmup);
    int late = 1, changed = 0;
    double step_size;

    if (iteration < end) {
        late = learn_spreads(a, iteration);
        changed = set_metric(a);
    }
    step_size =
        ens_dual_update(&a->dual, late ? info->symmetric : info->accept);
    if (a->iteration == a->warmup)
        step_size = ens_dual_final(&a->dual);
    ens_nuts_set_step(a->nuts, step_size);
    if (changed && !a->has_metric) {
        a->has_metric = 1;
        ens_nuts_set_step(a->nuts, FIRST_STEP);
        return ens_adapt_restart(a, err);
    }
    return ENS_OK;
}

const struct ens_adaptation ens_adapt_fisher = {
    .name = "fisher",
    .warmup = 400,
    .work = fisher_work,
    .start = fisher_start,
    .learn = fisher_learn,
};

const struct ens_adaptation ens_adapt_laplace = {
    .name = "laplace",
    .warmup = 150,
    .is_whitened = 1,
    .needs_mode = 1,
    .work = fisher_work,
    .start = fisher_start,
    .learn = fisher_learn,
};
