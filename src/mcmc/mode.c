#include "mcmc/mode.h"

#include "base/bug.h"
#include "math/linalg.h"

#include <math.h>
#include <string.h>

#define MOST_STEPS      100
#define FIRST_SHIFT     1e-3 /* of the curvature */
#define MOST_SHIFT      1e12
#define LEAST_CURVATURE 1e-6 /* that a shift is made of */
/* Newton decrement g'(-H)^-1 g: twice the rise that is left. */
#define CONVERGED  1e-8
#define STATIONARY 1e-14
#define ROUNDING   1e-10 /* of the log density */
/* Differences of the gradient over this many conditional sds: relative errors
 * of 1e-8 by the third derivative and by rounding on the posteriors of
 * tests/oracle/test_nuts.c. */
#define DIFFERENCE 1e-4
/* 1 - R^2 of a parameter on others below which the Hessian is singular. */
#define SINGULAR             1e-12
#define SINGULAR_DIFFERENCES 1e-9
/* A sd from its mode a normal density falls by 0.5. */
#define LEAST_FALL 0.02

struct search {
    const struct ens_density *density;
    struct ens_mode *m;
    size_t d;
    double *q, *gradient; /* best so far */
    double *trial, *trial_gradient;
    double *step;
    double *width;   /* of differences */
    double *hessian; /* negative, lower triangle */
    double *factor;  /* of it, shifted */
    double *upper;
    double lp;
    double rise; /* of the last step */
};

size_t ens_mode_work(size_t dim)
{
    return 6 * dim + 3 * dim * dim;
}

static double evaluate(struct search *s, const double *q, double *gradient)
{
    double lp = s->density->at(s->density->model, q, gradient);
    double sum = 0;

    s->m->n_gradients++;
    for (size_t i = 0; i < s->d; i++)
        sum += gradient[i];
    return isfinite(lp) && isfinite(sum) ? lp : -INFINITY;
}

/* Column j of the negative Hessian. */
static int difference(struct search *s, size_t j)
{
    double h = fmax(s->width[j], 1e-8 * fabs(s->q[j]));
    double high = s->q[j] + h, low = s->q[j] - h;
    double *column = s->hessian + j * s->d;

    memcpy(s->trial, s->q, s->d * sizeof(*s->q));
    s->trial[j] = high;
    if (evaluate(s, s->trial, column) == -INFINITY)
        return -1;
    s->trial[j] = low;
    if (evaluate(s, s->trial, s->trial_gradient) == -INFINITY)
        return -1;
    for (size_t i = 0; i < s->d; i++)
        column[i] = (s->trial_gradient[i] - column[i]) / (high - low);
    return 0;
}

static int differences(struct search *s)
{
    size_t d = s->d;

    for (size_t j = 0; j < d; j++)
        if (difference(s, j) != 0)
            return -1;
    for (size_t j = 0; j < d; j++) {
        double curvature = s->hessian[j + j * d];

        for (size_t i = j + 1; i < d; i++)
            s->hessian[i + j * d] =
                0.5 * (s->hessian[i + j * d] + s->hessian[j + i * d]);
        if (curvature > 0 && isfinite(curvature))
            s->width[j] = DIFFERENCE / sqrt(curvature);
    }
    return 0;
}

/* Negative Hessian at q; -1 when it is not finite. */
static int curve(struct search *s)
{
    size_t d = s->d;
    double sum = 0;

    if (!s->density->hessian) {
        if (differences(s) != 0)
            return -1;
    } else {
        if (s->density->hessian(s->density->model, s->q, s->hessian) != 0)
            return -1;
        for (size_t k = 0; k < d * d; k++)
            s->hessian[k] = -s->hessian[k];
    }
    for (size_t j = 0; j < d; j++)
        for (size_t i = j; i < d; i++)
            sum += s->hessian[i + j * d];
    return isfinite(sum) ? 0 : -1;
}

/* Factor the negative Hessian with its diagonal raised. Returns the ratio of
 * ens_cholesky: not positive when that is not positive definite. */
static double factor(struct search *s, double shift)
{
    size_t d = s->d;

    memcpy(s->factor, s->hessian, d * d * sizeof(*s->factor));
    for (size_t i = 0; shift > 0 && i < d; i++)
        s->factor[i + i * d] +=
            shift * fmax(fabs(s->hessian[i + i * d]), LEAST_CURVATURE);
    return ens_cholesky(s->factor, d);
}

/* Near the mode a full step may lose what rounding does. */
static int raises(struct search *s, double shift, double *lp)
{
    double loss = shift > 0 ? 0 : ROUNDING * fmax(1, fabs(s->lp));

    for (size_t i = 0; i < s->d; i++)
        s->trial[i] = s->q[i] + s->step[i];
    *lp = evaluate(s, s->trial, s->trial_gradient);
    return *lp >= s->lp - loss;
}

static size_t largest(const double *x, size_t n)
{
    size_t at = 0;

    for (size_t i = 1; i < n; i++)
        if (fabs(x[i]) > fabs(x[at]))
            at = i;
    return at;
}

static void accept(struct search *s, double lp)
{
    memcpy(s->q, s->trial, s->d * sizeof(*s->q));
    memcpy(s->gradient, s->trial_gradient, s->d * sizeof(*s->q));
    s->rise = lp - s->lp;
    s->lp = lp;
    s->m->where = largest(s->step, s->d);
}

/* One Newton step, with as small a shift as will do. Returns the decrement,
 * or -1 when there is no step; *shift is what was needed. */
