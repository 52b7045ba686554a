#include "kinds/simulation/measures/limits.h"

#include "math/quantile.h"

#include <float.h>
#include <math.h>

#define SAME   1e-9 /* relative: rounding of limits, estimates of 10^6 sd */
#define MIN_DF 0.25
#define MAX_DF 1e9 /* from here on t is the normal to 1e-9 */

/* Degrees of freedom of the t whose quantile at the level is `half`. Those
 * that are whole numbers but for rounding are. NaN: none has it. */
static double solve(double level, double half)
{
    double normal = ens_quantile_halfwidth(level, INFINITY);
    double low = log(MIN_DF), high = log(MAX_DF), df;

    if (fabs(half - normal) <= SAME * normal)
        return INFINITY;
    if (!(half > normal) || !(half < ens_quantile_halfwidth(level, MIN_DF)))
        return NAN;
    for (int i = 0; i < 60; i++) {
        double mid = (low + high) / 2;

        if (ens_quantile_halfwidth(level, exp(mid)) > half)
            low = mid;
        else
            high = mid;
    }
    df = exp((low + high) / 2);
    return fabs(df - round(df)) < 1e-5 * df && round(df) >= 1 ? round(df) : df;
}

/* What is seen last tells what to do, as long as it stays the same. */
static void learn(struct ens_limits *l, double half, double rounding,
                  double from, double to)
{
    if (fabs(half - l->half) <= rounding && from == l->from && to == l->to)
        return;
    *l = (struct ens_limits){.half = half, .from = from, .to = to};
    l->moved = ens_quantile_halfwidth(to, solve(from, half));
}

void ens_limits_move(struct ens_limits *l, struct ens_sample *s, double level)
{
    double below = s->estimate - s->low, above = s->high - s->estimate;
    double half = (below + above) / 2;
    double rounding = SAME * half + 8 * DBL_EPSILON * fabs(s->estimate);

    if (fabs(level - s->level) < 1e-12)
        return;
    if (fabs(below - above) <= 2 * rounding && s->std_error > 0) {
        learn(l, half / s->std_error, rounding / s->std_error, s->level, level);
        half = l->moved * s->std_error;
    } else {
        half = NAN;
    }
    s->low = s->estimate - half;
    s->high = s->estimate + half;
    s->level = level;
}
