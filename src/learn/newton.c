#include "learn/newton.h"

#include "learn/descent.h"
#include "learn/moments.h"
#include "learn/newton_pass.h"
#include "math/linalg.h"
#include "math/sums.h"

#include <math.h>
#include <string.h>

#define SMALL_STEP  1e-9
#define MAX_HALVES  40
#define LEAST_PIVOT 1e-13 /* of a matrix with a unit diagonal */

/* The quadratic form of a step, in the coefficients (of output a, column j:
 * a p + j); intercepts are where they are best, given the others. */
struct form {
    size_t d;
    double *c;           /* d x d */
    double *grad;        /* d, at the step's start */
    double *from, *to;   /* coefficients */
    double *lin;         /* C from - grad */
    double *own, *scale; /* d x d and d: solving */
    double *work;        /* ens_descent_doubles(d) */
    double *h00, *h0b;   /* of intercepts: k x k, factored; k x d */
    double *g0;          /* k: H00^-1 their derivatives */
    double *delta;       /* k times m: the step */
};

static size_t form_doubles(size_t p, size_t k)
{
    size_t d = k * p;

    return 2 * d * d + 5 * d + 1 + ens_descent_doubles(d) + k * (k + d + 1) +
           k * (p + 1);
}

uint64_t ens_newton_doubles(size_t p, size_t n_out)
{
    return ens_newton_pass_doubles(p, n_out) + form_doubles(p, n_out) +
           2 * n_out * (p + 1) + 3 * (p + 1);
}

static double *take(double **at, size_t n)
{
    *at += n;
    return *at - n;
}

static int form_init(struct form *f, const struct ens_learn_job *job, size_t p,
                     size_t k)
{
    double *at = job->alloc(job, form_doubles(p, k), sizeof(double));
    size_t d = k * p;

    if (at == NULL)
        return 0;
    f->d = d;
    f->c = take(&at, d * d);
    f->own = take(&at, d * d);
    f->grad = take(&at, d);
    f->from = take(&at, d);
    f->to = take(&at, d);
    f->lin = take(&at, d);
    f->scale = take(&at, d);
    f->work = take(&at, ens_descent_doubles(d));
    f->h00 = take(&at, k * k);
    f->h0b = take(&at, k * d);
    f->g0 = take(&at, k);
    f->delta = take(&at, k * (p + 1));
    return 1;
}

/* Intercepts of classes are determined but for a number that is added to all
 * of them: they add up to 0. */
static int factor_intercepts(struct form *f, const struct ens_newton_pass *s)
{
    size_t k = s->k, p = s->p;
    double top = 0;

    for (size_t a = 0; a < k; a++)
        top = fmax(top, ens_newton_information(s, a, p, a, p));
    for (size_t a = 0; a < k; a++) {
        f->g0[a] = s->grad[a * s->m + p];
        for (size_t b = 0; b < k; b++)
            f->h00[a + b * k] =
                ens_newton_information(s, a, p, b, p) + (k > 1 ? top : 0);
        for (size_t i = 0; i < f->d; i++)
            f->h0b[a + i * k] = ens_newton_information(s, a, p, i / p, i % p);
    }
    if (!(ens_cholesky(f->h00, k) > 0))
        return 0;
    ens_cholesky_solve(f->h00, k, f->g0);
    return 1;
}

/* C -= H0b' H00^-1 H0b, from L^-1 H0b. */
static void take_intercepts(struct form *f, size_t k)
{
    for (size_t i = 0; i < f->d; i++)
        f->grad[i] -= ens_dot(f->h0b + i * k, f->g0, k);
    for (size_t i = 0; i < f->d; i++) {
        double *x = f->h0b + i * k;

        for (size_t a = 0; a < k; a++) {
            for (size_t b = 0; b < a; b++)
                x[a] -= f->h00[a + b * k] * x[b];
            x[a] /= f->h00[a + a * k];
        }
        for (size_t j = 0; j <= i; j++) {
            f->c[i + j * f->d] -= ens_dot(x, f->h0b + j * k, k);
            f->c[j + i * f->d] = f->c[i + j * f->d];
        }
    }
}

/* At b; 0: there is no information left. */
static int form_at(struct form *f, const struct ens_newton_pass *s,
                   const double *b)
{
    size_t p = s->p, d = f->d;

    for (size_t i = 0; i < d; i++) {
        f->grad[i] = s->grad[i / p * s->m + i % p];
        f->from[i] = b[i / p * s->m + i % p];
        for (size_t j = 0; j < d; j++)
            f->c[i + j * d] =
                ens_newton_information(s, i / p, i % p, j / p, j % p);
    }
    if (!s->o->intercept)
        return 1;
    if (!factor_intercepts(f, s))
        return 0;
    take_intercepts(f, s->k);
    return 1;
}

