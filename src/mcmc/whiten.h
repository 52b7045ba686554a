/* A density in other coordinates: q = centre + factor z.
 *
 * With factor factor' near the covariance of q, z is near a standard normal:
 * a sampler with a diagonal metric then has what it would have with a dense
 * one, for the same 2 dim^2 operations per gradient.
 */
#ifndef ENS_MCMC_WHITEN_H
#define ENS_MCMC_WHITEN_H

#include <ensrun/density.h>

struct ens_whiten {
    struct ens_density outer;        /* of z; lent to samplers */
    const struct ens_density *inner; /* of q */
    size_t n;                        /* padded dim */
    double *centre;                  /* n */
    double *factor;   /* n x dim, column-major, upper triangular */
    double *q, *grad; /* n each: of the inner density, scratch */
};

/** Doubles of work for ens_whiten_init. */
size_t ens_whiten_work(size_t dim);

/** Identity: centre 0, factor 1. inner is lent as long as w. w must stay where
 * it is: outer points to it. */
void ens_whiten_init(struct ens_whiten *w, const struct ens_density *inner,
                     double *work);

/** centre[dim]; upper[dim, dim], column-major: the upper triangle is read and
 * its diagonal must be positive. */
void ens_whiten_set(struct ens_whiten *w, const double *centre,
                    const double *upper);

/** q[dim] of z[dim]. */
void ens_whiten_q(const struct ens_whiten *w, const double *z, double *q);

/** z[dim] of q[dim]. */
void ens_whiten_z(const struct ens_whiten *w, const double *q, double *z);

/**
 * upper[d, d]: factor of the covariance in the lower triangle of matrix[d, d],
 * upper upper'. Overwrites matrix. Returns -1 when it is not positive definite.
 */
int ens_whiten_factor(double *matrix, size_t d, double *upper);

/** Whiten z itself, by upper[dim, dim]: factor becomes factor upper, and z[dim]
 * the same point in the new coordinates. */
void ens_whiten_compose(struct ens_whiten *w, const double *upper, double *z);

#endif
