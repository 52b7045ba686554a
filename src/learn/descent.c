#include "learn/descent.h"

#include "math/linalg.h"

#include <math.h>
#include <string.h>

#define MAX_SWEEPS 100000
#define SOME       100   /* sweeps over what is not 0, between those over all */
#define ENOUGH     1e-4  /* of a sweep, to try the closed form */
#define LAST       1e-15 /* of a sweep: it stands still */

struct state {
    const struct ens_descent *q;
    double *b;
    double *r; /* k - C b */
    double *a; /* C of those not 0, over d d' */
    double *x; /* their solution; then all of b */
    double *d;
    double *old;     /* b's signs when the closed form was last tried */
    size_t n_active; /* how many of b are not 0 */
};

size_t ens_descent_doubles(size_t p)
{
    return p * p + 4 * p;
}

double ens_descent_start(const struct ens_descent *q)
{
    double most = 0;

    for (size_t j = 0; j < q->p; j++)
        if (q->c[j * q->p + j] > 0)
            most = fmax(most, q->positive ? q->k[j] : fabs(q->k[j]));
    return most;
}

static void gradient(struct state *s)
{
    const struct ens_descent *q = s->q;

    memcpy(s->r, q->k, q->p * sizeof(*s->r));
    for (size_t j = 0; j < q->p; j++)
        for (size_t i = 0; s->b[j] != 0 && i < q->p; i++)
            s->r[i] -= s->b[j] * q->c[j * q->p + i];
}

static double best(const struct ens_descent *q, double z, double cjj)
{
    double size = fabs(z) - q->l1;

    if (!(size > 0) || (q->positive && z < 0))
        return 0;
    return copysign(size, z) / (cjj + q->l2);
}

/* Returns the largest change, as a share of the largest coefficient, both in
 * units of the columns' lengths. */
static double sweep(struct state *s, int all)
{
    const struct ens_descent *q = s->q;
    double change = 0, most = 0;

    for (size_t j = 0; j < q->p; j++) {
        const double *cj = q->c + j * q->p;
        double old = s->b[j], length = sqrt(cj[j]), delta;

        if (!(cj[j] > 0)) {
            s->b[j] = 0;
            continue;
        }
        if (!all && old == 0)
            continue;
        s->b[j] = best(q, s->r[j] + cj[j] * old, cj[j]);
        delta = s->b[j] - old;
        most = fmax(most, fabs(s->b[j]) * length);
        change = fmax(change, fabs(delta) * length);
        for (size_t i = 0; delta != 0 && i < q->p; i++)
            s->r[i] -= delta * cj[i];
    }
    return most > 0 ? change / most : 0;
}

static double sign(double x)
{
    return (double)((x > 0) - (x < 0));
}

/* Solves for those that are not 0, their signs given, in s->x; 0: they depend
 * on each other. */
static int closed_form(struct state *s)
{
    const struct ens_descent *q = s->q;
    size_t p = q->p, n = 0;

    for (size_t j = 0; j < p; j++) {
        size_t m = 0;

        if (s->b[j] == 0)
            continue;
        s->d[n] = sqrt(q->c[j * p + j] + q->l2);
        for (size_t i = 0; i <= j; i++)
            if (s->b[i] != 0) {
                s->a[n + m * s->n_active] = q->c[j * p + i] / s->d[n] / s->d[m];
                m++;
            }
        s->a[n + n * s->n_active] = 1;
        s->x[n] = (q->k[j] - q->l1 * sign(s->b[j])) / s->d[n];
        n++;
    }
    if (n > 0 && !(ens_cholesky(s->a, n) > 1e-12))
        return 0;
    ens_cholesky_solve(s->a, n, s->x);
    for (size_t j = p; j-- > 0;)
        s->x[j] = s->b[j] != 0 ? (n--, s->x[n] / s->d[n]) : 0;
    return 1;
}

/* Do the signs of x agree with b's, and no other gradient exceed l1? */
static int is_minimum(struct state *s, const double *x)
{
    const struct ens_descent *q = s->q;
    double most = ens_descent_start(q);

    for (size_t j = 0; j < q->p; j++)
        if (sign(x[j]) != sign(s->b[j]))
            return 0;
    memcpy(s->b, x, q->p * sizeof(*x));
    gradient(s);
    for (size_t j = 0; j < q->p; j++)
        if (s->b[j] == 0 && q->c[j * q->p + j] > 0 &&
            (q->positive ? s->r[j] : fabs(s->r[j])) >
                q->l1 + 1e-13 * (q->l1 + most))
            return 0;
    return 1;
}

static int signs_changed(struct state *s)
{
    int changed = 0;

    s->n_active = 0;
    for (size_t j = 0; j < s->q->p; j++) {
        changed |= sign(s->b[j]) != s->old[j];
        s->old[j] = sign(s->b[j]);
        s->n_active += s->b[j] != 0;
    }
    return changed;
}

int ens_descent_solve(const struct ens_descent *q, double *b, double *work)
{
    size_t p = q->p;
    struct state s = {.q = q,
                      .b = b,
                      .a = work,
                      .r = work + p * p,
                      .x = work + p * p + p,
                      .d = work + p * p + 2 * p,
                      .old = work + p * p + 3 * p};

    for (size_t j = 0; j < p; j++)
        s.old[j] = 2; /* no sign */
    gradient(&s);
    for (size_t sweeps = 0; sweeps < MAX_SWEEPS;) {
        double change = sweep(&s, 1);
        int still = change <= fmax(LAST, q->enough);

        for (size_t i = 0; i < SOME && change > ENOUGH; i++, sweeps++)
            change = sweep(&s, 0);
        sweeps++;
        if (q->enough <= 0 && signs_changed(&s) && closed_form(&s) &&
            is_minimum(&s, s.x))
            return 1;
        if (still)
            return 1;
    }
    return 0;
}