/* The step without absolute values: (C + l2) (to - from) = -(grad + l2 from),
 * solved with a unit diagonal. Coefficients of classes without a penalty are
 * determined but for what is added to all classes: they add up to 0.
 * Returns whether C is regular. */
static int solve_square(struct form *f, const struct ens_newton_pass *s)
{
    size_t d = f->d, p = s->p, k = s->k;
    double l2 = s->o->l2, *a = f->own, *x = f->to;
    int regular;

    memcpy(a, f->c, d * d * sizeof(*a));
    for (size_t i = 0; i < d; i++)
        a[i + i * d] += l2;
    for (size_t j = 0; l2 == 0 && k > 1 && j < p; j++) {
        double top = 0;

        for (size_t b = 0; b < k; b++)
            top = fmax(top, f->c[(b * p + j) * (d + 1)]);
        for (size_t b = 0; b < k; b++)
            for (size_t e = 0; e < k; e++)
                a[b * p + j + (e * p + j) * d] += top;
    }
    for (size_t i = 0; i < d; i++) {
        f->scale[i] = a[i + i * d] > 0 ? sqrt(a[i + i * d]) : 1;
        x[i] = -(f->grad[i] + l2 * f->from[i]) / f->scale[i];
    }
    for (size_t j = 0; j < d; j++) {
        for (size_t i = 0; i < d; i++)
            a[i + j * d] /= f->scale[i] * f->scale[j];
        if (!(a[j + j * d] > 0))
            a[j + j * d] = 1;
    }
    memcpy(f->work, a, d * d * sizeof(*a));
    regular = d == 0 || ens_cholesky(f->work, d) > LEAST_PIVOT;
    if (regular)
        ens_cholesky_solve(f->work, d, x);
    return regular;
}

/* Of least norm: directions of no information are left alone. */
static int solve_singular(struct form *f)
{
    size_t d = f->d;
    double *a = f->own, *value = f->work, *x = f->to, *along = value + d;

    if (ens_eigen(a, d, value, value + 2 * d) != 0)
        return 0;
    for (size_t i = 0; i < d; i++)
        along[i] = value[i] > 1e-12 * value[d - 1]
                       ? ens_dot(a + i * d, x, d) / value[i]
                       : 0;
    memset(x, 0, d * sizeof(*x));
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++)
            x[j] += along[i] * a[j + i * d];
    return 1;
}

/* Coefficients to go to: f->to. 0: there are none. */
static int minimise(struct form *f, const struct ens_newton_pass *s,
                    int *singular)
{
    struct ens_descent q = {
        .p = f->d, .c = f->c, .k = f->lin, .l1 = s->o->l1, .l2 = s->o->l2};

    if (s->o->l1 > 0) {
        for (size_t i = 0; i < f->d; i++)
            f->lin[i] = ens_dot(f->c + i * f->d, f->from, f->d) - f->grad[i];
        memcpy(f->to, f->from, f->d * sizeof(*f->to));
        ens_descent_solve(&q, f->to, f->work);
        return 1;
    }
    if (!solve_square(f, s)) {
        *singular = 1;
        if (!solve_singular(f))
            return 0;
    }
    for (size_t i = 0; i < f->d; i++)
        f->to[i] = f->from[i] + f->to[i] / f->scale[i];
    return 1;
}

/* f->delta from f->to, with its intercepts; returns its length: of the change
 * of predictors, weighted by their information. */
static double step(struct form *f, const struct ens_newton_pass *s)
{
    size_t p = s->p, k = s->k, d = f->d;
    double square = 0;

    for (size_t i = 0; i < d; i++)
        f->delta[i / p * s->m + i % p] = f->lin[i] = f->to[i] - f->from[i];
    for (size_t i = 0; i < d; i++)
        square += f->lin[i] * ens_dot(f->c + i * d, f->lin, d);
    for (size_t a = 0; a < k && s->o->intercept; a++) {
        double x = 0; /* L^-1 H0b delta, whose L'^-1 is taken below */

        for (size_t i = 0; i < d; i++)
            x += f->h0b[a + i * k] * f->lin[i];
        f->delta[a * s->m + p] = x;
        square += f->g0[a] * s->grad[a * s->m + p];
    }
    for (size_t a = k; a-- > 0 && s->o->intercept;) {
        double x = f->delta[a * s->m + p];

        for (size_t b = a + 1; b < k; b++)
            x -= f->h00[b + a * k] * f->delta[b * s->m + p];
        f->delta[a * s->m + p] = x / f->h00[a + a * k];
    }
    for (size_t a = 0; a < k && s->o->intercept; a++)
        f->delta[a * s->m + p] = -f->g0[a] - f->delta[a * s->m + p];
    return sqrt(fmax(square, 0) / s->weight);
}

