/* Ridge regression with its penalty chosen by leave-one-out errors, as
 * scikit-learn's RidgeCV. With C = V L V' of the moments, and row i in the
 * coordinates z = V'(x - mean): the prediction of row i by the others is off
 * by e_i / (1 - h_i), h_i = w_i (1/W + sum of z_k^2 / (W l_k + alpha)). One
 * pass tries all penalties.
 * Source: Hastie, Tibshirani, Friedman (2009), The Elements of Statistical
 *         Learning, eq. 7.64. */
#include "learn/learners/learners.h"
#include "learn/learners/settings.h"
#include "learn/squares.h"
#include "math/chunk.h"
#include "math/linalg.h"
#include "math/sums.h"

#include <string.h>

struct ridge_cv {
    int intercept;
    size_t n;
    double alpha[];
};

const struct ens_setting ens_learner_ridge_cv_settings[] = {
    ENS_LEARN_SETTING_INTERCEPT,
    {.section = "learner",
     .key = "alphas",
     .type = ENS_T_NUM,
     .shape = ENS_LIST,
     .cls = ENS_C_CELL,
     .def = "0.1, 1, 10",
     .min = 1e-300,
     .max = 1e300,
     .help = "penalties to choose from, as alpha of learner ridge"},
};

static enum ens_status options(const struct ens_learn_setup *setup,
                               const void **options_, struct ens_error *err)
{
    const struct ens_value *v = setup->value(setup, "alphas");
    struct ridge_cv *o =
        setup->alloc(setup, 1, sizeof(*o) + v->n_list * sizeof(o->alpha[0]));

    if (o == NULL)
        return ens_linear_memory(err);
    if (v->n_list == 0)
        return ens_fail(err, ENS_ESTUDY, "alphas: at least one");
    o->intercept = setup->value(setup, "intercept")->i != 0;
    o->n = v->n_list;
    for (size_t i = 0; i < o->n; i++)
        o->alpha[i] = v->list[i].d;
    *options_ = o;
    return ENS_OK;
}

struct loo {
    const struct ridge_cv *o;
    const struct ens_squares *q;
    const struct ens_rows *rows;
    double *v, *value; /* eigenvectors and W times eigenvalues */
    double *along;     /* W V'k */
    double *error;     /* of each alpha */
    size_t size;
    double *x, *y, *w, *z, *turned, *h, *e;
};

static size_t loo_doubles(size_t p, size_t n_alphas)
{
    size_t size = ens_chunk_rows(p + 1), ld = ENS_CHUNK_LD(size);

    return p * p + 5 * p + n_alphas + size * (p + 2) +
           ens_chunk_doubles(p + 1) + (1 + 2 * n_alphas) * ld;
}

static uint64_t memory(const void *options_, uint64_t n, size_t p)
{
    const struct ridge_cv *o = options_;

    (void)n;
    return (ens_squares_doubles(p) + loo_doubles(p, o->n)) * sizeof(double);
}

static enum ens_status turn(struct loo *s, const struct ens_learn_job *job,
                            struct ens_error *err)
{
    size_t p = s->q->p, ld;
    double *at;

    s->size = ens_chunk_rows(p + 1);
    ld = ENS_CHUNK_LD(s->size);
    at = job->alloc(job, loo_doubles(p, s->o->n), sizeof(*at));
    if (at == NULL)
        return ens_linear_memory(err);
    s->v = at;
    s->value = s->v + p * p;
    s->along = s->value + p;
    s->error = s->along + 4 * p; /* 3 p: work of ens_eigen */
    s->x = s->error + s->o->n;
    s->y = s->x + s->size * p;
    s->w = s->y + s->size;
    s->z = s->w + s->size;
    s->turned = s->z + ens_chunk_doubles(p + 1);
    s->h = s->turned + ld;
    s->e = s->h + s->o->n * ld;
    memcpy(s->v, s->q->c, p * p * sizeof(*at));
    if (p > 0 && ens_eigen(s->v, p, s->value, s->along + p) != 0)
        return ens_fail(err, ENS_EDOMAIN, "eigenvalues cannot be found");
    for (size_t k = 0; k < p; k++) {
        s->value[k] = s->value[k] > 0 ? s->value[k] * s->q->weight : 0;
        s->along[k] = s->q->weight * ens_dot(s->v + k * p, s->q->k, p);
    }
    return ENS_OK;
}

