/* Iteratively reweighted least squares: the engine of generalised linear
 * models, step by step as R's glm.fit (its start values, its stop rule).
 */
#ifndef ENS_FIT_IRLS_H
#define ENS_FIT_IRLS_H

#include "fit/lsq.h"

struct ens_irls;

/** What distinguishes families. Shapes: n each. */
struct ens_irls_family {
    void (*mean)(const double *eta, size_t n, double *mu);
    double (*deviance)(const struct ens_irls *g, const double *y);
    /** weights mu'^2 / V and weighted working residuals mu' (y - mu) / V */
    void (*weigh)(struct ens_irls *g, const double *y);
    /** the first means and predictors */
    void (*start)(struct ens_irls *g, const double *y);
    int (*is_response)(double y);
    int (*is_extreme)(double mu); /* NULL: none is */
    const char *takes;
    const char *extremes; /* the warning */
};

extern const struct ens_irls_family ens_irls_binomial;    /* logit link */
extern const struct ens_irls_family ens_irls_poisson;     /* log link */
extern const struct ens_irls_family ens_irls_gamma;       /* log link */
extern const struct ens_irls_family ens_irls_negbinomial; /* log link */

struct ens_irls {
    const struct ens_irls_family *family;
    double phi; /* of the negative binomial */
    struct ens_lsq q;
    size_t n;
    double *eta; /* n each */
    double *mu;
    double *w; /* weights; then w times working residuals, in r */
    double *r;
    double *delta; /* p */
};

/** Doubles of work for ens_irls_init; SIZE_MAX: too large. */
size_t ens_irls_work(size_t n, size_t p);
/** ENS_EDOMAIN names the first response that the family does not take. */
enum ens_status ens_irls_init(struct ens_irls *g,
                              const struct ens_irls_family *family,
                              const struct ens_fit_problem *problem,
                              double *work, struct ens_error *err);
/** From the family's start to convergence: estimate, deviance, iterations
 * and, when there are too many of them, a warning. */
enum ens_status ens_irls_iterate(struct ens_irls *g,
                                 struct ens_fit_result *result,
                                 struct ens_error *err);
/** One more step from the present means. *length: of it, in units of the
 * estimates' standard errors. */
enum ens_status ens_irls_step(struct ens_irls *g, struct ens_fit_result *result,
                              double *length, struct ens_error *err);
/** Warnings: of fitted means at an end of their range, a constant response. */
void ens_irls_warn(const struct ens_irls *g, struct ens_fit_result *result);

#endif
