#include "fit/bayes/prior.h"

#include "base/number.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    size_t n;
    int may_be_negative;
} kinds[] = {
#define KIND(name, text, arguments, negative) {text, arguments, negative},
    ENS_PRIOR_LIST(KIND)
#undef KIND
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* All arguments but centres are above 0. */
static int is_centre(const char *key)
{
    return strcmp(key, "mean") == 0 || strcmp(key, "location") == 0;
}

enum ens_status ens_prior_read(struct ens_prior *prior, const char *key,
                               const struct ens_value *v, int is_positive,
                               struct ens_error *err)
{
    const struct ens_call *call = &v->call;
    size_t kind = 0;

    while (kind < N_KINDS && strcmp(kinds[kind].name, call->name) != 0)
        kind++;
    if (kind == N_KINDS || call->n != kinds[kind].n)
        return ens_fail(err, ENS_ESTUDY, "%.80s: \"%.80s\" is no prior", key,
                        v->text);
    if (!is_positive && !kinds[kind].may_be_negative)
        return ens_fail(err, ENS_ESTUDY,
                        "%.80s: %s is a prior of parameters above 0, as sigma "
                        "and sd; flat, normal, student_t and cauchy are those "
                        "of terms",
                        key, v->text);
    prior->kind = (enum ens_prior_kind)kind;
    for (size_t i = 0; i < call->n; i++) {
        const struct ens_call_arg *a = &call->arg[i];

        if (ens_number_parse(a->text, strlen(a->text), &prior->a[i]) != 0 ||
            (!is_centre(a->key) && !(prior->a[i] > 0)))
            return ens_fail(err, ENS_ESTUDY,
                            "%.80s: %s: %s is %s; it must be above 0", key,
                            call->name, a->key, a->text);
    }
    return ENS_OK;
}

/* Student's t around 0 with scale s: -(df + 1)/2 log(1 + x^2 / (df s^2)) */
static double student(double df, double x, double s, double *slope)
{
    double z = x / s;

    *slope = -(df + 1) * z / (s * (df + z * z));
    return -(df + 1) / 2 * log1p(z * z / df);
}

static double normal(double x, double s, double *slope)
{
    double z = x / s;

    *slope = -z / s;
    return -0.5 * z * z;
}

double ens_prior_log(const struct ens_prior *prior, double x, double *slope)
{
    const double *a = prior->a;
    double value;

    switch (prior->kind) {
    case ENS_PRIOR_FLAT:
        break;
    case ENS_PRIOR_NORMAL:
        return normal(x - a[0], a[1], slope);
    case ENS_PRIOR_STUDENT_T:
        return student(a[0], x - a[1], a[2], slope);
    case ENS_PRIOR_CAUCHY:
        return student(1, x - a[0], a[1], slope);
    case ENS_PRIOR_HALF_NORMAL:
        return normal(x, a[0], slope);
    case ENS_PRIOR_HALF_STUDENT_T:
        return student(a[0], x, a[1], slope);
    case ENS_PRIOR_HALF_CAUCHY:
        return student(1, x, a[0], slope);
    case ENS_PRIOR_EXPONENTIAL:
        *slope = -a[0];
        return -a[0] * x;
    case ENS_PRIOR_GAMMA:
        *slope = (a[0] - 1) / x - a[1];
        return (a[0] - 1) * log(x) - a[1] * x;
    case ENS_PRIOR_INV_GAMMA:
        *slope = -(a[0] + 1) / x + a[1] / (x * x);
        return -(a[0] + 1) * log(x) - a[1] / x;
    case ENS_PRIOR_LOGNORMAL:
        value = normal(log(x) - a[0], a[1], slope);
        *slope = (*slope - 1) / x;
        return value - log(x);
    }
    *slope = 0;
    return 0;
}

double ens_prior_centre(const struct ens_prior *prior)
{
    return prior->kind == ENS_PRIOR_FLAT        ? 0
           : prior->kind == ENS_PRIOR_STUDENT_T ? prior->a[1]
                                                : prior->a[0];
}

double ens_prior_scale(const struct ens_prior *prior)
{
    return prior->kind == ENS_PRIOR_FLAT        ? INFINITY
           : prior->kind == ENS_PRIOR_STUDENT_T ? prior->a[2]
                                                : prior->a[1];
}
