#include "mcmc/adapt.h"

#include "base/bug.h"

#include <math.h>
#include <string.h>

#define MOST_STEP 1e7

static const struct ens_adaptation *const schemes[] = {
    &ens_adapt_stan,         &ens_adapt_dense,   &ens_adapt_fisher,
    &ens_adapt_fisher_dense, &ens_adapt_laplace,
};

const struct ens_adaptation *ens_adaptation_at(size_t i)
{
    return i < ENS_COUNT(schemes) ? schemes[i] : NULL;
}

const struct ens_adaptation *ens_adaptation_find(const char *name)
{
    for (size_t i = 0; i < ENS_COUNT(schemes); i++)
        if (strcmp(schemes[i]->name, name) == 0)
            return schemes[i];
    return NULL;
}

enum ens_status ens_adapt_find_step(struct ens_nuts *nuts,
                                    struct ens_error *err)
{
    double bar = log(0.8);
    double step_size = nuts->step_size;
    int grows = ens_nuts_try(nuts) > bar;

    while ((ens_nuts_try(nuts) > bar) == grows) {
        step_size *= grows ? 2 : 0.5;
        if (step_size > MOST_STEP)
            return ens_fail(err, ENS_EDOMAIN,
                            "no step size is too large: the log density does "
                            "not fall off (the posterior is improper)");
        if (step_size == 0)
            return ens_fail(err, ENS_EDOMAIN,
                            "no step size is small enough: the log density "
                            "is not smooth, or not finite, around the "
                            "starting point");
        ens_nuts_set_step(nuts, step_size);
    }
    return ENS_OK;
}

enum ens_status ens_adapt_restart(struct ens_adapt *a, struct ens_error *err)
{
    enum ens_status s = ens_adapt_find_step(a->nuts, err);

    ens_dual_start(&a->dual, a->target, a->nuts->step_size, a->most_step);
    return s;
}

void ens_spread_add(struct ens_spread *s, const double *x, size_t dim)
{
    s->n++;
    for (size_t i = 0; i < dim; i++) {
        double d = x[i] - s->mean[i];

        s->mean[i] += d / s->n;
        s->square[i] += d * (x[i] - s->mean[i]);
    }
}

void ens_spread_clear(struct ens_spread *s, size_t dim)
{
    s->n = 0;
    memset(s->mean, 0, dim * sizeof(*s->mean));
    memset(s->square, 0, dim * sizeof(*s->square));
}

size_t ens_products_work(size_t dim)
{
    return dim + dim * dim;
}

void ens_products_init(struct ens_products *p, size_t dim, double *work)
{
    *p = (struct ens_products){0, work, work + dim};
    ens_products_clear(p, dim);
}

void ens_products_clear(struct ens_products *p, size_t dim)
{
    p->n = 0;
    memset(p->mean, 0, dim * sizeof(*p->mean));
    memset(p->product, 0, dim * dim * sizeof(*p->product));
}

void ens_products_add(struct ens_products *p, const double *x, size_t dim,
                      double *scratch)
{
    p->n++;
    for (size_t i = 0; i < dim; i++) {
        scratch[i] = x[i] - p->mean[i];
        p->mean[i] += scratch[i] / p->n;
    }
    for (size_t j = 0; j < dim; j++)
        for (size_t i = j; i < dim; i++)
            p->product[i + j * dim] += scratch[j] * (x[i] - p->mean[i]);
}
