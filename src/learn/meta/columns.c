#include "learn/meta/columns.h"

#include "base/buf.h"
#include "learn/meta/block.h"
#include "learn/meta/factor.h"
#include "learn/meta/lanes.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ALIKE_ROWS    1e-8
#define ALIKE_MOMENTS 1e-6
/* Relative rounding of QR, of the root of a Gram matrix. */
#define EXACT_ROWS    1e-13
#define EXACT_MOMENTS 1e-7
/* Names in a warning. */
#define MOST_NAMES 10

/* -- warnings ---------------------------------------------------------------
 */

static void name_them(const struct ens_meta_problem *problem,
                      const size_t *which, size_t n, const char *what)
{
    struct ens_buf text = ENS_BUF_INIT;

    if (n == 0)
        return;
    ens_buf_printf(&text, "learner%s ", n > 1 ? "s" : "");
    for (size_t k = 0; k < n && k < MOST_NAMES; k++)
        ens_buf_printf(&text, "%s'%s'", k ? ", " : "", problem->name[which[k]]);
    if (n > MOST_NAMES)
        ens_buf_printf(&text, " and %zu more", n - MOST_NAMES);
    ens_buf_printf(&text, " %s", what);
    problem->warn(problem->own, ens_buf_text(&text));
    ens_buf_fini(&text);
}

/* -- which are finite -------------------------------------------------------
 */

static enum ens_status check(const struct ens_meta_problem *problem,
                             const struct ens_meta_moments *m,
                             struct ens_error *err)
{
    size_t n = problem->n_learners;

    if (!(m->gram[0] > 0) || isinf(m->gram[0]))
        return ens_fail(err, ENS_EDOMAIN,
                        m->gram[0] == 0 ? "weights of all rows are 0"
                                        : "weights have no finite sum");
    if (!ens_meta_is_finite(m, n, n + 1))
        return ens_fail(err, ENS_EDOMAIN,
                        "response: values that are not finite, or too large");
    return ENS_OK;
}

static enum ens_status split(const struct ens_meta_problem *problem,
                             const struct ens_meta_moments *m, size_t *finite,
                             size_t *n_finite, size_t *n_failed,
                             struct ens_error *err)
{
    char why[240] = "left out: predictions that are not finite";
    size_t n = problem->n_learners, good = 0, bad = 0;
    size_t *failed = ens_meta_alloc(problem, n, sizeof(*failed), err);

    if (failed == NULL)
        return ENS_ENOMEMORY;
    for (size_t j = 0; j < n; j++)
        if (ens_meta_is_finite(m, n, j + 1))
            finite[good++] = j;
        else
            failed[bad++] = j;
    if (good == 0)
        return ens_fail(err, ENS_EDOMAIN,
                        "no learner is left: all of them failed");
    if (problem->failure != NULL)
        snprintf(why, sizeof(why), "left out: a fit failed (%.200s)",
                 problem->failure);
    name_them(problem, failed, bad, why);
    *n_finite = good;
    *n_failed = bad;
    return ENS_OK;
}

/* -- which are left ---------------------------------------------------------
 */

/* Squares of a column's length, and of that without its mean. */
static void lengths(const double *f, size_t p, double of[2])
{
    of[1] = 0;
    for (size_t i = 1; i < p; i++)
        of[1] += f[i] * f[i];
    of[0] = of[1] + f[0] * f[0];
}

/* f_of and g_of are their lengths. It ends as soon as they differ: of
 * thousands of learners nearly all pairs do. */
static int alike(const double *f, const double *f_of, const double *g,
                 const double *g_of, size_t p, double tol)
{
    double apart = 0, rounding = 8 * DBL_EPSILON;
    double most = tol * tol * fmax(f_of[1], g_of[1]) +
                  rounding * rounding * fmax(f_of[0], g_of[0]);

    for (size_t i = 0; i < p && apart <= most; i++)
        apart += (f[i] - g[i]) * (f[i] - g[i]);
    return apart <= most;
}

struct left {
    size_t n, n_zero, n_same;
    size_t *column, *zero, *same;
    double *f;      /* columns that are left */
    double *length; /* 2 of each, and of the next */
};

/* A column of zeros is one before and after the shift. */
static int is_zero(const double *f, size_t p)
{
    for (size_t i = 0; i < p; i++)
        if (f[i] != 0)
            return 0;
    return 1;
}

