/* The sampler against the recursion that it stands for: Stan's base_nuts as
 * described in Betancourt (2017), arXiv:1701.02434, appendix A.4, with the
 * checks across subtrees that Stan added in 2.21. Momenta in their own units,
 * vectors copied, weights as logarithms; both take the same random numbers in
 * the same order, so they must take the same ways. */
#include "base/bug.h"
#include "math/rng.h"
#include "mcmc/nuts.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIM 6

struct state {
    double q[DIM], p[DIM], g[DIM]; /* g: of the log density */
    double lp;
};

struct plain {
    const struct ens_density *density;
    struct ens_rng *rng;
    size_t dim;
    double inverse_metric[DIM], step_size, h0, accept_sum;
    unsigned n_leapfrog, max_depth;
    int divergent;
};

struct subtree {
    double rho[DIM], first[DIM], last[DIM], log_weight;
    struct state sample;
};

static double log_sum(double a, double b)
{
    double most = fmax(a, b);

    return most == -INFINITY ? most : most + log(exp(a - most) + exp(b - most));
}

static double energy(const struct plain *s, const struct state *z)
{
    double h = -z->lp;

    for (size_t i = 0; i < s->dim; i++)
        h += 0.5 * s->inverse_metric[i] * z->p[i] * z->p[i];
    return isnan(h) ? INFINITY : h;
}

static void leapfrog(struct plain *s, struct state *z, double step)
{
    for (size_t i = 0; i < s->dim; i++)
        z->p[i] += 0.5 * step * z->g[i];
    for (size_t i = 0; i < s->dim; i++)
        z->q[i] += step * s->inverse_metric[i] * z->p[i];
    z->lp = s->density->at(s->density->model, z->q, z->g);
    for (size_t i = 0; i < s->dim; i++)
        z->p[i] += 0.5 * step * z->g[i];
}

/* Is r, plus t when it is not NULL, along both velocities? */
static int along(const struct plain *s, const double *a, const double *b,
                 const double *r, const double *t)
{
    double x = 0, y = 0;

    for (size_t i = 0; i < s->dim; i++) {
        double rho = r[i] + (t ? t[i] : 0);

        x += s->inverse_metric[i] * a[i] * rho;
        y += s->inverse_metric[i] * b[i] * rho;
    }
    return x > 0 && y > 0;
}

static int build(struct plain *s, unsigned depth, double direction,
                 struct state *z, struct subtree *t)
{
    struct subtree a, b;

    if (depth == 0) {
        double h;

        leapfrog(s, z, direction * s->step_size);
        s->n_leapfrog++;
        h = energy(s, z);
        s->divergent = h - s->h0 > 1000;
        s->accept_sum += fmin(1, exp(s->h0 - h));
        t->log_weight = s->h0 - h;
        t->sample = *z;
        memcpy(t->rho, z->p, sizeof(z->p));
        memcpy(t->first, z->p, sizeof(z->p));
        memcpy(t->last, z->p, sizeof(z->p));
        return !s->divergent;
    }
    if (!build(s, depth - 1, direction, z, &a) ||
        !build(s, depth - 1, direction, z, &b))
        return 0;
    t->log_weight = log_sum(a.log_weight, b.log_weight);
    t->sample = log(ens_rng_uniform(s->rng)) < b.log_weight - t->log_weight
                    ? b.sample
                    : a.sample;
    memcpy(t->first, a.first, sizeof(a.first));
    memcpy(t->last, b.last, sizeof(b.last));
    for (size_t i = 0; i < s->dim; i++)
        t->rho[i] = a.rho[i] + b.rho[i];
    return along(s, a.first, b.last, t->rho, NULL) &&
           along(s, a.first, b.first, a.rho, b.first) &&
           along(s, a.last, b.last, b.rho, a.last);
}

/* The old trajectory and the new subtree, each from the left to the right. */
static int goes_on(const struct plain *s, const struct subtree *left,
                   const struct subtree *right)
{
    return along(s, left->first, right->last, left->rho, right->rho) &&
           along(s, left->first, right->first, left->rho, right->first) &&
           along(s, left->last, right->last, right->rho, left->last);
}

static void reverse(struct subtree *t)
{
    double first[DIM];

    memcpy(first, t->first, sizeof(first));
    memcpy(t->first, t->last, sizeof(first));
    memcpy(t->last, first, sizeof(first));
}

