#include "learn/path.h"

#include "learn/moments.h"
#include "math/chunk.h"
#include "math/sums.h"

#include <math.h>
#include <string.h>

/* Errors are compared, coefficients of folds not kept. */
#define ENOUGH 1e-7

struct path {
    const struct ens_path *o;
    const struct ens_learn_job *job;
    const struct ens_rows *rows;
    size_t p;
    double *shift, *sums, *pass; /* sums of folds, then of a union */
    double *x, *y, *w;           /* a block of rows */
    double *train, *test;        /* moments */
    double *b, *work, *error, *alpha;
};

static size_t block_doubles(size_t p)
{
    return ens_chunk_rows(p + 1) * (p + 2);
}

uint64_t ens_path_doubles(const struct ens_path *o, size_t p)
{
    return ens_penalised_doubles(p) + 3 * (p + 1) +
           (o->folds + (uint64_t)1) * ens_sums_doubles(p) +
           ens_sums_pass_doubles(p, 1) + block_doubles(p) +
           2 * ens_moments_doubles(p) + p + ens_descent_doubles(p) +
           2 * o->n_alphas;
}

static double *take(double **at, size_t n)
{
    *at += n;
    return *at - n;
}

static int allocate(struct path *s)
{
    const struct ens_path *o = s->o;
    size_t p = s->p, block = ens_chunk_rows(p + 1);
    double *at = s->job->alloc(s->job, ens_path_doubles(o, p), sizeof(*at));

    if (at == NULL)
        return 0;
    s->shift = take(&at, 3 * (p + 1));
    s->sums = take(&at, (o->folds + (size_t)1) * ens_sums_doubles(p));
    s->pass = take(&at, ens_sums_pass_doubles(p, 1));
    s->x = take(&at, block_doubles(p));
    s->y = s->x + block * p;
    s->w = s->y + block;
    s->train = take(&at, ens_moments_doubles(p));
    s->test = take(&at, ens_moments_doubles(p));
    s->b = take(&at, p);
    s->work = take(&at, ens_descent_doubles(p));
    s->error = take(&at, o->n_alphas);
    s->alpha = take(&at, o->n_alphas);
    return 1;
}

/* As numpy's KFold: the first n % K folds have a row more. */
static uint64_t fold_start(uint64_t n, uint32_t folds, uint32_t k)
{
    return n / folds * k + (k < n % folds ? k : n % folds);
}

static void sum_folds(struct path *s)
{
    const struct ens_rows *r = s->rows;
    size_t block = ens_chunk_rows(s->p + 1);

    ens_moments_shift(r, s->shift, s->shift + s->p + 1);
    for (uint32_t k = 0; k < s->o->folds; k++) {
        double *sums = s->sums + k * ens_sums_doubles(s->p);
        struct ens_sums_pass pass = {s->p, s->shift, 1, sums, s->pass};
        uint64_t end = fold_start(r->n, s->o->folds, k + 1);
        size_t n;

        ens_sums_init(sums, s->p);
        for (uint64_t i = fold_start(r->n, s->o->folds, k); i < end; i += n) {
            struct ens_sums_rows some = {.x = s->x, .stride = s->p, .y = s->y};

            n = end - i < block ? (size_t)(end - i) : block;
            r->x(r, i, n, s->x);
            r->y(r, i, n, s->y);
            if (r->weighted) {
                r->w(r, i, n, s->w);
                some.w = s->w;
            }
            some.n = n;
            ens_sums_lane(&pass, &some);
        }
    }
}

/* Mean square error on rows of those moments. */
static double mean_error(const struct ens_moments *m,
                         const struct ens_squares *q, const double *b)
{
    double bias = m->y_mean - q->base, square = m->y_var;

    for (size_t j = 0; j < m->p; j++) {
        if (b[j] == 0)
            continue;
        bias -= (m->mean[j] - (q->centre ? q->centre[j] : 0)) * b[j];
        square +=
            b[j] * (ens_dot(m->cov + j * m->p, b, m->p) - 2 * m->cross[j]);
    }
    return square + bias * bias;
}

static enum ens_status add_fold(struct path *s, uint32_t k,
                                struct ens_error *err)
{
    struct ens_penalised o = s->o->penalty;
    size_t size = ens_sums_doubles(s->p);
    double *all = s->sums + s->o->folds * size;
    struct ens_moments train, test;
    struct ens_squares q;
    enum ens_status st;

    ens_sums_init(all, s->p);
    for (uint32_t i = 0; i < s->o->folds; i++)
        if (i != k)
            ens_sums_add(all, s->sums + i * size, s->p);
    st = ens_moments_finish(all, s->shift, s->p, s->train, &train, NULL, err);
    if (st == ENS_OK)
        st = ens_moments_finish(s->sums + k * size, s->shift, s->p, s->test,
                                &test, NULL, err);
    if (st == ENS_OK)
        st = ens_squares_init(&q, s->job, &train, o.intercept, err);
    if (st != ENS_OK)
        return ens_wrap(err, st, "inner fold %u of %u", k + 1, s->o->folds);
    memset(s->b, 0, s->p * sizeof(*s->b));
    for (size_t i = 0; i < s->o->n_alphas; i++) {
        o.alpha = s->alpha[i];
        ens_penalised_solve(&o, &q, ENOUGH, s->b, s->work);
        s->error[i] += mean_error(&test, &q, s->b);
    }
    return ENS_OK;
}

static void space(const struct path *s, const struct ens_squares *q)
{
    const struct ens_path *o = s->o;
    struct ens_descent all = {
        .p = q->p, .c = q->c, .k = q->k, .positive = o->penalty.positive};
    double first = ens_descent_start(&all) / o->penalty.l1_ratio;

    for (size_t i = 0; i < o->n_alphas; i++)
        s->alpha[i] =
            first *
            (i == 0 ? 1 : pow(o->least, (double)i / (double)(o->n_alphas - 1)));
}

enum ens_status ens_path_choose(struct ens_path *o,
                                const struct ens_learn_job *job,
                                const struct ens_rows *rows,
                                const struct ens_squares *q,
                                struct ens_error *err)
{
    struct path s = {.o = o, .job = job, .rows = rows, .p = rows->p};
    enum ens_status st = ENS_OK;
    size_t best = 0;

    if (rows->n < o->folds)
        return ens_fail(err, ENS_EDOMAIN, "%llu rows for %u inner folds",
                        (unsigned long long)rows->n, o->folds);
    if (!allocate(&s))
        return ens_linear_memory(err);
    space(&s, q);
    sum_folds(&s);
    for (uint32_t k = 0; k < o->folds && st == ENS_OK; k++)
        st = add_fold(&s, k, err);
    for (size_t i = 1; i < o->n_alphas; i++)
        if (s.error[i] < s.error[best])
            best = i;
    o->penalty.alpha = s.alpha[best];
    return st;
}

enum ens_status ens_path_fit(const struct ens_path *o,
                             const struct ens_learn_job *job,
                             const struct ens_rows *rows, struct ens_error *err)
{
    struct ens_path own = *o;
    const struct ens_moments *m;
    struct ens_squares q;
    enum ens_status s = ens_linear_check(rows, err);

    if (s == ENS_OK)
        s = rows->moments(rows, &m, err);
    if (s == ENS_OK)
        s = ens_squares_init(&q, job, m, o->penalty.intercept, err);
    if (s == ENS_OK)
        s = ens_path_choose(&own, job, rows, &q, err);
    return s == ENS_OK ? ens_penalised_fit(&own.penalty, job, rows, err) : s;
}
