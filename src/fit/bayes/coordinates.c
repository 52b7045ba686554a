/* The coordinates of a model: b0 and A by penalised least squares, iterated
 * for responses that are not normal. The penalty is the priors', as normal
 * distributions of their width: rows behind the data's. */
#include "fit/bayes/model.h"

#include "fit/lsq.h"
#include "math/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ITERATIONS 100
#define MOVED          1e-5 /* of a predictor: coordinates need no more */
#define TOO_FAR        500.0

struct search {
    struct ens_bayes *m;
    const struct ens_fit_problem *problem;
    struct ens_fit_problem all; /* n rows, then one of each term's prior */
    struct ens_lsq lsq;
    double *w, *r;  /* n + p: weights, weighted residuals */
    double *eta;    /* n: offset + X b */
    double *before; /* n */
    double *delta;  /* p */
    double scale;   /* of the residuals */
    double least;   /* objective so far */
    struct ens_error *err;
};

static enum ens_status make_search(struct search *s, const struct ens_job *job)
{
    const struct ens_fit_problem *f = s->problem;
    size_t n = f->n, p = f->p, rows = n + p;
    size_t size = ens_lsq_work(rows, p);
    double *x = NULL, *work = NULL;

    if (size < SIZE_MAX / 16) {
        x = job->host->alloc(job->result, rows * p, sizeof(*x));
        work = job->host->alloc(job->result, size + 2 * rows + 2 * n + p,
                                sizeof(*work));
    }
    if (!x || !work)
        return ens_fail(s->err, ENS_ENOMEMORY, "model of %zu rows, %zu terms",
                        n, p);
    for (size_t j = 0; j < p; j++) {
        memcpy(x + j * rows, f->x + j * n, n * sizeof(*x));
        memset(x + j * rows + n, 0, p * sizeof(*x));
        x[j * rows + n + j] = 1;
    }
    s->all = (struct ens_fit_problem){
        .n = rows, .p = p, .x = x, .term = f->term, .response = f->response};
    ens_lsq_init(&s->lsq, &s->all, work);
    s->w = work + size;
    s->r = s->w + rows;
    s->eta = s->r + rows;
    s->before = s->eta + n;
    s->delta = s->before + n;
    s->scale = 1;
    s->least = INFINITY;
    return ENS_OK;
}

static void predict(struct search *s)
{
    const struct ens_fit_problem *f = s->problem;

    ens_times(f->x, f->n, f->p, s->m->b0, s->eta);
    for (size_t i = 0; f->offset && i < f->n; i++)
        s->eta[i] += f->offset[i];
}

/* Weights and weighted residuals of the data at eta. */
static void weigh(struct search *s)
{
    const double *y = s->problem->y, *known = s->m->weight;

    for (size_t i = 0; i < s->problem->n; i++) {
        double eta = s->eta[i], mu;

        switch (s->m->o->family) {
        case ENS_FAMILY_GAUSSIAN:
        case ENS_FAMILY_STUDENT:
            s->w[i] = known ? known[i] : 1;
            s->r[i] = s->w[i] * (y[i] - eta);
            break;
        case ENS_FAMILY_BINOMIAL:
            mu = 1 / (1 + exp(-eta));
            s->w[i] = mu * (1 - mu);
            s->r[i] = y[i] - mu;
            break;
        case ENS_FAMILY_POISSON:
        case ENS_FAMILY_NEGBINOMIAL:
            s->w[i] = exp(eta);
            s->r[i] = y[i] - s->w[i];
            break;
        case ENS_FAMILY_GAMMA:
            s->w[i] = 1;
            s->r[i] = y[i] * exp(-eta) - 1;
            break;
        }
    }
}

/* The priors' rows: residuals at b. */
static void weigh_priors(struct search *s)
{
    for (size_t j = 0; j < s->problem->p; j++) {
        double z = s->scale / ens_prior_scale(&s->m->prior[j]);

        s->w[s->problem->n + j] = z * z;
        s->r[s->problem->n + j] =
            z * z * (ens_prior_centre(&s->m->prior[j]) - s->m->b0[j]);
    }
}

