/* When Stan's warm-up learns the metric: a first buffer for the step size
 * alone, windows that double, a last buffer for the step size again.
 *
 * For 1,000 iterations: 75, then windows that end at iterations 99, 149, 249,
 * 449, 949 (counted from 0), then 50. For 20 to 149 iterations, one window
 * between buffers of 15 % and 10 %: what Stan announces and, as its window's
 * end is not reset there, does not do. Below 20: no windows.
 * Source:  Stan reference manual, "Automatic parameter tuning"; stan 2.35,
 *          mcmc/windowed_adaptation.hpp.
 */
#ifndef ENS_MCMC_WINDOWS_H
#define ENS_MCMC_WINDOWS_H

#include <stddef.h>

struct ens_windows {
    size_t first, last; /* draws learned: first <= iteration < last */
    size_t size;        /* of the window at hand */
    size_t end;         /* its last iteration */
};

void ens_windows_init(struct ens_windows *w, size_t warmup);

/** Does the draw of an iteration count? */
int ens_windows_learns(const struct ens_windows *w, size_t iteration);

/** Does a window end with this iteration? Then the next one begins. */
int ens_windows_ends(struct ens_windows *w, size_t iteration);

#endif
