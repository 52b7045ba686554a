/* Values of a parameter from its prior. */
#include "fit/bayes/prior.h"

#include "math/rng.h"

#include <gsl/gsl_randist.h>
#include <math.h>

#define MAX_DRAWS 1000 /* of a prior that is cut, before it is given up */

static double draw(struct ens_rng *g, const struct ens_prior *prior)
{
    const double *a = prior->a;

    switch (prior->kind) {
    case ENS_PRIOR_FLAT:
        break;
    case ENS_PRIOR_NORMAL:
        return a[0] + a[1] * ens_rng_normal(g);
    case ENS_PRIOR_STUDENT_T:
        return a[1] + a[2] * gsl_ran_tdist(&g->gsl, a[0]);
    case ENS_PRIOR_CAUCHY:
        return a[0] + gsl_ran_cauchy(&g->gsl, a[1]);
    case ENS_PRIOR_HALF_NORMAL:
        return fabs(a[0] * ens_rng_normal(g));
    case ENS_PRIOR_HALF_STUDENT_T:
        return fabs(a[1] * gsl_ran_tdist(&g->gsl, a[0]));
    case ENS_PRIOR_HALF_CAUCHY:
        return fabs(gsl_ran_cauchy(&g->gsl, a[0]));
    case ENS_PRIOR_EXPONENTIAL:
        return -log1p(-ens_rng_uniform(g)) / a[0];
    case ENS_PRIOR_GAMMA:
        return gsl_ran_gamma(&g->gsl, a[0], 1 / a[1]);
    case ENS_PRIOR_INV_GAMMA:
        return a[1] / gsl_ran_gamma(&g->gsl, a[0], 1);
    case ENS_PRIOR_LOGNORMAL:
        return exp(a[0] + a[1] * ens_rng_normal(g));
    }
    return NAN;
}

double ens_prior_draw(const struct ens_prior *prior, struct ens_rng *g,
                      double least)
{
    double v = draw(g, prior);

    for (int k = 0; k < MAX_DRAWS && !(v > least); k++)
        v = draw(g, prior);
    return v > least && isfinite(v) ? v : NAN;
}
