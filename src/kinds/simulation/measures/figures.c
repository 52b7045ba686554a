#include "kinds/simulation/measures/figures.h"

#include <math.h>

enum ens_status ens_figures_init(struct ens_figures *f,
                                 const struct ens_figure *figure, size_t n,
                                 enum ens_mcse mcse, size_t n_resamples,
                                 struct ens_arena *arena, struct ens_error *err)
{
    size_t rounds = mcse == ENS_MCSE_BOOTSTRAP ? 1 + n_resamples : 1;

    *f = (struct ens_figures){
        .n = n, .figure = figure, .mcse = mcse, .n_resamples = rounds - 1};
    f->weight = ens_arena_alloc(arena, rounds, sizeof(*f->weight));
    if (n == 0 || rounds <= SIZE_MAX / sizeof(*f->sum) / n)
        f->sum = ens_arena_alloc(arena, n * rounds, sizeof(*f->sum));
    f->without = ens_arena_alloc(arena, n, sizeof(*f->without));
    if (!f->weight || !f->sum || !f->without)
        return ens_fail(err, ENS_ENOMEMORY, "%zu measures, %zu resamples", n,
                        rounds - 1);
    return ENS_OK;
}

/* Poisson(1) by inversion; the 53 bits of u reach up to 18. */
static double poisson(double u)
{
    double term = 0.36787944117144233, sum = term; /* exp(-1) */
    double k = 0;

    while (u >= sum && k < 18) {
        k++;
        term /= k;
        sum += term;
    }
    return k;
}

void ens_figures_replicate(struct ens_figures *f, struct ens_rng *g)
{
    for (size_t b = 0; b < f->n_resamples; b++)
        f->weight[b] = poisson(ens_rng_uniform(g));
}

static int pick(const struct ens_figure *figure, const struct ens_sample *s,
                struct ens_pair *pair)
{
    *pair = figure->def->pick(s);
    return isfinite(pair->x) && isfinite(pair->v);
}

void ens_figures_add(struct ens_figures *f, size_t i,
                     const struct ens_sample *s)
{
    struct ens_joint *sum = &f->sum[i];
    struct ens_pair p;

    if (!pick(&f->figure[i], s, &p))
        return;
    ens_joint_add(sum, p.x, p.v, 1);
    if (f->figure[i].def->finish == NULL)
        return; /* a quantile: only counted */
    for (size_t b = 0; b < f->n_resamples; b++) {
        sum += f->n;
        if (f->weight[b] > 0)
            ens_joint_add(sum, p.x, p.v, f->weight[b]);
    }
}

void ens_figures_leave_out(struct ens_figures *f, size_t i,
                           const struct ens_sample *s)
{
    const struct ens_measure_def *def = f->figure[i].def;
    struct ens_joint rest = f->sum[i];
    struct ens_pair p;
    double all, one_less, mcse;

    if (!pick(&f->figure[i], s, &p))
        return;
    ens_measure_finish(def, &rest, &all, &mcse);
    ens_joint_add(&rest, p.x, p.v, -1);
    ens_measure_finish(def, &rest, &one_less, &mcse);
    if (isfinite(one_less))
        ens_joint_add(&f->without[i], one_less - all, 0, 1);
}

/* sqrt((n - 1)/n sum d^2): from the deviations about the mean d, and it. */
static double jackknife(const struct ens_joint *d, double n)
{
    return d->n < n ? NAN : sqrt((n - 1) / n * (d->x2 + d->n * d->x * d->x));
}

static double bootstrap(const struct ens_figures *f, size_t i)
{
    struct ens_joint values = {0};

    for (size_t b = 1; b <= f->n_resamples; b++) {
        double value, mcse;

        ens_measure_finish(f->figure[i].def, &f->sum[b * f->n + i], &value,
                           &mcse);
        if (isfinite(value))
            ens_joint_add(&values, value, 0, 1);
    }
    return sqrt(ens_joint_var_x(&values));
}

void ens_figures_value(const struct ens_figures *f, size_t i, double *value,
                       double *mcse)
{
    const struct ens_joint *sum = &f->sum[i];

    ens_measure_finish(f->figure[i].def, sum, value, mcse);
    if (isnan(*value) || sum->n < 2)
        return;
    if (f->mcse == ENS_MCSE_BOOTSTRAP)
        *mcse = bootstrap(f, i);
    else if (f->mcse == ENS_MCSE_JACKKNIFE && f->without[i].n > 0)
        *mcse = jackknife(&f->without[i], sum->n);
}
