#include "mcmc/settle.h"

#include "mcmc/nuts.h"

#include <math.h>
#include <string.h>

#define PAIRS       8
#define MOST_STEPS  50
#define MOST_HALVES 40
#define ARMIJO      1e-4
/* Draws of d parameters are on average d/2 below the mode, with d for the
 * squared gradient in units of the curvature. A step that gains less, or
 * starts lower, is a calm one; after a few in a row the state is among draws.
 * To go on would lead away from them, into the narrow end of a funnel. */
#define TYPICAL_RISE  0.5 /* per parameter, both */
#define TYPICAL_SLOPE 2.0
#define CALM_STEPS    5

struct ascent {
    struct ens_nuts *nuts;
    size_t d, n_pairs, next; /* pairs stored; place of the next one */
    double *q, *gradient;    /* before the step */
    double *direction, *trial;
    double *step[PAIRS], *change[PAIRS]; /* of q; of the gradient, negative */
    double product[PAIRS];               /* step'change > 0 */
};

size_t ens_settle_work(size_t dim)
{
    return (4 + 2 * PAIRS) * dim;
}

static double dot(const double *x, const double *y, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static void add(double *x, double by, const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] += by * y[i];
}

/* Inverse Hessian of the pairs times the gradient; without pairs a unit
 * vector. */
static void choose_direction(struct ascent *a)
{
    double weight[PAIRS], scale = 1 / sqrt(dot(a->gradient, a->gradient, a->d));

    memcpy(a->direction, a->gradient, a->d * sizeof(*a->direction));
    for (size_t i = 0; i < a->n_pairs; i++) {
        size_t k = (a->next + PAIRS - 1 - i) % PAIRS;

        weight[k] = dot(a->step[k], a->direction, a->d) / a->product[k];
        add(a->direction, -weight[k], a->change[k], a->d);
        if (i == 0)
            scale = a->product[k] / dot(a->change[k], a->change[k], a->d);
    }
    for (size_t i = 0; i < a->d; i++)
        a->direction[i] *= scale;
    for (size_t i = a->n_pairs; i-- > 0;) {
        size_t k = (a->next + PAIRS - 1 - i) % PAIRS;
        double back = dot(a->change[k], a->direction, a->d) / a->product[k];

        add(a->direction, weight[k] - back, a->step[k], a->d);
    }
}

static int place(struct ascent *a, double length)
{
    memcpy(a->trial, a->q, a->d * sizeof(*a->q));
    add(a->trial, length, a->direction, a->d);
    return ens_nuts_place(a->nuts, a->trial);
}

/* Returns the rise; -1: there is no way up, the state stays. *slope: of a full
 * step, the squared gradient in units of the curvature. */
static double climb(struct ascent *a, double *slope)
{
    double lp = a->nuts->here->lp, length = 1;

    memcpy(a->q, a->nuts->here->q, a->d * sizeof(*a->q));
    memcpy(a->gradient, a->nuts->here->gradient, a->d * sizeof(*a->q));
    choose_direction(a);
    *slope = dot(a->direction, a->gradient, a->d);
    for (int i = 0; *slope > 0 && i < MOST_HALVES; i++, length *= 0.5)
        if (place(a, length) == 0 &&
            a->nuts->here->lp >= lp + ARMIJO * length * *slope)
            return a->nuts->here->lp - lp;
    ens_nuts_place(a->nuts, a->q);
    return -1;
}

static void remember(struct ascent *a)
{
    double *step = a->step[a->next], *change = a->change[a->next];
    double product = 0;

    for (size_t i = 0; i < a->d; i++)
        product += (a->nuts->here->q[i] - a->q[i]) *
                   (a->gradient[i] - a->nuts->here->gradient[i]);
    if (!(product > 0) || isinf(product))
        return;
    for (size_t i = 0; i < a->d; i++) {
        step[i] = a->nuts->here->q[i] - a->q[i];
        change[i] = a->gradient[i] - a->nuts->here->gradient[i];
    }
    a->product[a->next] = product;
    a->next = (a->next + 1) % PAIRS;
    if (a->n_pairs < PAIRS)
        a->n_pairs++;
}

static void set_scale(struct ascent *a)
{
    for (size_t i = 0; i < a->d; i++) {
        double steps = 0, changes = 0, metric;

        for (size_t k = 0; k < a->n_pairs; k++) {
            steps += a->step[k][i] * a->step[k][i];
            changes += a->change[k][i] * a->change[k][i];
        }
        metric = sqrt(steps / changes);
        if (metric > 0 && isfinite(metric))
            a->nuts->scale[i] = sqrt(metric);
    }
}

void ens_settle(struct ens_nuts *nuts, double *work)
{
    struct ascent a = {.nuts = nuts, .d = nuts->dim};
    double n = (double)nuts->dim;
    int calm = 0;

    a.q = work;
    a.gradient = work + a.d;
    a.direction = work + 2 * a.d;
    a.trial = work + 3 * a.d;
    for (size_t k = 0; k < PAIRS; k++) {
        a.step[k] = work + (4 + 2 * k) * a.d;
        a.change[k] = a.step[k] + a.d;
    }
    for (int i = 0; i < MOST_STEPS && calm < CALM_STEPS; i++) {
        double slope, rise = climb(&a, &slope);

        if (rise < 0)
            break;
        if (rise < TYPICAL_RISE * n || slope < TYPICAL_SLOPE * n)
            calm++;
        else
            calm = 0;
        remember(&a);
    }
    set_scale(&a);
}
