/* The measures of cells.csv: what each takes from a replicate, and what it
 * makes of the sums, with its Monte Carlo standard error.
 *
 * Source: Morris, White and Crowther (2019), "Using simulation studies to
 * evaluate statistical methods", Statistics in Medicine 38, table 6,
 * doi:10.1002/sim.8086 (M); Joshi and Pustejovsky's simhelpers (S); by the
 * delta method (D). e = estimate - truth, V = std_error^2, n replicates,
 * s^2 = var(e), k = kurtosis sum((e - mean e)^4) / (n s^4):
 *   mean            mean(est)                  sd(est) / sqrt(n)            M
 *   sd              sd(est), empirical SE      sd / sqrt(2 (n - 1))         M
 *   error_sd        sd(e), where truths vary   sd / sqrt(2 (n - 1))
 *   variance        var(est)                   var sqrt((k - 1) / n)        S
 *   model_se        sqrt(mean V)               sqrt(var(V) / (4 n model_se^2))
 *                                                                           M
 *   bias            mean(e)                    sd(e) / sqrt(n)              M
 *   relative_bias   mean(e / truth)            sd(e / truth) / sqrt(n)      M
 *   mse             mean(e^2)                  sqrt(var(e^2) / n)           M
 *   rmse            sqrt(mse)                  mcse(mse) / (2 rmse)         D
 *   model_se_error  100 (model_se / s - 1)     100 model_se / s
 *                                              sqrt(var(V) / (4 n model_se^4)
 *                                                   + 1 / (2 (n - 1)))      M
 *   variance_ratio  r = mean(V) / s^2          r sqrt((var(V) / mean(V)^2
 *                                              + k - 1 - 2 cov(V, (e - mean
 *                                              e)^2) / (mean(V) s^2)) / n)  D
 *   coverage, be_coverage, rejection, failure_rate, convergence_rate
 *                   share p                    sqrt(p (1 - p) / n)          M
 *   width, interval_score, difference, mse_difference
 *                   mean                       sd / sqrt(n)
 *   relative_precision  100 (s_A^2 / s_B^2 - 1)  200 s_A^2 / s_B^2
 *                                              sqrt((1 - r_AB^2) / (n - 1)) M
 * Variances have n - 1. Where truths are not known, e is the estimate in what
 * needs no truth.
 */
#ifndef ENS_KINDS_SIMULATION_MEASURES_MEASURE_H
#define ENS_KINDS_SIMULATION_MEASURES_MEASURE_H

#include "math/joint.h"
#include <stddef.h>

/** What a replicate says of a parameter; NaN: it does not say. */
struct ens_sample {
    double estimate, std_error;
    double truth;
    double low, high, level;  /* limits, at the level of the measure */
    double null;              /* value that a test rejects */
    double centre;            /* mean e of all replicates */
    double other;             /* estimate of the fit compared with */
    double failed, converged; /* of a task: 1 or 0 */
};

enum ens_measure_flag {
    ENS_MEASURE_ALWAYS = 1,   /* whether or not it is chosen */
    ENS_MEASURE_TRUTH = 2,    /* needs one */
    ENS_MEASURE_VARYING = 4,  /* always, where truths differ by replicate */
    ENS_MEASURE_LEVEL = 8,    /* takes level: that of the limits */
    ENS_MEASURE_ALPHA = 16,   /* takes alpha: 1 - that level */
    ENS_MEASURE_PROB = 32,    /* takes prob: is a quantile, not of sums */
    ENS_MEASURE_OTHER = 64,   /* compares with another fit */
    ENS_MEASURE_CENTRE = 128, /* needs the centre: another pass */
    ENS_MEASURE_TASK = 256,   /* of tasks, not of parameters */
    ENS_MEASURE_COLUMN = 512, /* of columns as well */
    ENS_MEASURE_SHARE = 1024, /* a share of replicates */
    ENS_MEASURE_RANKS = 2048  /* of metric rank: nobody chooses it */
};

/** Not finite in `pick`: the replicate does not count. */
struct ens_pair {
    double x, v;
};

struct ens_measure_def {
    const char *name;
    const char *help;
    unsigned flags;
    struct ens_pair (*pick)(const struct ens_sample *s);
    /** value and mcse of sums with n > 0; not finite: there is none. */
    void (*finish)(const struct ens_joint *s, double *value, double *mcse);
};

/** By name; NULL when there is none. */
const struct ens_measure_def *ens_measure_find(const char *name);
/** All of them, in the order of the list; NULL past the last. */
const struct ens_measure_def *ens_measure_at(size_t i);

/** As def->finish; NaN where there is none. */
void ens_measure_finish(const struct ens_measure_def *def,
                        const struct ens_joint *s, double *value, double *mcse);

#endif
