/* Columns that the lasso takes, as screen.glmnet of SuperLearner, from moments
 * of standardised columns: those whose coefficient is not 0 for a penalty, or
 * the first ones on its path of 100 penalties down to a 10,000th of that which
 * takes none (where that of several is one penalty, the largest coefficients).
 *
 * Method: descent.h; penalties in scikit-learn's scale, 1/2 mean square error
 *         + alpha |b|_1. */
#include "learn/descent.h"
#include "learn/prep/step.h"

#include <math.h>

#define PATH      100
#define PATH_ENDS 1e-4

static enum ens_status options(struct ens_prep_step *s, struct ens_error *err)
{
    enum ens_status st =
        ens_prep_number(s->call, "columns", 0, 10, &s->arg[0], err);

    if (st == ENS_OK)
        st = ens_prep_number(s->call, "alpha", 1, -1, &s->arg[1], err);
    if (st == ENS_OK)
        st = ens_prep_number(s->call, "at_least", 2, 2, &s->arg[2], err);
    if (st != ENS_OK)
        return st;
    if (!(s->arg[0] >= 1) || isnan(s->arg[1]) || !(s->arg[2] >= 1))
        return ens_fail(err, ENS_ESTUDY,
                        "screen_lasso: columns and at_least are 1 or more, "
                        "alpha is 0 or more");
    return ENS_OK;
}

struct path {
    struct ens_descent q;
    double *c, *k, *b, *size, *work;
    char *keep;
};

static int make_path(struct path *t, const struct ens_moments *m,
                     struct ens_arena *arena)
{
    size_t p = m->p;

    t->c = ens_arena_alloc(arena, p * p, sizeof(*t->c));
    t->k = ens_arena_alloc(arena, p, sizeof(*t->k));
    t->b = ens_arena_alloc(arena, p, sizeof(*t->b));
    t->size = ens_arena_alloc(arena, p, sizeof(*t->size));
    t->keep = ens_arena_alloc(arena, p, 1);
    t->work = ens_arena_alloc(arena, ens_descent_doubles(p), sizeof(*t->work));
    if (t->c == NULL || t->k == NULL || t->b == NULL || t->size == NULL ||
        t->keep == NULL || t->work == NULL)
        return -1;
    for (size_t i = 0; i < p; i++) {
        double sd = sqrt(m->cov[i * p + i]);

        t->k[i] = sd > 0 ? m->cross[i] / sd : 0;
        for (size_t j = 0; j < p; j++) {
            double other = sqrt(m->cov[j * p + j]);

            if (sd > 0 && other > 0)
                t->c[i * p + j] = m->cov[i * p + j] / (sd * other);
        }
    }
    t->q = (struct ens_descent){.p = p, .c = t->c, .k = t->k};
    return 0;
}

/* Columns taken for a penalty. */
static size_t solve(struct path *t, double alpha)
{
    size_t n = 0;

    t->q.l1 = alpha;
    ens_descent_solve(&t->q, t->b, t->work);
    for (size_t j = 0; j < t->q.p; j++) {
        t->size[j] = fabs(t->b[j]);
        n += t->b[j] != 0;
    }
    return n;
}

static void take(struct path *t, const struct ens_prep_step *s)
{
    double most = ens_descent_start(&t->q);
    size_t n = 0, want = t->q.p;

    if (s->arg[1] >= 0) {
        n = solve(t, s->arg[1]);
    } else {
        want = s->arg[0] < (double)want ? (size_t)s->arg[0] : want;
        for (int i = 1; i < PATH && n < want; i++)
            n = solve(t, most * pow(PATH_ENDS, (double)i / (PATH - 1)));
    }
    n = n < want ? n : want;
    ens_prep_keep_largest(t->size, t->q.p, n, t->keep);
}

static enum ens_status fit(struct ens_prep_fit *f, struct ens_error *err)
{
    const struct ens_moments *m;
    struct path t;
    double *r;
    enum ens_status st = ens_prep_correlations(f, &r, err);
    size_t n = 0;

    if (st == ENS_OK)
        st = f->rows->moments(f->rows, &m, err);
    if (st != ENS_OK)
        return st;
    if (make_path(&t, m, f->arena) != 0)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    take(&t, f->step);
    for (size_t j = 0; j < m->p; j++)
        n += t.keep[j] != 0;
    if ((double)n < f->step->arg[2])
        ens_prep_keep_largest(r, m->p, (size_t)f->step->arg[2] - n, t.keep);
    return ens_prep_keep(f, t.keep, err);
}

const struct ens_prep_op ens_prep_screen_lasso = {.name = "screen_lasso",
                                                  .form = ENS_PREP_SELECT,
                                                  .is_screen = 1,
                                                  .options = options,
                                                  .fit = fit};