static enum ens_status factor(struct search *s, double tolerance)
{
    enum ens_status st = ens_lsq_factor(&s->lsq, s->w, tolerance, s->err);

    return st == ENS_EDOMAIN ? ens_wrap(s->err, st, "with flat priors") : st;
}

/* -- gaussian, student ------------------------------------------------------
 */

static double residual_sum(const struct search *s)
{
    double sum = 0;

    for (size_t i = 0; i < s->problem->n; i++) {
        double d = s->problem->y[i] - s->eta[i];

        sum += (s->m->weight ? s->m->weight[i] : 1) * d * d;
    }
    return sum;
}

static enum ens_status solve(struct search *s)
{
    enum ens_status st = ENS_OK;

    for (int step = 0; st == ENS_OK && step < 3; step++) {
        predict(s);
        weigh(s);
        weigh_priors(s);
        if (step == 0)
            st = factor(s, 1e-7);
        if (st == ENS_OK)
            ens_lsq_step(&s->lsq, s->r, s->m->b0, s->delta);
    }
    predict(s);
    return st;
}

/* Where nothing is left to explain sigma has no posterior away from 0. */
static enum ens_status check_residuals(const struct search *s, double rss,
                                       double total)
{
    if (s->m->weight || s->problem->n <= s->problem->p || rss > 1e-24 * total)
        return ENS_OK;
    return ens_fail(s->err, ENS_EDOMAIN,
                    "the terms explain '%s' in full (is it constant?): sigma "
                    "has no posterior",
                    s->problem->response);
}

static enum ens_status solve_normal(struct search *s)
{
    size_t n = s->problem->n, p = s->problem->p;
    double total, mean = 0, spread = 0, rss;
    enum ens_status st;

    for (size_t i = 0; i < n; i++)
        mean += s->problem->y[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        spread += (s->problem->y[i] - mean) * (s->problem->y[i] - mean);
    predict(s); /* b = 0 */
    total = residual_sum(s);
    if (!isfinite(total) || !isfinite(spread))
        return ens_fail(s->err, ENS_EDOMAIN, "the values are too large");
    if (!s->m->weight && spread > 0)
        s->scale = sqrt(spread / (double)n);
    st = solve(s);
    if (st != ENS_OK)
        return st;
    rss = residual_sum(s);
    st = check_residuals(s, rss, total);
    if (st != ENS_OK || s->m->weight)
        return st;
    if (n > p)
        s->scale = fmax(sqrt(rss / (double)(n - p)), 1e-3 * s->scale);
    return solve(s);
}

/* -- the others -------------------------------------------------------------
 */

static void start(struct search *s)
{
    const double *y = s->problem->y;
    const double *offset = s->problem->offset;

    for (size_t i = 0; i < s->problem->n; i++)
        switch (s->m->o->family) {
        case ENS_FAMILY_BINOMIAL:
            s->eta[i] = y[i] != 0 ? 1.0986 : -1.0986;
            break;
        case ENS_FAMILY_GAMMA:
            s->eta[i] = log(y[i]);
            break;
        default:
            s->eta[i] = log(y[i] + 0.1);
            break;
        }
    weigh(s);
    for (size_t i = 0; i < s->problem->n; i++)
        s->r[i] += s->w[i] * (s->eta[i] - (offset ? offset[i] : 0));
}

/* Minus the penalised log likelihood, but for constants: convex in b, so what
 * only goes down ends at the least there is, or goes on without end. */
static double objective(const struct search *s)
{
    const double *y = s->problem->y;
    double sum = 0;

    for (size_t i = 0; i < s->problem->n; i++) {
        double eta = s->eta[i];

        switch (s->m->o->family) {
        case ENS_FAMILY_BINOMIAL:
            sum += fmax(eta, 0) + log1p(exp(-fabs(eta))) - y[i] * eta;
            break;
        case ENS_FAMILY_GAMMA:
            sum += eta + y[i] * exp(-eta);
            break;
        default:
            sum += exp(eta) - y[i] * eta;
            break;
        }
    }
    for (size_t j = 0; j < s->problem->p; j++) {
        double d = (s->m->b0[j] - ens_prior_centre(&s->m->prior[j])) /
                   ens_prior_scale(&s->m->prior[j]);

        sum += 0.5 * d * d;
    }
    return sum;
}

/* A whole step of scoring may lead uphill: half of it, a quarter ... */
static void descend(struct search *s)
{
    double share = 1, value;

    predict(s);
    value = objective(s);
    while (!(value <= s->least + 1e-12 * fabs(s->least)) && share > 1e-6) {
        share /= 2;
        for (size_t j = 0; j < s->problem->p; j++)
            s->m->b0[j] -= share * s->delta[j];
        predict(s);
        value = objective(s);
    }
    s->least = value;
}

/* One step; the largest change of a predictor, or infinite. */
static enum ens_status step(struct search *s, double *moved)
{
    size_t n = s->problem->n;
    enum ens_status st = factor(s, 1e-11);