static void choose(const struct ens_meta_columns *c, double tol, struct left *t)
{
    size_t p = c->n_finite + 2;

    for (size_t j = 0; j < c->n_finite; j++) {
        const double *f = c->r + (j + 1) * p;
        double *length = t->length + 2 * t->n;
        size_t k = 0;

        if (is_zero(f, p)) {
            t->zero[t->n_zero++] = c->finite[j];
            continue;
        }
        lengths(f, p, length);
        while (k < t->n &&
               !alike(f, length, t->f + k * p, t->length + 2 * k, p, tol))
            k++;
        if (k < t->n) {
            t->same[t->n_same++] = c->finite[j];
            continue;
        }
        memcpy(t->f + t->n * p, f, p * sizeof(*f));
        t->column[t->n++] = c->finite[j];
    }
}

static enum ens_status leave(const struct ens_meta_problem *problem,
                             struct ens_meta_columns *c, double tol,
                             struct ens_meta_result *result,
                             struct ens_error *err)
{
    size_t p = c->n_finite + 2;
    struct left t = {0};

    t.column = ens_meta_alloc(problem, 3 * c->n_finite, sizeof(size_t), err);
    if (t.column)
        t.f = ens_meta_alloc(problem, (p + 2) * c->n_finite, sizeof(*t.f), err);
    if (t.f == NULL)
        return ENS_ENOMEMORY;
    t.length = t.f + p * c->n_finite;
    t.zero = t.column + c->n_finite;
    t.same = t.zero + c->n_finite;
    choose(c, tol, &t);
    name_them(problem, t.zero, t.n_zero, "left out: predictions are all 0");
    name_them(problem, t.same, t.n_same,
              "left out: predictions equal those of an earlier learner");
    c->task = (struct ens_meta_task){.problem = problem,
                                     .n = t.n,
                                     .column = t.column,
                                     .m = p,
                                     .f = t.f,
                                     .b = c->r + (p - 1) * p};
    result->n_zero = t.n_zero;
    result->n_duplicates = t.n_same;
    return ENS_OK;
}

/* -- all of it --------------------------------------------------------------
 */

/* More than moments: where these lost digits, they are found elsewhere. */
static int is_exact(const struct ens_meta_problem *problem)
{
    return problem->read != NULL || problem->lanes != NULL;
}

static enum ens_status factor(const struct ens_meta_problem *problem,
                              const struct ens_meta_moments *m,
                              struct ens_meta_columns *c, double *tol,
                              struct ens_error *err)
{
    size_t n = c->n_finite, square = (n + 2) * (n + 2);
    double *r = ens_meta_alloc(problem, 2 * square, sizeof(*r), err);
    double ratio;
    enum ens_status s = ENS_OK;

    if (r == NULL)
        return ENS_ENOMEMORY;
    c->r = r;
    ratio = ens_meta_factor_gram(m, problem->n_learners, c->finite, n, r,
                                 r + square);
    *tol = is_exact(problem) ? ALIKE_ROWS : ALIKE_MOMENTS;
    if (!(ratio > ENS_META_MIN_RATIO) && problem->lanes)
        s = ens_meta_lanes_factor(problem, c->finite, n, r, err);
    else if (!(ratio > ENS_META_MIN_RATIO) && problem->read)
        s = ens_meta_factor_rows(problem, m->shift, c->finite, n, r, err);
    ens_meta_unshift(r, m->shift, problem->n_learners, c->finite, n);
    return s;
}

enum ens_status ens_meta_columns_find(const struct ens_meta_problem *problem,
                                      struct ens_meta_columns *c,
                                      struct ens_meta_result *r,
                                      struct ens_error *err)
{
    struct ens_meta_moments made;
    const struct ens_meta_moments *m = problem->moments;
    size_t *finite =
        ens_meta_alloc(problem, problem->n_learners, sizeof(*finite), err);
    double tol = 0;
    enum ens_status s = finite ? ENS_OK : ENS_ENOMEMORY;

    memset(c, 0, sizeof(*c));
    c->finite = finite;
    if (s == ENS_OK && m == NULL) {
        s = problem->lanes ? ens_meta_lanes_moments(problem, &made, err)
                           : ens_meta_moments_make(problem, NULL, &made, err);
        m = &made;
    }
    if (s == ENS_OK)
        s = check(problem, m, err);
    if (s == ENS_OK)
        s = split(problem, m, finite, &c->n_finite, &r->n_failed, err);
    if (s == ENS_OK)
        s = factor(problem, m, c, &tol, err);
    if (s == ENS_OK)
        s = leave(problem, c, tol, r, err);
    if (s != ENS_OK)
        return s;
    c->task.weight = m->gram[0];
    c->task.resolution = is_exact(problem) ? EXACT_ROWS : EXACT_MOMENTS;
    return ENS_OK;
}
