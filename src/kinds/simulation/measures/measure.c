#include "kinds/simulation/measures/measure.h"

#include <math.h>
#include <string.h>

/* -- from a replicate --------------------------------------------------------
 */

static struct ens_pair one(double x)
{
    return (struct ens_pair){x, 0};
}

static struct ens_pair both(double x, double v)
{
    return (struct ens_pair){x, v};
}

static double error_of(const struct ens_sample *s)
{
    return s->estimate - s->truth;
}

/* Of what is about the spread alone, and where truths are not known. */
static double error_or_estimate(const struct ens_sample *s, double estimate)
{
    return isnan(s->truth) ? estimate : estimate - s->truth;
}

static struct ens_pair estimate(const struct ens_sample *s)
{
    return one(s->estimate);
}

static struct ens_pair error(const struct ens_sample *s)
{
    return one(error_of(s));
}

static struct ens_pair relative_error(const struct ens_sample *s)
{
    return one(s->truth == 0 ? NAN : error_of(s) / s->truth);
}

static struct ens_pair squared_error(const struct ens_sample *s)
{
    return one(error_of(s) * error_of(s));
}

static struct ens_pair squared_se(const struct ens_sample *s)
{
    return one(s->std_error * s->std_error);
}

static struct ens_pair error_and_variance(const struct ens_sample *s)
{
    return both(error_or_estimate(s, s->estimate), s->std_error * s->std_error);
}

/* NaN when a limit is missing. */
static struct ens_pair is_between(const struct ens_sample *s, double at)
{
    if (isnan(s->low) || isnan(s->high) || isnan(at))
        return one(NAN);
    return one(s->low <= at && at <= s->high ? 1 : 0);
}

static struct ens_pair covered(const struct ens_sample *s)
{
    return is_between(s, s->truth);
}

static struct ens_pair covers_centre(const struct ens_sample *s)
{
    return is_between(s, s->centre + (isnan(s->truth) ? 0 : s->truth));
}

/* p <= alpha: the null is a limit at 1 - alpha, or beyond. */
static struct ens_pair rejected(const struct ens_sample *s)
{
    if (isnan(s->low) || isnan(s->high))
        return one(NAN);
    return one(s->low < s->null && s->null < s->high ? 0 : 1);
}

static struct ens_pair width(const struct ens_sample *s)
{
    return one(s->high - s->low);
}

/* Gneiting and Raftery (2007), doi:10.1198/016214506000001437, eq. 43. */
static struct ens_pair interval_score(const struct ens_sample *s)
{
    double below = s->low - s->truth, above = s->truth - s->high;
    double miss = isnan(below) || isnan(above) ? NAN
                  : below > 0                  ? below
                  : above > 0                  ? above
                                               : 0;

    return one(s->high - s->low + 2 / (1 - s->level) * miss);
}

static struct ens_pair paired_errors(const struct ens_sample *s)
{
    return both(error_or_estimate(s, s->estimate),
                error_or_estimate(s, s->other));
}

static struct ens_pair difference(const struct ens_sample *s)
{
    return one(s->estimate - s->other);
}

static struct ens_pair squared_difference(const struct ens_sample *s)
{
    double b = error_of(s), a = s->other - s->truth;

    return one(b * b - a * a);
}

static struct ens_pair failed(const struct ens_sample *s)
{
    return one(s->failed);
}

static struct ens_pair converged(const struct ens_sample *s)
{
    return one(s->converged);
}

/* -- from sums ---------------------------------------------------------------
 */

static void mean(const struct ens_joint *s, double *value, double *mcse)
{
    *value = s->x;
    *mcse = sqrt(ens_joint_var_x(s) / s->n);
}

/* The count over n, without the rounding of a running mean. */
static void share(const struct ens_joint *s, double *value, double *mcse)
{
    *value = round(s->x * s->n) / s->n;
    *mcse = sqrt(*value * (1 - *value) / s->n);
}

static void sd(const struct ens_joint *s, double *value, double *mcse)
{
    *value = sqrt(ens_joint_var_x(s));
    *mcse = *value / sqrt(2 * (s->n - 1));
}

static double kurtosis(const struct ens_joint *s)
{
    double var = ens_joint_var_x(s);

    return s->x4 / (s->n * var * var);
}

static void variance(const struct ens_joint *s, double *value, double *mcse)
{
    *value = ens_joint_var_x(s);
    *mcse = *value * sqrt((kurtosis(s) - 1) / s->n);
}

/* Of a mean of squares: sqrt(var(x) / n) / (2 sqrt(x)). */
static void root(const struct ens_joint *s, double *value, double *mcse)
{
    *value = sqrt(s->x);
    *mcse = sqrt(ens_joint_var_x(s) / (4 * s->n * s->x));
}

static void model_se_error(const struct ens_joint *s, double *value,
                           double *mcse)
{
    double ratio = sqrt(s->v / ens_joint_var_x(s));

    *value = 100 * (ratio - 1);
    *mcse = 100 * ratio *
            sqrt(ens_joint_var_v(s) / (4 * s->n * s->v * s->v) +
                 1 / (2 * (s->n - 1)));
}

static void variance_ratio(const struct ens_joint *s, double *value,
                           double *mcse)
{
    double var = ens_joint_var_x(s);
    double cov = s->x2v / (s->n - 1);

    *value = s->v / var;
    *mcse = *value * sqrt((ens_joint_var_v(s) / (s->v * s->v) + kurtosis(s) -
                           1 - 2 * cov / (s->v * var)) /
                          s->n);
}

static void relative_precision(const struct ens_joint *s, double *value,
                               double *mcse)
{
    double ratio = s->v2 / s->x2;
    double unshared = 1 - s->xv / s->x2 * (s->xv / s->v2);

    *value = 100 * (ratio - 1);
    *mcse = 200 * ratio * sqrt((unshared > 0 ? unshared : 0) / (s->n - 1));
}

/* -- the list ----------------------------------------------------------------
 */

#define ALWAYS  ENS_MEASURE_ALWAYS
#define TRUTH   ENS_MEASURE_TRUTH
#define VARYING ENS_MEASURE_VARYING
#define LEVEL   ENS_MEASURE_LEVEL
#define ALPHA   ENS_MEASURE_ALPHA
#define PROB    ENS_MEASURE_PROB
#define OTHER   ENS_MEASURE_OTHER
#define CENTRE  ENS_MEASURE_CENTRE
#define TASK    ENS_MEASURE_TASK
#define COLUMN  ENS_MEASURE_COLUMN
#define SHARE   ENS_MEASURE_SHARE

static const struct ens_measure_def all[] = {
#define ENS_MEASURE(id, bits, from, to, text)                                  \
    {.name = #id, .help = text, .flags = bits, .pick = from, .finish = to},
#include "kinds/simulation/measures/measures.def"
#undef ENS_MEASURE
};

const struct ens_measure_def *ens_measure_at(size_t i)
{
    return i < sizeof(all) / sizeof(*all) ? &all[i] : NULL;
}

const struct ens_measure_def *ens_measure_find(const char *name)
{
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

void ens_measure_finish(const struct ens_measure_def *def,
                        const struct ens_joint *s, double *value, double *mcse)
{
    *value = *mcse = NAN;
    if (!(s->n > 0))
        return;
    def->finish(s, value, mcse);
    if (!isfinite(*value))
        *value = *mcse = NAN;
    else if (!isfinite(*mcse) || s->n < 2)
        *mcse = NAN;
}