    if (st != ENS_OK)
        return st;
    memcpy(s->before, s->eta, n * sizeof(*s->eta));
    ens_lsq_step(&s->lsq, s->r, s->m->b0, s->delta);
    descend(s);
    *moved = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs(s->eta[i] - s->before[i]);

        if (!(d < TOO_FAR) || fabs(s->eta[i]) > TOO_FAR)
            *moved = INFINITY;
        else if (d > *moved)
            *moved = d;
    }
    weigh(s);
    weigh_priors(s);
    return st;
}

/* A place that is always there: the priors' centres. */
static enum ens_status stay(struct search *s)
{
    double mean = 0;

    for (size_t i = 0; i < s->problem->n; i++)
        mean += s->problem->y[i] / (double)s->problem->n;
    for (size_t j = 0; j < s->problem->p; j++)
        s->m->b0[j] = ens_prior_centre(&s->m->prior[j]);
    predict(s);
    for (size_t i = 0; i < s->problem->n; i++)
        s->w[i] = s->m->o->family == ENS_FAMILY_BINOMIAL ? 0.25
                  : s->m->o->family == ENS_FAMILY_GAMMA  ? 1
                                                         : mean + 0.1;
    weigh_priors(s);
    return factor(s, 1e-11);
}

static enum ens_status iterate(struct search *s)
{
    size_t n_flat = 0;
    double moved = INFINITY;
    enum ens_status st = ENS_OK;

    for (size_t j = 0; j < s->problem->p; j++)
        n_flat += s->m->prior[j].kind == ENS_PRIOR_FLAT ? 1 : 0;
    weigh_priors(s); /* b = 0 */
    start(s);
    for (int k = 0; st == ENS_OK && k < MAX_ITERATIONS; k++) {
        st = step(s, &moved);
        if (!(moved > MOVED) || isinf(moved))
            break;
    }
    if (st == ENS_OK && !(moved > MOVED))
        return factor(s, 1e-11);
    if (n_flat == 0)
        return stay(s);
    if (st != ENS_OK && isinf(moved))
        return st; /* the terms are aliased */
    return ens_fail(s->err, ENS_EDOMAIN,
                    "no posterior with flat priors: the likelihood grows "
                    "without end (do the terms separate the values of '%s'?); "
                    "set prior.b and prior.intercept",
                    s->problem->response);
}

/* -- b = b0 + A v ------------------------------------------------------------
 */

/* A = scale * (L')^-1, Q = X A by Q L' = scale X. */
static void take_coordinates(const struct search *s)
{
    struct ens_bayes *m = s->m;
    const double *l = s->lsq.factor;
    size_t n = m->n, p = m->p;

    for (size_t j = 0; j < p; j++) {
        double *a = m->a + j * p, *q = m->q + j * n;

        memset(a, 0, p * sizeof(*a));
        a[j] = s->scale / l[j + j * p];
        for (size_t i = j; i-- > 0;) {
            double sum = 0;

            for (size_t k = i + 1; k <= j; k++)
                sum += l[k + i * p] * a[k];
            a[i] = -sum / l[i + i * p];
        }
        for (size_t i = 0; i < n; i++)
            q[i] = s->scale * s->problem->x[i + j * n];
        for (size_t k = 0; k < j; k++)
            for (size_t i = 0; i < n; i++)
                q[i] -= l[j + k * p] * m->q[i + k * n];
        for (size_t i = 0; i < n; i++)
            q[i] /= l[j + j * p];
    }
    memcpy(m->eta0, s->eta, n * sizeof(*m->eta0));
    m->sigma = s->scale;
}

