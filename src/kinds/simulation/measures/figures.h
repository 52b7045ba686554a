/* Figures: the rows of cells.csv of one cell while they are summed up.
 *
 * A figure is one measure of one estimand. Its replicates come one by one, in
 * their order; where from is the caller's business. Monte Carlo standard
 * errors are those of the measures' formulas, or
 *   jackknife  sqrt((n - 1)/n sum((value without replicate i - value)^2)), of
 *              a second pass over the replicates; where there was none: the
 *              formula;
 *   bootstrap  the sd of the values of N resamples. A resample counts each
 *              replicate a Poisson(1) number of times (Hanley and MacGibbon
 *              2006, doi:10.1016/j.cmpb.2006.04.006), which needs neither the
 *              number of replicates nor a second pass. The numbers of
 *              replicate r are a function of the words of the stream that the
 *              caller hands over, one per resample.
 */
#ifndef ENS_KINDS_SIMULATION_MEASURES_FIGURES_H
#define ENS_KINDS_SIMULATION_MEASURES_FIGURES_H

#include "base/arena.h"
#include "kinds/simulation/measures/measure.h"
#include "math/rng.h"
#include <ensrun/error.h>

enum ens_mcse { ENS_MCSE_FORMULA, ENS_MCSE_JACKKNIFE, ENS_MCSE_BOOTSTRAP };

struct ens_figure {
    const struct ens_measure_def *def;
    const char *estimand;
    const char *name; /* of the measure */
    double level;     /* of its limits; of a quantile: prob */
    size_t source;    /* which of the caller's samples it is of */
};

struct ens_figures {
    size_t n;
    const struct ens_figure *figure; /* lent */
    enum ens_mcse mcse;
    size_t n_resamples;
    double *weight;            /* n_resamples, of the present replicate */
    struct ens_joint *sum;     /* n, then n of each resample */
    struct ens_joint *without; /* jackknife: (value without i) - value */
};

/** Memory is the arena's. n_resamples: of ENS_MCSE_BOOTSTRAP. */
enum ens_status ens_figures_init(struct ens_figures *f,
                                 const struct ens_figure *figure, size_t n,
                                 enum ens_mcse mcse, size_t n_resamples,
                                 struct ens_arena *arena,
                                 struct ens_error *err);

/** A replicate begins; g at the start of its stream (read by the bootstrap
 * only). */
void ens_figures_replicate(struct ens_figures *f, struct ens_rng *g);
/** What the present replicate says of figure i. */
void ens_figures_add(struct ens_figures *f, size_t i,
                     const struct ens_sample *s);
/** The same once more, when all have been added (jackknife). */
void ens_figures_leave_out(struct ens_figures *f, size_t i,
                           const struct ens_sample *s);
/** Value and error; NaN where there is none. */
void ens_figures_value(const struct ens_figures *f, size_t i, double *value,
                       double *mcse);

#endif
