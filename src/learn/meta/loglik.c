#include "learn/meta/loglik.h"

#include "learn/meta/active.h"
#include "learn/meta/block.h"
#include "math/linalg.h"
#include "math/sums.h"

#include <math.h>
#include <string.h>

#define MOST_STEPS  100
#define MOST_HALVES 40
#define TOLERANCE   1e-13 /* of the objective, to be gained by a step */
#define SEPARATED   1e-6  /* of the objective without weights */
#define STRENGTHEN  1e-13 /* of the largest curvature */
#define ENOUGH      1e-4  /* of what the slope promises */

struct state {
    const struct ens_meta_task *task;
    double trim;
    struct ens_meta_block *memory;
    double *at;              /* n: where f, g, h are of */
    double f, *g, *h;        /* of -2 log likelihood: n, n x n (lower) */
    double *x, *eta, *u, *v; /* a block's */
    double *part_g, *part_h, *gram_work;
    double *factor, *b; /* (n + 1) x n, n + 1 */
    double *to, *active_work;
    size_t *places;
};

static enum ens_status make(struct state *t, struct ens_error *err)
{
    const struct ens_meta_problem *problem = t->task->problem;
    size_t n = t->task->n, block = ENS_META_BLOCK;
    size_t all = 5 * n + 3 * n * n + block * (n + 3) + ENS_GRAM_WORK(n) + n +
                 1 + ENS_ACTIVE_WORK(n + 1, n);
    double *d = ens_meta_alloc(problem, all, sizeof(*d), err);

    t->places = d ? ens_meta_alloc(problem, ENS_ACTIVE_PLACES(n),
                                   sizeof(*t->places), err)
                  : NULL;
    if (t->places == NULL)
        return ENS_ENOMEMORY;
    t->at = d;
    t->g = t->at + n;
    t->part_g = t->g + n;
    t->to = t->part_g + n;
    t->h = t->to + n;
    t->part_h = t->h + n * n;
    t->x = t->part_h + n * n;
    t->eta = t->x + block * n;
    t->u = t->eta + block;
    t->v = t->u + block;
    t->gram_work = t->v + block;
    t->b = t->gram_work + ENS_GRAM_WORK(n);
    t->factor = t->b + n + 1;
    t->active_work = t->factor + (n + 1) * n;
    return ENS_OK;
}

/* -- a pass over rows -------------------------------------------------------
 */

static double logit(double p, double trim)
{
    p = p < trim ? trim : p > 1 - trim ? 1 - trim : p;
    return log(p / (1 - p));
}

/* -2 log likelihood of a row; its slope and curvature in eta. */
static double row(double y, double eta, double *slope, double *curvature)
{
    double e = exp(-fabs(eta)), small = e / (1 + e);
    double p = eta < 0 ? small : 1 - small;

    *slope = 2 * (p - y);
    *curvature = 2 * small / (1 + e);
    return 2 * (log1p(e) + (eta > 0 ? (1 - y) * eta : -y * eta));
}

static enum ens_status add_block(void *arg, const struct ens_meta_block *b,
                                 struct ens_error *err)
{
    struct state *t = arg;
    size_t n = t->task->n;

    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < b->n; i++)
            t->x[i + j * b->n] =
                logit(b->z[i * b->n_learners + t->task->column[j]], t->trim);
    ens_times(t->x, b->n, n, t->at, t->eta);
    for (size_t i = 0; i < b->n; i++) {
        if (!(b->y[i] >= 0 && b->y[i] <= 1))
            return ens_fail(err, ENS_EDOMAIN,
                            "response in row %llu: %g is no class, allowed are "
                            "0 and 1",
                            (unsigned long long)(b->first + i + 1), b->y[i]);
        t->eta[i] = b->w[i] * row(b->y[i], t->eta[i], &t->u[i], &t->v[i]);
        t->u[i] *= b->w[i];
        t->v[i] *= b->w[i];
    }
    t->f += ens_sum(t->eta, b->n);
    ens_cross(t->x, b->n, n, t->u, t->part_g);
    ens_gram(t->x, b->n, n, t->v, t->part_h, t->gram_work);
    for (size_t j = 0; j < n; j++)
        t->g[j] += t->part_g[j];
    for (size_t k = 0; k < n * n; k++)
        t->h[k] += t->part_h[k];
    return ENS_OK;
}

static enum ens_status evaluate(struct state *t, const double *x,
                                struct ens_error *err)
{
    size_t n = t->task->n;

    memmove(t->at, x, n * sizeof(*x));
    t->f = 0;
    memset(t->g, 0, n * sizeof(*t->g));
    memset(t->h, 0, n * n * sizeof(*t->h));
    return ens_meta_each(t->task->problem, &t->memory, add_block, t, err);
}

