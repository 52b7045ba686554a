/* Lasso with an intercept, on the scale of scikit-learn's Lasso: sum of w (y -
 * z weight)^2 / (2 sum w) + alpha sum of |weight|.
 *
 * Coordinate descent finds which weights are not 0 and their signs; those then
 * come from one system of equations, as exact as least squares are. */
#include "learn/meta/block.h"
#include "learn/meta/squares.h"
#include "math/linalg.h"
#include "math/sums.h"

#include <math.h>
#include <string.h>

#define MOST_SWEEPS 100000
#define TOLERANCE   1e-12 /* of the largest weight */
#define REFINE      3

const struct ens_setting ens_meta_lasso_settings[] = {
    ENS_META_SETTING("alpha", ENS_T_NUM, "1", 0, 1e300,
                     "weight of the absolute weights beside half the mean "
                     "squared residual"),
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               struct ens_meta_options *o,
                               struct ens_error *err)
{
    (void)err;
    o->penalty = setup->value(setup, "alpha")->d;
    return ENS_OK;
}

struct state {
    const struct ens_meta_task *task;
    size_t m;     /* rows of the centred columns */
    double limit; /* alpha times the sum of w */
    double *x, *r, *length;
    double *a, *l, *s, *step, *qr_work; /* of the polish */
    size_t *in;
};

static const double *column(const struct state *t, size_t j)
{
    return t->task->f + j * t->task->m + 1;
}

static double soft(double v, double limit)
{
    return v > limit ? v - limit : v < -limit ? v + limit : 0;
}

/* The largest change; *top: the largest weight. */
static double sweep(struct state *t, double *top)
{
    double most = 0;

    *top = 0;
    for (size_t j = 0; j < t->task->n; j++) {
        const double *f = column(t, j);
        double old = t->x[j], now = 0;

        if (t->length[j] > 0)
            now = soft(ens_dot(f, t->r, t->m) + t->length[j] * old, t->limit) /
                  t->length[j];
        for (size_t i = 0; i < t->m && now != old; i++)
            t->r[i] += (old - now) * f[i];
        t->x[j] = now;
        most = fmax(most, fabs(now - old));
        *top = fmax(*top, fabs(now));
    }
    return most;
}

static void residual(struct state *t, const double *s, size_t p)
{
    memcpy(t->r, t->task->b + 1, t->m * sizeof(*t->r));
    for (size_t k = 0; k < p; k++)
        for (size_t i = 0; i < t->m; i++)
            t->r[i] -= s[k] * column(t, t->in[k])[i];
}

/* Weights that are not 0 solve f'(b - f x) = limit sign(x). Kept when the signs
 * stay. */
static void polish(struct state *t)
{
    size_t p = 0;

    for (size_t j = 0; j < t->task->n; j++)
        if (t->x[j] != 0) {
            memcpy(t->a + p * t->m, column(t, j), t->m * sizeof(*t->a));
            t->s[p] = t->x[j];
            t->in[p++] = j;
        }
    if (p == 0 ||
        ens_qr_factor(t->a, t->m, p, t->task->resolution, t->l, t->qr_work) < p)
        return;
    for (int pass = 0; pass < REFINE; pass++) {
        residual(t, t->s, p);
        for (size_t k = 0; k < p; k++)
            t->step[k] = ens_dot(column(t, t->in[k]), t->r, t->m) -
                         copysign(t->limit, t->x[t->in[k]]);
        ens_cholesky_solve(t->l, p, t->step);
        for (size_t k = 0; k < p; k++)
            t->s[k] += t->step[k];
    }
    for (size_t k = 0; k < p; k++)
        if (!(t->s[k] * t->x[t->in[k]] > 0))
            return;
    for (size_t k = 0; k < p; k++)
        t->x[t->in[k]] = t->s[k];
}

static enum ens_status make(struct state *t, struct ens_error *err)
{
    size_t n = t->task->n, m = t->m;
    double *d = ens_meta_alloc(t->task->problem,
                               m + 3 * n + m * n + n * n + ENS_QR_WORK(n),
                               sizeof(*d), err);

    t->in = d ? ens_meta_alloc(t->task->problem, n, sizeof(*t->in), err) : NULL;
    if (t->in == NULL)
        return ENS_ENOMEMORY;
    t->r = d;
    t->length = t->r + m;
    t->s = t->length + n;
    t->step = t->s + n;
    t->a = t->step + n;
    t->l = t->a + m * n;
    t->qr_work = t->l + n * n;
    for (size_t j = 0; j < n; j++)
        t->length[j] = ens_dot(column(t, j), column(t, j), m);
    memcpy(t->r, t->task->b + 1, m * sizeof(*t->r));
    return ENS_OK;
}

static enum ens_status fit(const struct ens_meta_task *task,
                           const struct ens_meta_options *o, double *weight,
                           double *intercept, struct ens_error *err)
{
    struct state t = {.task = task,
                      .m = task->m - 1,
                      .limit = o->penalty * task->weight,
                      .x = weight};
    enum ens_status s = make(&t, err);
    double top;

    for (int k = 0; k < MOST_SWEEPS && s == ENS_OK; k++)
        if (!(sweep(&t, &top) > TOLERANCE * top))
            break;
    if (s != ENS_OK)
        return s;
    polish(&t);
    *intercept = ens_meta_intercept(task, weight);
    return ENS_OK;
}

const struct ens_meta ens_meta_lasso = {.options = options, .fit = fit};
