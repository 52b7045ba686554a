#include "mcmc/scores.h"

#include <math.h>

double ens_crps_sorted(const double *x, size_t n, double y, int is_fair)
{
    double size = (double)n, distance = 0, spread = 0;

    /* sum over pairs of |x - x'| / 2: draw i is the larger one of i pairs,
     * the smaller one of n - 1 - i; offsets from y keep its digits */
    for (size_t i = 0; i < n; i++) {
        distance += fabs(x[i] - y);
        spread += (2 * (double)i + 1 - size) * (x[i] - y);
    }
    return distance / size - spread / size / (is_fair ? size - 1 : size);
}

double ens_interval_score(double low, double high, double level, double y)
{
    double miss = y < low ? low - y : y > high ? y - high : 0 * y;

    return high - low + 2 / (1 - level) * miss;
}
