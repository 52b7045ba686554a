#include "learn/meta/active.h"

#include "math/linalg.h"
#include "math/sums.h"

#include <math.h>
#include <string.h>

/* A column depends on others when less than this of its length is orthogonal
 * to them. */
#define DEPENDENT 1e-12
/* A weight that is smaller than this times the largest one is rounding. */
#define ROUNDING 1e-13
#define REFINE   3

struct state {
    const struct ens_active *q;
    double *x;
    size_t n_in;
    size_t *in;      /* chosen columns, the newest last */
    size_t *blocked; /* n flags: tried since something was last chosen */
    double *a;       /* m x n, copies of columns, for QR */
    double *r;       /* m, b - f x */
    double *rest;    /* m, that of a subproblem */
    double *other;   /* m */
    double *s;       /* n, weights of the chosen */
    double *step;    /* n */
    double *l;       /* n x n */
    double *qr_work; /* 65 n */
};

/* Column k of a subproblem. Sums of 1: the first chosen column takes what the
 * others leave, and is subtracted from them. */
static void column(const struct state *t, size_t k, double *to)
{
    const struct ens_active *q = t->q;
    const double *f = q->f + t->in[k + (q->is_simplex ? 1 : 0)] * q->m;
    const double *first = q->f + t->in[0] * q->m;

    for (size_t i = 0; i < q->m; i++)
        to[i] = q->is_simplex ? f[i] - first[i] : f[i];
}

static void residual(struct state *t, const double *x)
{
    const struct ens_active *q = t->q;

    memcpy(t->r, q->b, q->m * sizeof(*t->r));
    for (size_t k = 0; k < t->n_in; k++) {
        const double *f = q->f + t->in[k] * q->m;

        for (size_t i = 0; i < q->m; i++)
            t->r[i] -= x[t->in[k]] * f[i];
    }
}

/* rest = right side - columns times s */
static void small_residual(struct state *t, size_t p)
{
    const struct ens_active *q = t->q;
    const double *first = q->f + t->in[0] * q->m;

    for (size_t i = 0; i < q->m; i++)
        t->rest[i] = q->is_simplex ? q->b[i] - first[i] : q->b[i];
    for (size_t k = 0; k < p; k++) {
        column(t, k, t->other);
        for (size_t i = 0; i < q->m; i++)
            t->rest[i] -= t->s[k] * t->other[i];
    }
}

/* s: weights of the chosen columns, of any sign. 0: they depend on each
 * other. */
static int solve(struct state *t)
{
    size_t m = t->q->m, p = t->n_in - (t->q->is_simplex ? 1 : 0);
    double rest = 1;

    for (size_t k = 0; k < p; k++)
        column(t, k, t->a + k * m);
    if (p > 0 && ens_qr_factor(t->a, m, p, DEPENDENT, t->l, t->qr_work) < p)
        return 0;
    memset(t->s, 0, t->n_in * sizeof(*t->s));
    for (int pass = 0; pass < REFINE && p > 0; pass++) {
        small_residual(t, p);
        for (size_t k = 0; k < p; k++) {
            column(t, k, t->other);
            t->step[k] = ens_dot(t->other, t->rest, m);
        }
        ens_cholesky_solve(t->l, p, t->step);
        for (size_t k = 0; k < p; k++)
            t->s[k] += t->step[k];
    }
    if (!t->q->is_simplex)
        return 1;
    for (size_t k = p; k-- > 0;) {
        t->s[k + 1] = t->s[k];
        rest -= t->s[k];
    }
    t->s[0] = rest;
    return 1;
}

static void drop(struct state *t)
{
    size_t kept = 0;

    for (size_t k = 0; k < t->n_in; k++)
        if (t->x[t->in[k]] > 0)
            t->in[kept++] = t->in[k];
        else
            t->x[t->in[k]] = 0;
    t->n_in = kept;
}

/* From x towards s, until the first weight is 0. */
static void walk(struct state *t)
{
    size_t first = t->n_in;
    double share = 1;

    for (size_t k = 0; k < t->n_in; k++) {
        double x = t->x[t->in[k]];

        if (t->s[k] <= 0 && (first == t->n_in || x / (x - t->s[k]) < share)) {
            share = x / (x - t->s[k]);
            first = k;
        }
    }
    for (size_t k = 0; k < t->n_in; k++) {
        double *x = &t->x[t->in[k]];

        *x = k == first ? 0 : *x + share * (t->s[k] - *x);
    }
    drop(t);
}

