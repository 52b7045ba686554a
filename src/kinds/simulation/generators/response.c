#include "kinds/simulation/generators/response.h"

#include "math/rng.h"

#include <gsl/gsl_randist.h>
#include <math.h>

static double draw_count(struct ens_rng *g, double mean)
{
    if (!(mean <= ENS_RESPONSE_MAX_MEAN))
        return NAN;
    return (double)gsl_ran_poisson(&g->gsl, mean);
}

double ens_response_draw(struct ens_rng *g, enum ens_family family, double eta,
                         const double *parameter)
{
    switch (family) {
    case ENS_FAMILY_GAUSSIAN:
        return eta + parameter[0] * ens_rng_normal(g);
    case ENS_FAMILY_STUDENT:
        return eta + parameter[0] * gsl_ran_tdist(&g->gsl, parameter[1]);
    case ENS_FAMILY_BINOMIAL:
        return ens_rng_uniform(g) < 1 / (1 + exp(-eta)) ? 1 : 0;
    case ENS_FAMILY_POISSON:
        return draw_count(g, exp(eta));
    case ENS_FAMILY_NEGBINOMIAL: /* Poisson about a gamma distributed mean */
        return draw_count(g, exp(eta) *
                                 gsl_ran_gamma(&g->gsl, parameter[0], 1) /
                                 parameter[0]);
    case ENS_FAMILY_GAMMA:
        return exp(eta) * gsl_ran_gamma(&g->gsl, parameter[0], 1) /
               parameter[0];
    }
    return NAN;
}
