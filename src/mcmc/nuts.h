/* The no-U-turn sampler: one transition at a time.
 *
 * Multinomial sampling over trajectories that double until they turn back,
 * by the generalised criterion with the checks across subtrees; diagonal
 * metric. Adaptation and the loop over draws are elsewhere (adapt.h,
 * chain.h).
 * Source:  Hoffman and Gelman (2014), JMLR 15:1593-1623; Betancourt (2017),
 *          arXiv:1701.02434, appendix A; the extra checks: Stan 2.21.
 *
 * Momenta are kept in units of the metric: with s the scale (square root of
 * the inverse metric) a momentum here is s times the usual one. It is then a
 * standard normal vector, the kinetic energy half its square, and the U-turn
 * tests are plain dot products.
 */
#ifndef ENS_MCMC_NUTS_H
#define ENS_MCMC_NUTS_H

#include <ensrun/density.h>
#include <stddef.h>
#include <stdint.h>

struct ens_rng;

#define ENS_NUTS_MAX_DEPTH 20
/* A tree holds three points (both ends, its sample); there is one of each
 * depth being built, the trajectory, and a point being made. */
#define ENS_NUTS_POINTS(depth) (3 * (size_t)(depth) + 6)

/** A state of a trajectory. Shared by the trees that refer to it. */
struct ens_nuts_point {
    double *q;        /* position */
    double *gradient; /* of the log density there */
    double *p;        /* momentum, in units of the metric */
    double lp;        /* log density; -inf outside the support */
    double square;    /* p'p */
    double energy;    /* p'p / 2 - lp; inf outside the support */
    unsigned refs;
};

/** A stretch of a trajectory; first and last in the order they were made. */
struct ens_nuts_tree {
    struct ens_nuts_point *first, *last;
    struct ens_nuts_point *sample;
    double *rho;   /* sum of the momenta: sum, or the momentum of one point */
    double *sum;   /* vector of this tree's own */
    double weight; /* sum of exp(energy at the start - energy) */
};

struct ens_nuts {
    const struct ens_density *density;
    struct ens_rng *rng;
    size_t dim, n; /* n: padded */
    unsigned max_depth;
    double step_size; /* set by ens_nuts_set_step */
    double jitter;    /* of the step size per transition: +- this share */
    double *scale;    /* sqrt of the inverse metric; > 0 */
    double *step;     /* step size times scale */
    struct ens_nuts_point *here; /* current state */
    uint64_t n_gradients;

    /* of the transition being made */
    double start_energy;
    double accept_sum, symmetric_sum;
    uint32_t n_leapfrog;
    int divergent;
    struct ens_nuts_tree whole, tree[ENS_NUTS_MAX_DEPTH];
    struct ens_nuts_point point[ENS_NUTS_POINTS(ENS_NUTS_MAX_DEPTH)];
    struct ens_nuts_point *spare[ENS_NUTS_POINTS(ENS_NUTS_MAX_DEPTH)];
    size_t n_spare;
};

/** What a transition did. */
struct ens_nuts_info {
    double lp;     /* of the new state */
    double energy; /* of the new state with its momentum in the trajectory */
    double accept; /* mean over all leapfrogs of min(1, exp(-energy error)) */
    double symmetric; /* the same of 2 min(1, e) / (1 + e) */
    double step_size;
    uint32_t n_leapfrog;
    uint32_t depth; /* doublings that were kept */
    int divergent;  /* energy rose by more than 1000 */
};

/** Doubles of work for ens_nuts_init. */
size_t ens_nuts_work(size_t dim, unsigned max_depth);

/**
 * A sampler without a state yet: ens_nuts_place gives it one. Scale 1, step
 * size 1, no jitter. Everything lent must live as long as it.
 * max_depth is 1 to ENS_NUTS_MAX_DEPTH.
 */
void ens_nuts_init(struct ens_nuts *s, const struct ens_density *density,
                   unsigned max_depth, struct ens_rng *rng, double *work);

/** Go to q[dim]. Returns 0, or -1: log density or gradient not finite. */
int ens_nuts_place(struct ens_nuts *s, const double *q);

/** Step size from now on; call again after changing scale. */
void ens_nuts_set_step(struct ens_nuts *s, double step_size);

/** Fresh momenta, one leapfrog, and back. Returns the fall of the energy;
 * -inf when it ended outside the support, or where it began. */
double ens_nuts_try(struct ens_nuts *s);

/** One transition; the new state is s->here. */
void ens_nuts_transition(struct ens_nuts *s, struct ens_nuts_info *info);

/**
 * One leapfrog step from `from` to `to`, of direction 1 or -1: energy and all
 * else of `to` is set.
 */
void ens_nuts_leapfrog(struct ens_nuts *s, double direction,
                       const struct ens_nuts_point *from,
                       struct ens_nuts_point *to);

#endif
