/* Microseconds per gradient of the log densities of fitter nuts, by family,
 * rows and terms, beside the limits of this processor in the same run: the
 * time to multiply the same matrix twice from where it lies (out = X b, X'r:
 * 16 n p bytes), and per row of the family's own arithmetic. */
#include "fit/bayes/model.h"

#include "base/arena.h"
#include "base/bug.h"
#include "math/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECONDS 0.02 /* of one measurement; the best of five counts */

static struct ens_arena arena = ENS_ARENA_INIT;

static void *alloc(struct ens_result *r, size_t n, size_t size)
{
    (void)r;
    return ens_arena_alloc(&arena, n, size);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct work {
    void (*once)(struct work *w);
    struct ens_density density;
    double *q, *gradient;
    const double *x;
    size_t n, p;
    double *b, *r, *out;
};

static void gradient(struct work *w)
{
    w->q[0] += 1e-9;
    w->density.at(w->density.model, w->q, w->gradient);
}

static void multiply(struct work *w)
{
    memset(w->out, 0, w->p * sizeof(*w->out));
    for (size_t i = 0; i < w->n; i += ENS_KERNEL_BLOCK) {
        size_t left = w->n - i;
        size_t m = left < ENS_KERNEL_BLOCK ? left : ENS_KERNEL_BLOCK;

        memset(w->r, 0, m * sizeof(*w->r));
        ens_kernel_times(w->x + i, w->n, m, w->p, w->b, w->r);
        ens_kernel_cross(w->x + i, w->n, m, w->p, w->r, w->out);
    }
}

static double microseconds(struct work *w)
{
    double best = INFINITY;

    for (int k = 0; k < 5; k++) {
        double start = now(), end = start;
        size_t n = 0;

        for (size_t burst = 1; end - start < SECONDS; burst *= 2) {
            for (size_t i = 0; i < burst; i++)
                w->once(w);
            n += burst;
            end = now();
        }
        best = fmin(best, 1e6 * (end - start) / (double)n);
    }
    return best;
}

static const char *const name[] = {
#define NAME(NAME, text, link, parameter) text,
    ENS_FAMILY_LIST(NAME)
#undef NAME
};

static struct ens_fit_problem make(enum ens_family family, size_t n, size_t p,
                                   struct ens_rng *g)
{
    double *x = ens_arena_alloc(&arena, n * p, sizeof(*x));
    double *y = ens_arena_alloc(&arena, n, sizeof(*y));
    const char **term = ens_arena_alloc(&arena, p, sizeof(*term));

    ENS_BUG_ON(!x || !y || !term);
    for (size_t j = 0; j < p; j++)
        term[j] = j ? "x" : "intercept";
    for (size_t i = 0; i < n; i++) {
        double eta = ens_rng_normal(g);

        for (size_t j = 0; j < p; j++)
            x[i + j * n] = j ? ens_rng_normal(g) : 1;
        eta += 0.3 * x[i + (p - 1) * n];
        y[i] =
            family == ENS_FAMILY_BINOMIAL ? (eta > 0)
            : family == ENS_FAMILY_POISSON || family == ENS_FAMILY_NEGBINOMIAL
                ? floor(3 * exp(eta))
            : family == ENS_FAMILY_GAMMA ? exp(eta)
                                         : eta;
    }
    return (struct ens_fit_problem){
        .n = n, .p = p, .x = x, .y = y, .term = term, .response = "y"};
}

static void measure(enum ens_family family, size_t n, size_t p)
{
    const struct ens_host host = {.alloc = alloc};
    const struct ens_job job = {.host = &host};
    const struct ens_bayes_options o = {.family = family, .nu = NAN};
    struct ens_error err = {0};
    struct ens_bayes *model;
    struct ens_fit_problem f;
    struct work w;
    struct ens_rng g;
    double us, limit;

    ens_rng_set(&g, 1, n, p, (uint64_t)family);
    f = make(family, n, p, &g);
    if (ens_bayes_make(&model, &job, &o, &f, &err) != ENS_OK) {
        fprintf(stderr, "%s: %s\n", name[family], err.text);
        return;
    }
    w = (struct work){.once = gradient,
                      .density = ens_bayes_density(model),
                      .x = f.x,
                      .n = n,
                      .p = p};
    w.q = ens_arena_alloc(&arena, 2 * model->dim, sizeof(*w.q));
    w.b = ens_arena_alloc(&arena, 2 * p + ENS_KERNEL_BLOCK, sizeof(*w.b));
    ENS_BUG_ON(!w.q || !w.b);
    memset(w.q, 0, 2 * model->dim * sizeof(*w.q));
    memset(w.b, 0, (2 * p + ENS_KERNEL_BLOCK) * sizeof(*w.b));
    w.gradient = w.q + model->dim;
    w.out = w.b + p;
    w.r = w.out + p;
    us = microseconds(&w);
    w.once = multiply;
    limit = microseconds(&w);
    printf("%s,%zu,%zu,%.3f,%.3f,%.2f,%.2f\n", name[family], n, p, us, limit,
           1e3 * us / (double)n, 16e-3 * (double)(n * p) / limit);
    fflush(stdout);
    ens_arena_reset(&arena);
}

int main(void)
{
    static const size_t n[] = {100, 1000, 10000, 100000}, p[] = {3, 10, 50};

    printf("family,n,p,us,us_multiply,ns_per_row,multiply_gb_per_s\n");
    for (int family = ENS_FAMILY_GAUSSIAN; family <= ENS_FAMILY_GAMMA; family++)
        for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++)
            for (size_t j = 0; j < sizeof(p) / sizeof(p[0]); j++)
                measure((enum ens_family)family, n[i], p[j]);
    ens_arena_fini(&arena);
    return 0;
}
