/* Dual averaging of the step size towards a target acceptance.
 *
 * Source:  Nesterov (2009), doi:10.1007/s10107-007-0149-x; Hoffman and Gelman
 *          (2014), JMLR 15:1593-1623, eq. 6; gamma 0.05, t0 10, kappa 0.75.
 */
#ifndef ENS_MCMC_DUAL_H
#define ENS_MCMC_DUAL_H

struct ens_dual {
    double target;   /* acceptance, between 0 and 1 */
    double mu;       /* log step size that is shrunk to */
    double count;    /* updates so far */
    double error;    /* averaged target - acceptance */
    double mean_log; /* averaged log step size */
    double most_log; /* bound of the log step size */
};

/** Start around a step size: mu is log(10 step_size). No step size is above
 * most (INFINITY: no bound). */
void ens_dual_start(struct ens_dual *d, double target, double step_size,
                    double most);

/** Learn an acceptance (over 1 counts as 1). Returns the next step size. */
double ens_dual_update(struct ens_dual *d, double accept);

/** The averaged step size: 1 before the first update. */
double ens_dual_final(const struct ens_dual *d);

#endif