static void read_block(struct loo *s, uint64_t first, size_t n)
{
    const struct ens_rows *r = s->rows;
    size_t ld = ENS_CHUNK_LD(n);

    r->x(r, first, n, s->x);
    r->y(r, first, n, s->y);
    r->w(r, first, n, s->w);
    ens_chunk_fill(s->z, s->x, r->p, NULL, n, r->p);
    for (size_t j = 0; s->q->centre && j < r->p; j++)
        for (size_t i = 0; i < n; i++)
            s->z[i + j * ld] -= s->q->centre[j];
}

/* h and e of penalty a: ld doubles each, one after the other. */
static void add_direction(struct loo *s, size_t k, size_t n, size_t ld)
{
    memset(s->turned, 0, ld * sizeof(*s->turned));
    ens_chunk_times(s->z, n, s->q->p, s->v + k * s->q->p, s->turned);
    for (size_t a = 0; a < s->o->n; a++) {
        double scale = 1 / (s->value[k] + s->o->alpha[a]);
        double *h = s->h + a * ld, *e = s->e + a * ld;

        for (size_t i = 0; i < n; i++) {
            double t = s->turned[i];

            h[i] += s->w[i] * t * t * scale;
            e[i] -= t * (s->along[k] * scale);
        }
    }
}

static void add_block(struct loo *s, size_t n)
{
    size_t ld = ENS_CHUNK_LD(n);

    for (size_t a = 0; a < s->o->n; a++)
        for (size_t i = 0; i < n; i++) {
            s->h[a * ld + i] = s->q->centre ? s->w[i] / s->q->weight : 0;
            s->e[a * ld + i] = s->y[i] - s->q->base;
        }
    for (size_t k = 0; k < s->q->p; k++)
        add_direction(s, k, n, ld);
    for (size_t a = 0; a < s->o->n; a++)
        for (size_t i = 0; i < n; i++) {
            double e = s->e[a * ld + i] / (1 - s->h[a * ld + i]);

            if (s->w[i] > 0)
                s->error[a] += s->w[i] * e * e;
        }
}

static double choose(struct loo *s)
{
    size_t best = 0;

    for (uint64_t first = 0; first < s->rows->n; first += s->size) {
        size_t n = s->rows->n - first < s->size ? (size_t)(s->rows->n - first)
                                                : s->size;

        read_block(s, first, n);
        add_block(s, n);
    }
    for (size_t a = 1; a < s->o->n; a++)
        if (!(s->error[best] <= s->error[a])) /* where it is no number, too */
            best = a;
    return s->o->alpha[best];
}

static enum ens_status fit(const struct ens_learn_job *job,
                           const struct ens_rows *train, struct ens_error *err)
{
    const struct ridge_cv *o = job->options;
    const struct ens_moments *m;
    struct ens_squares q;
    struct loo s = {.o = o, .q = &q, .rows = train};
    enum ens_status st = ens_linear_check(train, err);

    if (st == ENS_OK)
        st = train->moments(train, &m, err);
    if (st == ENS_OK)
        st = ens_squares_init(&q, job, m, o->intercept, err);
    if (st == ENS_OK)
        st = turn(&s, job, err);
    return st == ENS_OK
               ? ens_squares_fit(job, train, o->intercept, choose(&s), err)
               : st;
}

const struct ens_learner ens_learner_ridge_cv = {
    .families = ENS_LEARN_REGRESSION | ENS_LEARN_FAMILY(ENS_OUTCOME_BINOMIAL),
    .uses = ENS_LEARN_MOMENTS | ENS_LEARN_WEIGHTS,
    .options = options,
    .memory = memory,
    .fit = fit,
    .predict = ens_linear_predict,
    .affine = ens_linear_affine,
};