static unsigned transition(struct plain *s, struct state *here)
{
    struct state end[2];     /* left, right */
    struct subtree whole, t; /* whole: first is its left end */
    unsigned depth = 0;
    int on = 1;

    for (size_t i = 0; i < s->dim; i++)
        here->p[i] = ens_rng_normal(s->rng) / sqrt(s->inverse_metric[i]);
    s->h0 = energy(s, here);
    s->n_leapfrog = 0;
    s->accept_sum = 0;
    end[0] = end[1] = whole.sample = *here;
    whole.log_weight = 0;
    memcpy(whole.rho, here->p, sizeof(here->p));
    memcpy(whole.first, here->p, sizeof(here->p));
    memcpy(whole.last, here->p, sizeof(here->p));
    for (double side = 1; on && depth < s->max_depth;) {
        /* The sampler turns its trajectory or leaves it as it is. */
        side = ens_rng_uniform(s->rng) > 0.5 ? side : -side;
        if (!build(s, depth, side, &end[side > 0], &t))
            break;
        depth++;
        if (t.log_weight > whole.log_weight ||
            log(ens_rng_uniform(s->rng)) < t.log_weight - whole.log_weight)
            whole.sample = t.sample;
        if (side < 0)
            reverse(&t);
        on = side > 0 ? goes_on(s, &whole, &t) : goes_on(s, &t, &whole);
        whole.log_weight = log_sum(whole.log_weight, t.log_weight);
        memcpy(side > 0 ? whole.last : whole.first, side > 0 ? t.last : t.first,
               sizeof(t.last));
        for (size_t i = 0; i < s->dim; i++)
            whole.rho[i] += t.rho[i];
    }
    *here = whole.sample;
    return depth;
}

/* x0 ~ N(0, 2), the others N(0, exp(x0 / 2)), with a wall at x0 = 5. */
static double at(void *model, const double *q, double *g)
{
    double w = exp(-q[0]), square = 0;

    (void)model;
    for (size_t i = 1; i < DIM; i++) {
        g[i] = -q[i] * w;
        square += q[i] * q[i];
    }
    g[0] = -q[0] / 4 - 0.5 * (DIM - 1) + 0.5 * square * w;
    return q[0] > 5
               ? NAN
               : -q[0] * q[0] / 8 - 0.5 * (DIM - 1) * q[0] - 0.5 * square * w;
}

START_TEST(sampler_takes_the_ways_of_the_recursion)
{
    static const double step_size[] = {0.9, 0.5, 0.2, 0.05};
    static double work[5000];
    struct ens_density d = {.dim = DIM, .model = NULL, .at = at};
    struct plain plain = {
        .density = &d, .dim = DIM, .step_size = step_size[_i], .max_depth = 7};
    struct ens_nuts_info info;
    struct ens_rng g, other;
    struct ens_nuts s;
    struct state here = {.q = {0.3, 1, -1, 0.5, 0.2, -0.4}};
    int n_divergent = 0, n_deep = 0;

    ens_rng_set(&g, 4, 4, 4, (uint64_t)_i);
    ck_assert_uint_le(ens_nuts_work(DIM, plain.max_depth), ENS_COUNT(work));
    ens_nuts_init(&s, &d, plain.max_depth, &g, work);
    for (size_t i = 0; i < DIM; i++) {
        plain.inverse_metric[i] = 0.5 + 0.3 * (double)i;
        s.scale[i] = sqrt(plain.inverse_metric[i]);
    }
    ens_nuts_set_step(&s, plain.step_size);
    ck_assert_int_eq(ens_nuts_place(&s, here.q), 0);
    for (int k = 0; k < 3000; k++) {
        unsigned depth;

        /* Afresh from the sampler's state: rounding does not add up. */
        memcpy(here.q, s.here->q, sizeof(here.q));
        here.lp = at(NULL, here.q, here.g);
        other = g;
        other.gsl.state = &other.state;
        plain.rng = &other;
        depth = transition(&plain, &here);
        ens_nuts_transition(&s, &info);
        ck_assert_uint_eq(info.depth, depth);
        ck_assert_uint_eq(info.n_leapfrog, plain.n_leapfrog);
        ck_assert_int_eq(info.divergent, plain.divergent);
        ck_assert_double_eq_tol(info.accept * info.n_leapfrog, plain.accept_sum,
                                1e-6);
        ck_assert_double_eq_tol(info.energy, energy(&plain, &here),
                                1e-6 * (1 + fabs(info.energy)));
        for (size_t i = 0; i < DIM; i++)
            ck_assert_double_eq_tol(s.here->q[i], here.q[i],
                                    1e-6 * (1 + fabs(here.q[i])));
        n_divergent += info.divergent;
        n_deep += info.depth >= 3;
    }
    if (_i == 0)
        ck_assert_int_gt(n_divergent, 10);
    if (_i > 0)
        ck_assert_int_gt(n_deep, 100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nuts_tree");
    TCase *t = tcase_create("nuts_tree");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(t, sampler_takes_the_ways_of_the_recursion, 0, 4);
    tcase_set_timeout(t, 60);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