static int all_positive(const struct state *t)
{
    for (size_t k = 0; k < t->n_in; k++)
        if (!(t->s[k] > 0))
            return 0;
    return 1;
}

static double largest(const double *s, size_t n)
{
    double top = 0;

    for (size_t k = 0; k < n; k++)
        top = fmax(top, fabs(s[k]));
    return top;
}

/* Choose column j, and weights that are best for those chosen. 0: it would get
 * no weight; nothing has changed. */
static int enter(struct state *t, size_t j)
{
    size_t n_old = t->n_in;

    t->in[t->n_in++] = j;
    if (!solve(t) || !(t->s[n_old] > ROUNDING * largest(t->s, t->n_in))) {
        t->n_in = n_old;
        return 0;
    }
    while (!all_positive(t)) {
        walk(t);
        if (!solve(t)) /* cannot be: fewer columns than were independent */
            return 1;
    }
    for (size_t k = 0; k < t->n_in; k++)
        t->x[t->in[k]] = t->s[k];
    return 1;
}

/* The column that lowers the residual fastest; n: none does. */
static size_t candidate(struct state *t)
{
    const struct ens_active *q = t->q;
    size_t best = q->n;
    double most = 0;

    for (size_t j = 0; j < q->n; j++) {
        const double *f = q->f + j * q->m, *first = q->f + t->in[0] * q->m;
        double score;

        if (t->blocked[j] || t->x[j] > 0)
            continue;
        for (size_t i = 0; i < q->m; i++)
            t->other[i] = q->is_simplex ? f[i] - first[i] : f[i];
        score = ens_dot(t->other, t->r, q->m);
        if (score > most) {
            most = score;
            best = j;
        }
    }
    return best;
}

/* The best single column. */
static void start_simplex(struct state *t)
{
    const struct ens_active *q = t->q;
    double least = INFINITY;

    t->n_in = 1;
    t->in[0] = 0;
    for (size_t j = 0; j < q->n; j++) {
        double all;

        for (size_t i = 0; i < q->m; i++)
            t->other[i] = q->f[i + j * q->m] - q->b[i];
        all = ens_dot(t->other, t->other, q->m);
        if (all < least) {
            least = all;
            t->in[0] = j;
        }
    }
    t->x[t->in[0]] = 1;
}

static void place(struct state *t, double *work, size_t *places)
{
    size_t m = t->q->m, n = t->q->n;

    t->in = places;
    t->blocked = places + n;
    t->a = work;
    t->r = t->a + m * n;
    t->rest = t->r + m;
    t->other = t->rest + m;
    t->s = t->other + m;
    t->step = t->s + n;
    t->l = t->step + n;
    t->qr_work = t->l + n * n;
}

/* The first way out: nothing lowers the residual. Every set of columns is left
 * for a better one but for rounding, which the second one ends. */
static void improve(struct state *t)
{
    size_t n = t->q->n, stalls = 0;
    double least = INFINITY;

    while (stalls <= n) {
        double now;
        size_t j;

        residual(t, t->x);
        now = ens_dot(t->r, t->r, t->q->m);
        stalls = now < least ? 0 : stalls + 1;
        least = fmin(now, least);
        while ((j = candidate(t)) < n && !enter(t, j))
            t->blocked[j] = 1;
        if (j == n)
            return;
        memset(t->blocked, 0, n * sizeof(*t->blocked));
    }
}

void ens_active_solve(const struct ens_active *q, double *x, double *work,
                      size_t *places)
{
    struct state t = {.q = q, .x = x};
    double small;

    place(&t, work, places);
    memset(x, 0, q->n * sizeof(*x));
    memset(t.blocked, 0, q->n * sizeof(*t.blocked));
    t.in[0] = 0;
    if (q->is_simplex)
        start_simplex(&t);
    improve(&t);
    small = ROUNDING * largest(x, q->n);
    for (size_t j = 0; j < q->n; j++)
        if (!(x[j] > small))
            x[j] = 0;
}
