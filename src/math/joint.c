#include "math/joint.h"

#include <math.h>

/* With a of them on one side and b on the other, whose means differ by
 * (dx, dv), each deviation moves by -dx b / n or dx a / n; the rest is
 * binomial expansion. Higher powers first: they need the lower ones as they
 * were. */
static inline void merge(struct ens_joint *to, const struct ens_joint *from)
{
    const double a = to->n, b = from->n, n = a + b;
    const double dx = from->x - to->x, dv = from->v - to->v;
    const double fa = a / n, fb = b / n;
    const double ab = a * fb; /* a b / n */
    const double dx2 = dx * dx;

    to->x4 += from->x4 + dx2 * dx2 * ab * (fa * fa - fa * fb + fb * fb) +
              6 * dx2 * (fa * fa * from->x2 + fb * fb * to->x2) +
              4 * dx * (fa * from->x3 - fb * to->x3);
    to->x3 += from->x3 + dx2 * dx * ab * (fa - fb) +
              3 * dx * (fa * from->x2 - fb * to->x2);
    to->x2v += from->x2v + dx2 * dv * ab * (fa - fb) +
               2 * dx * (fa * from->xv - fb * to->xv) +
               dv * (fa * from->x2 - fb * to->x2);
    to->x2 += from->x2 + dx2 * ab;
    to->v2 += from->v2 + dv * dv * ab;
    to->xv += from->xv + dx * dv * ab;
    to->x += dx * fb;
    to->v += dv * fb;
    to->n = n;
}

void ens_joint_merge(struct ens_joint *to, const struct ens_joint *from)
{
    if (to->n + from->n == 0)
        *to = (struct ens_joint){0};
    else
        merge(to, from);
}

void ens_joint_add(struct ens_joint *s, double x, double v, double weight)
{
    const struct ens_joint point = {.n = weight, .x = x, .v = v};

    ens_joint_merge(s, &point);
}

static double per_degree(const struct ens_joint *s, double sum)
{
    return s->n < 2 ? NAN : sum / (s->n - 1);
}

/* What was taken out may leave a little less than nothing. */
double ens_joint_var_x(const struct ens_joint *s)
{
    return per_degree(s, s->x2 > 0 ? s->x2 : 0);
}

double ens_joint_var_v(const struct ens_joint *s)
{
    return per_degree(s, s->v2 > 0 ? s->v2 : 0);
}