enum ens_status ens_bayes_coordinates(struct ens_bayes *m,
                                      const struct ens_job *job,
                                      const struct ens_fit_problem *problem,
                                      struct ens_error *err)
{
    struct search s = {.m = m, .problem = problem, .err = err};
    enum ens_status st = make_search(&s, job);
    size_t n_flat = 0;

    if (st != ENS_OK)
        return st;
    for (size_t j = 0; j < m->p; j++)
        n_flat += m->prior[j].kind == ENS_PRIOR_FLAT ? 1 : 0;
    if (m->n < n_flat)
        return ens_fail(err, ENS_EDOMAIN,
                        "%zu complete rows for %zu terms of flat priors", m->n,
                        n_flat);
    memset(m->b0, 0, m->p * sizeof(*m->b0));
    st = m->o->family == ENS_FAMILY_GAUSSIAN ||
                 m->o->family == ENS_FAMILY_STUDENT
             ? solve_normal(&s)
             : iterate(&s);
    if (st == ENS_OK)
        take_coordinates(&s);
    return st;
}

/* -- sums -------------------------------------------------------------------
 */

/* Q is orthogonal where no prior had a say. */
static void find_scale(struct ens_bayes *m)
{
    double mean = 0, most = 0;

    for (size_t j = 0; j < m->p; j++)
        mean += m->m[j + j * m->p] / (double)m->p;
    for (size_t j = 0; j < m->p; j++)
        for (size_t k = 0; k < m->p; k++)
            most = fmax(most, fabs(m->m[j + k * m->p] - (j == k ? mean : 0)));
    m->m_scale = most < 1e-12 * mean ? mean : 0;
}

static void sum_group(struct ens_bayes *m)
{
    const struct ens_bayes_group *g = &m->group[0];

    for (size_t i = 0; i < m->n; i++) {
        double w = m->weight ? m->weight[i] : 1;
        size_t k = g->of[i];

        m->size[k] += w;
        m->s[k] += w * (m->y[i] - m->eta0[i]);
        for (size_t j = 0; j < m->p; j++)
            m->zq[k + j * g->n_levels] += w * m->q[i + j * m->n];
    }
}

enum ens_status ens_bayes_sums(struct ens_bayes *m, const struct ens_job *job,
                               struct ens_error *err)
{
    size_t p = m->p, levels = m->n_groups > 0 ? m->group[0].n_levels : 0;
    size_t size = p + p * p + levels * (2 + p) + m->n + ENS_GRAM_WORK(p);
    double *at = job->host->alloc(job->result, size, sizeof(*at));
    double *r;

    if (!at)
        return ens_fail(err, ENS_ENOMEMORY, "sums of %zu terms", p);
    memset(at, 0, size * sizeof(*at));
    m->c = at;
    m->m = m->c + p;
    m->s = m->m + p * p;
    m->size = m->s + levels;
    m->zq = m->size + levels;
    r = m->zq + levels * p;
    for (size_t i = 0; i < m->n; i++) {
        double d = m->y[i] - m->eta0[i];

        r[i] = d * (m->weight ? m->weight[i] : 1);
        m->rss0 += r[i] * d;
    }
    m->total = (double)m->n;
    ens_cross(m->q, m->n, p, r, m->c);
    ens_gram(m->q, m->n, p, m->weight, m->m, r + m->n);
    for (size_t j = 0; j < p; j++)
        for (size_t i = j + 1; i < p; i++)
            m->m[j + i * p] = m->m[i + j * p];
    find_scale(m);
    if (levels > 0)
        sum_group(m);
    return ENS_OK;
}