static double advance(struct search *s, double *shift)
{
    for (double x = 0; x <= MOST_SHIFT; x = x > 0 ? 4 * x : FIRST_SHIFT) {
        double decrement = 0, lp;

        if (!(factor(s, x) > 0))
            continue;
        memcpy(s->step, s->gradient, s->d * sizeof(*s->step));
        ens_cholesky_solve(s->factor, s->d, s->step);
        if (!raises(s, x, &lp))
            continue;
        for (size_t i = 0; i < s->d; i++)
            decrement += s->step[i] * s->gradient[i];
        accept(s, lp);
        *shift = x;
        return decrement;
    }
    return -1;
}

static enum ens_mode_status climb(struct search *s)
{
    for (; s->m->iterations < MOST_STEPS; s->m->iterations++) {
        double shift = 0;
        double decrement = curve(s) == 0 ? advance(s, &shift) : -1;

        if (decrement >= 0 && decrement < (shift > 0 ? STATIONARY : CONVERGED))
            return ENS_MODE_FOUND;
        /* At the end of the numbers, while it rises? */
        if (decrement < 0)
            return s->rise > LEAST_FALL ? ENS_MODE_RISES : ENS_MODE_STUCK;
    }
    /* Steps of a poor Hessian may creep up to a mode, too. */
    return s->rise > LEAST_FALL ? ENS_MODE_RISES : ENS_MODE_FOUND;
}

/* The parameter whose variance others inflate most. */
static size_t find_flat(struct search *s)
{
    double shift = 1e-6, most = -1;
    size_t d = s->d, at = 0;

    while (!(factor(s, shift) > 0) && shift < 1e300)
        shift *= 10;
    for (size_t i = 0; i < d; i++) {
        double curvature = s->hessian[i + i * d], inflation;

        memset(s->step, 0, d * sizeof(*s->step));
        s->step[i] = 1;
        ens_cholesky_solve(s->factor, d, s->step);
        inflation = curvature > 0 ? curvature * s->step[i] : INFINITY;
        if (inflation > most) {
            most = inflation;
            at = i;
        }
    }
    return at;
}

/* upper = (inverse of the factor)'; its row j is column j of the inverse. */
static void set_upper(struct search *s)
{
    size_t d = s->d;

    memset(s->upper, 0, d * d * sizeof(*s->upper));
    s->m->log_det = 0;
    for (size_t j = 0; j < d; j++) {
        for (size_t i = j; i < d; i++) {
            double sum = i == j;

            for (size_t k = j; k < i; k++)
                sum -= s->factor[i + k * d] * s->upper[j + k * d];
            s->upper[j + i * d] = sum / s->factor[i + i * d];
        }
        s->m->log_det -= 2 * log(s->factor[j + j * d]);
    }
}

/* Does the density fall, a sd to each side? Where it goes on as if there were
 * no mode (separated data, say), Newton's steps converge, too: to a place
 * where the curvature vanishes with the gradient. */
static enum ens_mode_status look_around(struct search *s)
{
    for (size_t j = 0; j < s->d; j++)
        for (int side = -1; side <= 1; side += 2) {
            double lp;

            for (size_t i = 0; i < s->d; i++) {
                s->step[i] = side * s->upper[i + j * s->d];
                s->trial[i] = s->q[i] + s->step[i];
            }
            lp = evaluate(s, s->trial, s->trial_gradient);
            if (lp > s->lp - LEAST_FALL) {
                s->m->where = largest(s->step, s->d);
                return lp > s->lp ? ENS_MODE_RISES : ENS_MODE_FLAT;
            }
        }
    return ENS_MODE_FOUND;
}

static enum ens_mode_status settle(struct search *s)
{
    double least = s->density->hessian ? SINGULAR : SINGULAR_DIFFERENCES;

    if (curve(s) != 0)
        return ENS_MODE_STUCK;
    if (!(factor(s, 0) > least)) {
        s->m->where = find_flat(s);
        return ENS_MODE_FLAT;
    }
    set_upper(s);
    return look_around(s);
}

static void carve(struct search *s, double *work)
{
    size_t d = s->d;

    s->q = work;
    s->gradient = work + d;
    s->trial = work + 2 * d;
    s->trial_gradient = work + 3 * d;
    s->step = work + 4 * d;
    s->width = work + 5 * d;
    s->hessian = work + 6 * d;
    s->factor = s->hessian + d * d;
    s->upper = s->factor + d * d;
}

void ens_mode_find(const struct ens_density *density, const double *start,
                   double *work, struct ens_mode *m)
{
    struct search s = {.density = density, .m = m, .d = density->dim};

    ENS_BUG_ON(density->dim == 0);
    carve(&s, work);
    for (size_t i = 0; i < s.d; i++) {
        s.q[i] = start ? start[i] : 0;
        s.step[i] = 0;
        s.width[i] = DIFFERENCE * fmax(1, 1e-2 * fabs(s.q[i]));
    }
    memset(m, 0, sizeof(*m));
    m->dim = s.d;
    s.lp = evaluate(&s, s.q, s.gradient);
    m->status = s.lp == -INFINITY ? ENS_MODE_NO_START : climb(&s);
    if (m->status == ENS_MODE_FOUND)
        m->status = settle(&s);
    m->q = s.q;
    m->upper = s.upper;
    m->log_density = s.lp;
}

void ens_mode_covariance(const struct ens_mode *m, double *covariance)
{
    size_t d = m->dim;

    for (size_t j = 0; j < d; j++)
        for (size_t i = j; i < d; i++) {
            double sum = 0;

            for (size_t k = i; k < d; k++)
                sum += m->upper[i + k * d] * m->upper[j + k * d];
            covariance[i + j * d] = covariance[j + i * d] = sum;
        }
}
