/* A chain: starting point, warm-up, draws.
 *
 * What comes out is a function of density, options, mode and stream alone, to
 * the bit.
 */
#ifndef ENS_MCMC_CHAIN_H
#define ENS_MCMC_CHAIN_H

#include <ensrun/density.h>
#include <ensrun/error.h>
#include <stdint.h>

struct ens_adaptation;
struct ens_mode;
struct ens_rng;

struct ens_chain_options {
    const struct ens_adaptation *adaptation;
    size_t warmup;      /* transitions */
    size_t draws;       /* kept */
    size_t thin;        /* transitions per draw kept; >= 1 */
    double adapt_delta; /* target acceptance, between 0 and 1 */
    unsigned max_depth; /* 1 to ENS_NUTS_MAX_DEPTH */
    double jitter;      /* of the step size, 0 to below 1 */
    double init_radius; /* start uniform within +- this, in units of q; of
                           schemes that need a mode: in its sds around it */
    const double *init; /* dim: start here instead; or NULL */
};

/** Adaptation and its warm-up given: 1,000 draws, no thinning, adapt_delta
 * 0.8, depth 10, no jitter, radius 2. */
void ens_chain_defaults(struct ens_chain_options *o,
                        const struct ens_adaptation *adaptation);

/** What a kept draw's transition did. */
struct ens_draw_stats {
    double lp;     /* log density of q */
    double energy; /* minus log density of q and momentum */
    double accept; /* mean acceptance over its leapfrogs */
    uint32_t n_leapfrog;
    uint16_t depth;     /* of the tree; max_depth: it was cut */
    uint16_t divergent; /* 0 or 1 */
};

struct ens_chain {
    /* given by the caller */
    double *q;                    /* draws x dim, row-major */
    struct ens_draw_stats *stats; /* draws; or NULL */

    /* over all transitions, those thinned out, too */
    uint64_t warmup_leapfrogs, leapfrogs;
    uint64_t n_gradients; /* all: start and step-size searches, too */
    uint64_t n_divergent; /* after the warm-up, as the next two */
    uint64_t n_max_depth;
    double accept; /* mean */
    double step_size;
};

/** Doubles of work for ens_chain_run. */
size_t ens_chain_work(size_t dim, const struct ens_chain_options *o);

/**
 * Run a chain. mode: needed by adaptations that say so, and found; else NULL.
 * Errors:  ENS_EDOMAIN, an outcome: no finite starting point in 100 tries, no
 *          step size (ens_adapt_find_step). The chain is then undefined.
 */
enum ens_status ens_chain_run(const struct ens_density *density,
                              const struct ens_chain_options *o,
                              const struct ens_mode *mode, struct ens_rng *rng,
                              double *work, struct ens_chain *chain,
                              struct ens_error *err);

#endif
