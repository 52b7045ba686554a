/* What fits share: their result, extremes and quantiles of columns. */
#include "learn/prep/step.h"

#include "math/order.h"
#include "math/quantile.h"

#include <math.h>

#define BLOCK 1024 /* rows read at a time */

void *ens_prep_own(struct ens_prep_fit *f, size_t q, size_t bytes,
                   struct ens_error *err)
{
    size_t all = (bytes + 15) & ~(size_t)15;

    f->q = q;
    f->bytes = all;
    f->own = ens_arena_alloc(f->arena, all, 1);
    if (f->own == NULL)
        ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return f->own;
}

double *ens_prep_scales(struct ens_prep_fit *f, struct ens_error *err)
{
    size_t p = f->rows->p;

    return ens_prep_own(f, p, 2 * p * sizeof(double), err);
}

/* -- extremes ------------------------------------------------------------ */

static void widen(const double *x, size_t n, size_t p, double *least,
                  double *largest)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++) {
            double v = x[i * p + j];

            least[j] = v < least[j] ? v : least[j];
            largest[j] = v > largest[j] ? v : largest[j];
        }
}

enum ens_status ens_prep_extremes(struct ens_prep_fit *f, const double **least,
                                  const double **largest, struct ens_error *err)
{
    const struct ens_rows *r = f->rows;
    double *low, *high, *x;

    *least = f->least;
    *largest = f->largest;
    if (f->least != NULL)
        return ENS_OK;
    low = ens_arena_alloc(f->arena, r->p, sizeof(*low));
    high = ens_arena_alloc(f->arena, r->p, sizeof(*high));
    x = ens_arena_alloc(f->arena, r->p, BLOCK * sizeof(*x));
    if (low == NULL || high == NULL || x == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t j = 0; j < r->p; j++) {
        low[j] = INFINITY;
        high[j] = -INFINITY;
    }
    for (uint64_t at = 0; at < r->n; at += BLOCK) {
        size_t n = r->n - at < BLOCK ? (size_t)(r->n - at) : BLOCK;

        r->x(r, at, n, x);
        widen(x, n, r->p, low, high);
    }
    *least = low;
    *largest = high;
    return ENS_OK;
}

/* -- quantiles ----------------------------------------------------------- */

/* Rows of which they are: sorting 131,072 numbers takes 5 ms. */
#define MOST_ROWS    131072
#define MOST_NUMBERS (UINT64_C(1) << 26)
#define FEWEST_ROWS  16384
/* Numbers sorted at a time: 8 MiB, and four times that of work. */
#define BATCH (1 << 20)

struct sample {
    const struct ens_rows *rows;
    size_t n;
    double *x;      /* a block of rows */
    uint64_t *at;   /* their positions */
    double *column; /* some columns, n each */
    double *work;
};

static size_t sample_rows(const struct ens_rows *r)
{
    uint64_t most = MOST_NUMBERS / r->p;

    if (most < FEWEST_ROWS)
        most = FEWEST_ROWS;
    if (most > MOST_ROWS)
        most = MOST_ROWS;
    return (size_t)(r->n < most ? r->n : most);
}

/* Columns first .. first+m-1 of the sample. */
static void gather(const struct sample *s, size_t first, size_t m)
{
    const struct ens_rows *r = s->rows;

    for (size_t done = 0; done < s->n;) {
        size_t n = s->n - done < BLOCK ? s->n - done : BLOCK;

        for (size_t i = 0; i < n; i++)
            s->at[i] =
                (uint64_t)((double)(done + i) / (double)s->n * (double)r->n);
        if (s->n == r->n)
            r->x(r, done, n, s->x);
        else
            r->gather(r, s->at, n, s->x);
        for (size_t j = 0; j < m; j++)
            for (size_t i = 0; i < n; i++)
                s->column[j * s->n + done + i] = s->x[i * r->p + first + j];
        done += n;
    }
}

enum ens_status ens_prep_quantiles(const struct ens_rows *rows, const double *q,
                                   size_t n_q, struct ens_arena *arena,
                                   double *out, struct ens_error *err)
{
    struct sample s = {.rows = rows, .n = sample_rows(rows)};
    size_t batch;

    if (s.n == 0)
        return ens_fail(err, ENS_EDOMAIN, "no rows");
    batch = BATCH / s.n < rows->p ? BATCH / s.n : rows->p;
    s.x = ens_arena_alloc(arena, rows->p, BLOCK * sizeof(*s.x));
    s.at = ens_arena_alloc(arena, BLOCK, sizeof(*s.at));
    s.column = ens_arena_alloc(arena, batch * s.n, sizeof(*s.column));
    s.work = ens_arena_alloc(arena, ENS_ORDER_WORK(s.n), sizeof(*s.work));
    if (s.x == NULL || s.at == NULL || s.column == NULL || s.work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t first = 0; first < rows->p; first += batch) {
        size_t m = rows->p - first < batch ? rows->p - first : batch;

        gather(&s, first, m);
        for (size_t j = 0; j < m; j++) {
            double *x = s.column + j * s.n;

            ens_order(x, s.n, x, NULL, s.work);
            for (size_t k = 0; k < n_q; k++)
                out[(first + j) * n_q + k] = ens_quantile_sorted(x, s.n, q[k]);
        }
    }
    return ENS_OK;
}

/* -- screens ------------------------------------------------------------- */

enum ens_status ens_prep_correlations(struct ens_prep_fit *f, double **r,
                                      struct ens_error *err)
{
    const struct ens_rows *rows = f->rows;
    const struct ens_moments *m;
    enum ens_status st;

    if (rows->y == NULL || rows->family == ENS_OUTCOME_MULTINOMIAL)
        return ens_fail(err, ENS_EDOMAIN,
                        "a response of numbers or of two classes is needed");
    st = rows->moments(rows, &m, err);
    if (st != ENS_OK)
        return st;
    if (!(m->y_var > 0))
        return ens_fail(err, ENS_EDOMAIN, "the response does not vary");
    *r = ens_arena_alloc(f->arena, m->p, sizeof(**r));
    if (*r == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (size_t j = 0; j < m->p; j++) {
        double v = m->cov[j * m->p + j];

        if (v > 0)
            (*r)[j] = fmin(1, fabs(m->cross[j]) / (sqrt(v) * sqrt(m->y_var)));
    }
    return ENS_OK;
}

void ens_prep_keep_largest(const double *r, size_t p, size_t n, char *keep)
{
    for (; n > 0; n--) {
        size_t best = p;

        for (size_t j = 0; j < p; j++)
            if (!keep[j] && (best == p || r[j] > r[best]))
                best = j;
        if (best == p)
            return;
        keep[best] = 1;
    }
}

enum ens_status ens_prep_keep(struct ens_prep_fit *f, const char *keep,
                              struct ens_error *err)
{
    size_t p = f->rows->p, q = 0;
    int64_t *own;

    for (size_t j = 0; j < p; j++)
        q += keep[j] != 0;
    own = ens_prep_own(f, q, q * sizeof(*own), err);
    if (own == NULL)
        return ENS_ENOMEMORY;
    for (size_t j = 0; j < p; j++)
        if (keep[j])
            *own++ = (int64_t)j;
    return ENS_OK;
}
