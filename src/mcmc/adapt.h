/* Adaptation: what a chain learns in its warm-up, the step size and the
 * metric.
 *
 * One struct of functions per scheme, by name in a table:
 *   stan     variances of draws, in windows that double
 *   dense    the same of covariances
 *   fisher   variances of draws and of gradients, after every draw
 *   fisher_dense  the same of covariances, in a few windows
 *   laplace  fisher, in the coordinates of the mode and its curvature
 */
#ifndef ENS_MCMC_ADAPT_H
#define ENS_MCMC_ADAPT_H

#include "mcmc/dual.h"
#include "mcmc/nuts.h"
#include "mcmc/whiten.h"
#include "mcmc/windows.h"

#include <ensrun/error.h>

/** Means and sums of squares of vectors that arrive one by one. */
struct ens_spread {
    double n;
    double *mean, *square; /* of the squared differences to the mean */
};

/** Means and sums of products, those of the lower triangle. */
struct ens_products {
    double n;
    double *mean, *product; /* dim, dim x dim */
};

struct ens_adaptation;

/** A warm-up's state. One struct for all schemes. */
struct ens_adapt {
    const struct ens_adaptation *scheme;
    struct ens_nuts *nuts;
    struct ens_whiten *whiten; /* whitened schemes; else NULL */
    size_t warmup;
    double target;    /* acceptance */
    double most_step; /* set by start */
    size_t iteration; /* transitions learned */
    struct ens_dual dual;

    struct ens_windows windows;   /* stan, dense */
    struct ens_spread draws;      /* stan; fisher: foreground */
    struct ens_products products; /* dense: of draws, in q; fisher_dense: z */
    struct ens_products gradient_products; /* fisher_dense */
    double *scratch;

    struct ens_spread gradients;                  /* fisher: foreground */
    struct ens_spread next_draws, next_gradients; /* fisher: background */
    double window;  /* fisher: draws until the estimators change places */
    double *before; /* fisher: the draw before */
    int has_metric; /* fisher */
};

struct ens_adaptation {
    const char *name;
    size_t warmup;   /* a good length for it */
    int is_whitened; /* samples an ens_whiten */
    int needs_mode;  /* which is set to the mode and its curvature */
    /** Doubles of state for dim parameters. */
    size_t (*work)(size_t dim);
    /** The sampler has a state; choose scale and step size. ENS_EDOMAIN: there
     * is no step size (ens_adapt_find_step). */
    enum ens_status (*start)(struct ens_adapt *a, double *work,
                             struct ens_error *err);
    /** After a transition of the warm-up. Errors as start. */
    enum ens_status (*learn)(struct ens_adapt *a,
                             const struct ens_nuts_info *info,
                             struct ens_error *err);
};

extern const struct ens_adaptation ens_adapt_stan;
extern const struct ens_adaptation ens_adapt_dense;
extern const struct ens_adaptation ens_adapt_fisher;
extern const struct ens_adaptation ens_adapt_fisher_dense;
extern const struct ens_adaptation ens_adapt_laplace;

/** By name; NULL when there is none. */
const struct ens_adaptation *ens_adaptation_find(const char *name);
/** The i-th; NULL behind the last. */
const struct ens_adaptation *ens_adaptation_at(size_t i);

/**
 * Change the step size, from the present one on by factors of two, until the
 * acceptance of one leapfrog crosses 0.8.
 * Errors:  ENS_EDOMAIN when it ends at 0 (nothing is accepted) or above 1e7
 *          (the density does not fall: it is improper).
 */
enum ens_status ens_adapt_find_step(struct ens_nuts *nuts,
                                    struct ens_error *err);

/** As above, with dual averaging restarted around the result. */
enum ens_status ens_adapt_restart(struct ens_adapt *a, struct ens_error *err);

void ens_spread_add(struct ens_spread *s, const double *x, size_t dim);
void ens_spread_clear(struct ens_spread *s, size_t dim);

/** Doubles of memory for ens_products_init. */
size_t ens_products_work(size_t dim);
void ens_products_init(struct ens_products *p, size_t dim, double *work);
/** scratch[dim]. */
void ens_products_add(struct ens_products *p, const double *x, size_t dim,
                      double *scratch);
void ens_products_clear(struct ens_products *p, size_t dim);

#endif
