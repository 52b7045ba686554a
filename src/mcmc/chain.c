#include "mcmc/chain.h"

#include "base/bug.h"
#include "base/number.h"
#include "math/rng.h"
#include "mcmc/adapt.h"
#include "mcmc/quads.h"
#include "mcmc/mode.h"

#include <string.h>

#define MOST_TRIES 100

/* What runs; lives as long as ens_chain_run. */
struct run {
    const struct ens_chain_options *o;
    struct ens_whiten whiten;
    struct ens_nuts nuts;
    struct ens_adapt adapt;
    double *scratch; /* dim */
};

void ens_chain_defaults(struct ens_chain_options *o,
                        const struct ens_adaptation *adaptation)
{
    *o = (struct ens_chain_options){
        .adaptation = adaptation,
        .warmup = adaptation->warmup,
        .draws = 1000,
        .thin = 1,
        .adapt_delta = 0.8,
        .max_depth = 10,
        .init_radius = 2,
    };
}

size_t ens_chain_work(size_t dim, const struct ens_chain_options *o)
{
    return (o->adaptation->is_whitened ? ens_whiten_work(dim) : 0) +
           ens_nuts_work(dim, o->max_depth) + ens_padded(dim) +
           o->adaptation->work(dim);
}

/* Returns the work that is left. */
static double *prepare(struct run *run, const struct ens_density *density,
                       const struct ens_mode *mode, struct ens_rng *rng,
                       double *work)
{
    const struct ens_chain_options *o = run->o;
    const struct ens_adaptation *scheme = o->adaptation;

    run->adapt.scheme = scheme;
    run->adapt.nuts = &run->nuts;
    run->adapt.warmup = o->warmup;
    run->adapt.target = o->adapt_delta;
    if (scheme->is_whitened) {
        ens_whiten_init(&run->whiten, density, work);
        work += ens_whiten_work(density->dim);
        if (scheme->needs_mode)
            ens_whiten_set(&run->whiten, mode->q, mode->upper);
        run->adapt.whiten = &run->whiten;
        density = &run->whiten.outer;
    }
    ens_nuts_init(&run->nuts, density, o->max_depth, rng, work);
    run->nuts.jitter = o->jitter;
    work += ens_nuts_work(density->dim, o->max_depth);
    run->scratch = work;
    return work + ens_padded(density->dim);
}

static void choose_point(struct run *run)
{
    const struct ens_chain_options *o = run->o;
    double *q = run->scratch;

    if (o->init) {
        if (o->adaptation->is_whitened)
            ens_whiten_z(&run->whiten, o->init, q);
        else
            memcpy(q, o->init, run->nuts.dim * sizeof(*q));
        return;
    }
    for (size_t i = 0; i < run->nuts.dim; i++)
        q[i] = o->init_radius * (2 * ens_rng_uniform(run->nuts.rng) - 1);
}

static enum ens_status find_start(struct run *run, struct ens_error *err)
{
    const struct ens_chain_options *o = run->o;
    int is_fixed = o->init || o->init_radius == 0;
    int tries = is_fixed ? 1 : MOST_TRIES;
    char radius[ENS_NUMBER_BYTES];

    for (int i = 0; i < tries; i++) {
        choose_point(run);
        if (ens_nuts_place(&run->nuts, run->scratch) == 0)
            return ENS_OK;
    }
    if (is_fixed)
        return ens_fail(err, ENS_EDOMAIN,
                        "the log density or its gradient is not finite at the "
                        "starting point");
    ens_number_format(radius, o->init_radius);
    return ens_fail(err, ENS_EDOMAIN,
                    "no starting point in %d tries: the log density or its "
                    "gradient was never finite within +-%s",
                    MOST_TRIES, radius);
}

static enum ens_status warm_up(struct run *run, double *work,
                               struct ens_chain *chain, struct ens_error *err)
{
    const struct ens_adaptation *scheme = run->o->adaptation;
    struct ens_nuts_info info;
    enum ens_status s = scheme->start(&run->adapt, work, err);

    for (size_t i = 0; s == ENS_OK && i < run->o->warmup; i++) {
        ens_nuts_transition(&run->nuts, &info);
        chain->warmup_leapfrogs += info.n_leapfrog;
        s = scheme->learn(&run->adapt, &info, err);
    }
    return s;
}

static void count(struct ens_chain *chain, const struct ens_nuts_info *info,
                  unsigned max_depth)
{
    chain->leapfrogs += info->n_leapfrog;
    chain->n_divergent += info->divergent != 0;
    chain->n_max_depth += info->depth == max_depth;
    chain->accept += info->accept;
}

static void keep(struct run *run, const struct ens_nuts_info *info, size_t i,
                 struct ens_chain *chain)
{
    size_t dim = run->nuts.dim;
    double *q = chain->q + i * dim;

    if (run->o->adaptation->is_whitened)
        ens_whiten_q(&run->whiten, run->nuts.here->q, q);
    else
        memcpy(q, run->nuts.here->q, dim * sizeof(*q));
    if (chain->stats)
        chain->stats[i] = (struct ens_draw_stats){
            .lp = info->lp,
            .energy = info->energy,
            .accept = info->accept,
            .n_leapfrog = info->n_leapfrog,
            .depth = (uint16_t)info->depth,
            .divergent = (uint16_t)info->divergent,
        };
}

static void draw(struct run *run, struct ens_chain *chain)
{
    const struct ens_chain_options *o = run->o;
    struct ens_nuts_info info;

    for (size_t i = 0; i < o->draws; i++) {
        for (size_t k = 0; k < o->thin; k++) {
            ens_nuts_transition(&run->nuts, &info);
            count(chain, &info, o->max_depth);
        }
        keep(run, &info, i, chain);
    }
    chain->accept /= (double)(o->draws * o->thin);
}

enum ens_status ens_chain_run(const struct ens_density *density,
                              const struct ens_chain_options *o,
                              const struct ens_mode *mode, struct ens_rng *rng,
                              double *work, struct ens_chain *chain,
                              struct ens_error *err)
{
    struct run run = {.o = o};
    struct ens_chain out = {.q = chain->q, .stats = chain->stats};
    enum ens_status s;

    ENS_BUG_ON(o->thin == 0);
    ENS_BUG_ON(o->adaptation->needs_mode &&
               (!mode || mode->status != ENS_MODE_FOUND));
    work = prepare(&run, density, mode, rng, work);
    s = find_start(&run, err);
    if (s == ENS_OK)
        s = warm_up(&run, work, &out, err);
    if (s != ENS_OK)
        return s;
    out.step_size = run.nuts.step_size;
    draw(&run, &out);
    out.n_gradients = run.nuts.n_gradients;
    *chain = out;
    return ENS_OK;
}