static double objective(const struct ens_newton_pass *s, const double *b)
{
    double sum = 0;

    for (size_t a = 0; a < s->k; a++)
        for (size_t j = 0; j < s->p; j++) {
            double bj = b[a * s->m + j];

            sum += s->o->l1 * fabs(bj) + 0.5 * s->o->l2 * bj * bj;
        }
    return s->value + sum;
}

/* b += share delta, the largest share of 1, 1/2 ... by which the objective
 * falls; a pass at each. 0: there is none. */
static int advance(struct ens_newton_pass *s, const struct form *f,
                   double *value, double *b, double *next)
{
    size_t n = s->k * s->m;
    double slope = ens_dot(s->grad, f->delta, n), share = 1;
    double before = objective(s, b) - s->value;

    for (int halves = 0; halves < MAX_HALVES; halves++, share /= 2) {
        double after, fall;

        for (size_t i = 0; i < n; i++)
            next[i] = b[i] + share * f->delta[i];
        /* what the derivatives promise, with the penalty's own change */
        fall = share * slope;
        ens_newton_pass_run(s, next);
        after = objective(s, next);
        fall += after - s->value - before;
        if (after <= *value + 1e-4 * fmin(fall, 0) + 1e-13 * fabs(*value)) {
            *value = after;
            memcpy(b, next, n * sizeof(*b));
            return 1;
        }
    }
    return 0;
}

static int is_finite(const struct ens_newton_pass *s)
{
    int finite = isfinite(s->value);

    for (size_t a = 0; a < s->k; a++)
        for (size_t j = 0; j < s->m; j++)
            finite = finite && isfinite(s->grad[a * s->m + j]) &&
                     isfinite(ens_newton_information(s, a, j, a, j));
    return finite;
}

enum ens_status ens_newton_open(const struct ens_newton *o,
                                const struct ens_learn_job *job,
                                const struct ens_rows *rows,
                                struct ens_newton_fit *f, struct ens_error *err)
{
    size_t p = rows->p;
    double *work;

    if (o->n_out * (p + 1) > ENS_NEWTON_MAX)
        return ens_fail(err, ENS_EDOMAIN,
                        "%zu coefficients; Newton's method takes at most %d: "
                        "screen columns first",
                        o->n_out * (p + 1), ENS_NEWTON_MAX);
    *f = (struct ens_newton_fit){
        .centre = job->alloc(job, p + 1, sizeof(double)),
        .b = job->alloc(job, o->n_out * (p + 1), sizeof(double)),
    };
    work = job->alloc(job, 2 * (p + 1), sizeof(double));
    if (f->centre == NULL || f->b == NULL || work == NULL)
        return ens_linear_memory(err);
    if (o->intercept)
        ens_moments_shift(rows, f->centre, work);
    return ENS_OK;
}

enum ens_status ens_newton_run(const struct ens_newton *o,
                               const struct ens_learn_job *job,
                               const struct ens_rows *rows, int max_steps,
                               struct ens_newton_fit *f, struct ens_error *err)
{
    size_t n = o->n_out * (rows->p + 1);
    double value, *next = job->alloc(job, n, sizeof(*next));
    struct ens_newton_pass s;
    struct form form;
    enum ens_status status =
        ens_newton_pass_init(&s, o, job, rows, f->centre, err);

    if (status != ENS_OK)
        return status;
    if (next == NULL || !form_init(&form, job, s.p, s.k))
        return ens_linear_memory(err);
    ens_newton_pass_run(&s, f->b);
    if (!(s.weight > 0))
        return ens_fail(err, ENS_EDOMAIN, "all weights are 0");
    if (!is_finite(&s))
        return ens_fail(err, ENS_EDOMAIN,
                        "values are too large: their squares overflow");
    value = objective(&s, f->b);
    for (f->steps = 0; f->steps < max_steps && !f->converged; f->steps++) {
        f->loss = s.value / s.weight;
        if (!form_at(&form, &s, f->b) || !minimise(&form, &s, &f->singular))
            return ENS_OK;
        if (step(&form, &s) <= SMALL_STEP) {
            for (size_t i = 0; i < n; i++)
                f->b[i] += form.delta[i];
            f->converged = 1;
        } else if (!advance(&s, &form, &value, f->b, next)) {
            return ENS_OK;
        }
    }
    return ENS_OK;
}
