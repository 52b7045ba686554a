#include "mcmc/dual.h"

#include <math.h>

#define GAMMA 0.05
#define T0    10.0
#define KAPPA 0.75

void ens_dual_start(struct ens_dual *d, double target, double step_size,
                    double most)
{
    *d = (struct ens_dual){
        .target = target, .mu = log(10 * step_size), .most_log = log(most)};
}

double ens_dual_update(struct ens_dual *d, double accept)
{
    double eta, x, weight;

    d->count++;
    eta = 1 / (d->count + T0);
    d->error = (1 - eta) * d->error + eta * (d->target - fmin(accept, 1));
    x = fmin(d->mu - d->error * sqrt(d->count) / GAMMA, d->most_log);
    weight = pow(d->count, -KAPPA);
    d->mean_log = (1 - weight) * d->mean_log + weight * x;
    return exp(x);
}

double ens_dual_final(const struct ens_dual *d)
{
    return exp(d->mean_log);
}