/* -- a step -----------------------------------------------------------------
 */

/* Cholesky factor of the curvature, strengthened until it is positive. */
static const double *factor_curvature(struct state *t)
{
    size_t n = t->task->n;
    double *l = t->part_h, most = 0, more = STRENGTHEN;

    for (size_t j = 0; j < n; j++)
        most = fmax(most, t->h[j + j * n]);
    most = most > 0 ? most : 1;
    do {
        memcpy(l, t->h, n * n * sizeof(*l));
        for (size_t j = 0; j < n; j++)
            l[j + j * n] += more * most;
        more *= 16;
    } while (!(ens_cholesky(l, n) > 0) && more < 16);
    return l;
}

/* to: the minimum of the quadratic model at `at`, h its curvature: of
 * |factor to - b|^2, factor' factor = h, factor' b = h at - g. */
static void propose(struct state *t, int is_simplex)
{
    size_t n = t->task->n, m = n + 1;
    struct ens_active q = {m, n, t->factor, t->b, is_simplex};
    const double *l = factor_curvature(t);

    memset(t->factor, 0, m * n * sizeof(*t->factor));
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k <= j; k++)
            t->factor[k + j * m] = l[j + k * n];
    for (size_t j = 0; j < n; j++) {
        double sum = -t->g[j];

        for (size_t k = 0; k < n; k++)
            sum += (k >= j ? t->h[k + j * n] : t->h[j + k * n]) * t->at[k];
        for (size_t k = 0; k < j; k++)
            sum -= t->factor[k + j * m] * t->b[k];
        t->b[j] = sum / t->factor[j + j * m];
    }
    t->b[n] = 0;
    ens_active_solve(&q, t->to, t->active_work, t->places);
}

/* at becomes from + share (to - from), the share halved until f falls; 0: it
 * does not, but for rounding. */
static enum ens_status descend(struct state *t, double *from, double slope,
                               int *fell, struct ens_error *err)
{
    size_t n = t->task->n;
    double was = t->f, share = 1;

    memcpy(from, t->at, n * sizeof(*from));
    for (int halves = 0; halves < MOST_HALVES; halves++, share /= 2) {
        double *x = t->part_g;
        enum ens_status s;

        for (size_t j = 0; j < n; j++)
            x[j] =
                share < 1 ? from[j] + share * (t->to[j] - from[j]) : t->to[j];
        s = evaluate(t, x, err);
        *fell = t->f <= was + ENOUGH * share * slope;
        if (s != ENS_OK || *fell)
            return s;
    }
    memcpy(t->at, from, n * sizeof(*from));
    return ENS_OK;
}

static double slope_to(const struct state *t)
{
    double sum = 0;

    for (size_t j = 0; j < t->task->n; j++)
        sum += t->g[j] * (t->to[j] - t->at[j]);
    return sum;
}

static enum ens_status minimise(struct state *t, int is_simplex, double *from,
                                struct ens_error *err)
{
    const struct ens_meta_problem *problem = t->task->problem;
    double limit = 2 * log(2) * t->task->weight * SEPARATED;

    for (int step = 0; step < MOST_STEPS; step++) {
        double slope;
        enum ens_status s;
        int fell;

        propose(t, is_simplex);
        slope = slope_to(t);
        if (!(slope < -TOLERANCE * t->f)) {
            /* The last step needs no pass: it gains less than rounding. */
            if (slope < 0)
                memcpy(t->at, t->to, t->task->n * sizeof(*t->at));
            return ENS_OK;
        }
        s = descend(t, from, slope, &fell, err);
        if (s != ENS_OK || !fell)
            return s;
        if (t->f < limit) {
            problem->warn(problem->own, "predictions separate the classes: "
                                        "the likelihood has no maximum");
            return ENS_OK;
        }
    }
    problem->warn(problem->own, "weights did not converge");
    return ENS_OK;
}

enum ens_status ens_meta_loglik_fit(const struct ens_meta_task *task,
                                    double trim, int is_simplex, double *weight,
                                    struct ens_error *err)
{
    struct state t = {.task = task, .trim = trim};
    enum ens_status s = make(&t, err);

    if (s != ENS_OK)
        return s;
    for (size_t j = 0; j < task->n && is_simplex; j++)
        weight[j] = 1 / (double)task->n;
    s = evaluate(&t, weight, err);
    if (s == ENS_OK)
        s = minimise(&t, is_simplex, weight, err);
    if (s == ENS_OK)
        memcpy(weight, t.at, task->n * sizeof(*weight));
    return s;
}
