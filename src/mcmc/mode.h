/* The mode of a density, and the normal distribution that fits it there.
 *
 * Method:  Newton's, from a given point; the Hessian is shifted (Levenberg)
 *          where it is not negative definite or the density would fall, and
 *          is the density's own or made of central differences of the
 *          gradient, 1e-4 conditional sds apart.
 *
 * That there is no mode is an outcome, not a failure: a status and the
 * parameter to name.
 */
#ifndef ENS_MCMC_MODE_H
#define ENS_MCMC_MODE_H

#include <ensrun/density.h>
#include <ensrun/error.h>
#include <stdint.h>

enum ens_mode_status {
    ENS_MODE_FOUND,
    ENS_MODE_NO_START, /* density or gradient not finite at the start */
    ENS_MODE_FLAT,     /* the density is flat along some direction */
    ENS_MODE_RISES,    /* it rises without end */
    ENS_MODE_STUCK     /* no step along its gradient raises it, or its second
                          derivatives are not finite */
};

/** Arrays are in the work given to ens_mode_find. */
struct ens_mode {
    enum ens_mode_status status;
    size_t dim;
    const double *q;     /* dim; where the search ended */
    double log_density;  /* there */
    const double *upper; /* dim x dim, column-major, upper triangle: factor
                            of the covariance, the inverse of the negative
                            Hessian: upper upper'. When found. */
    double log_det;      /* of the covariance. log of the density's integral, by
                            Laplace: log_density + dim/2 log(2 pi) + log_det/2 */
    unsigned iterations;
    uint64_t n_gradients;
    size_t where; /* FLAT, RISES: the parameter that is flat, or left */
};

/** Doubles of work for ens_mode_find. */
size_t ens_mode_work(size_t dim);

/** start[dim], or NULL for the origin. */
void ens_mode_find(const struct ens_density *density, const double *start,
                   double *work, struct ens_mode *m);

/** covariance[dim, dim], both triangles, of a mode that was found. */
void ens_mode_covariance(const struct ens_mode *m, double *covariance);

/**
 * Why there is none, in err. name[dim] are the parameters', or NULL.
 * ENS_OK when it was found, else ENS_EDOMAIN.
 */
enum ens_status ens_mode_explain(const struct ens_mode *m,
                                 const char *const *name,
                                 struct ens_error *err);

#endif
