#include "learn/meta/factor.h"

#include "learn/meta/block.h"
#include "math/linalg.h"

#include <math.h>
#include <string.h>

/* -- moments ----------------------------------------------------------------
 */

struct sums {
    size_t width; /* n_learners + 2 */
    double *x;    /* a block's columns */
    double *work;
    double *part, *gram;
    const double *shift;
    double *found; /* shift, if none was given */
};

/* Means of the first rows; of what is not finite, 0. */
static void find_shift(const struct ens_meta_block *b, double *shift)
{
    for (size_t j = 0; j <= b->n_learners; j++) {
        double sum = 0;

        for (size_t i = 0; i < b->n; i++)
            sum += j < b->n_learners ? b->z[i * b->n_learners + j] : b->y[i];
        sum /= (double)b->n;
        shift[j] = isfinite(sum) ? sum : 0;
    }
}

static enum ens_status of_block(void *arg, const struct ens_meta_block *b,
                                struct ens_error *err)
{
    (void)err;
    find_shift(b, arg);
    return ENS_OK;
}

enum ens_status ens_meta_shift(const struct ens_meta_problem *problem,
                               double *shift, struct ens_error *err)
{
    struct ens_meta_problem first = *problem;
    struct ens_meta_block *memory = NULL;

    if (first.n > ENS_META_BLOCK)
        first.n = ENS_META_BLOCK;
    return ens_meta_each(&first, &memory, of_block, shift, err);
}

/* Columns (1, z - shift, y - shift). */
static void fill_columns(const struct ens_meta_block *b, const double *shift,
                         double *x)
{
    size_t n = b->n;

    for (size_t i = 0; i < n; i++)
        x[i] = 1;
    for (size_t j = 0; j < b->n_learners; j++)
        for (size_t i = 0; i < n; i++)
            x[i + (j + 1) * n] = b->z[i * b->n_learners + j] - shift[j];
    for (size_t i = 0; i < n; i++)
        x[i + (b->n_learners + 1) * n] = b->y[i] - shift[b->n_learners];
}

static enum ens_status add_block(void *arg, const struct ens_meta_block *b,
                                 struct ens_error *err)
{
    struct sums *t = arg;

    (void)err;
    if (b->first == 0 && t->found)
        find_shift(b, t->found);
    fill_columns(b, t->shift, t->x);
    ens_gram(t->x, b->n, t->width, b->w, t->part, t->work);
    for (size_t k = 0; k < t->width * t->width; k++)
        t->gram[k] += t->part[k];
    return ENS_OK;
}

enum ens_status ens_meta_moments_make(const struct ens_meta_problem *problem,
                                      const double *shift,
                                      struct ens_meta_moments *moments,
                                      struct ens_error *err)
{
    size_t width = problem->n_learners + 2, square = width * width;
    size_t columns = ENS_META_BLOCK * width;
    struct ens_meta_block *memory = NULL;
    struct sums t = {.width = width, .shift = shift};
    enum ens_status s;

    t.x = ens_meta_alloc(problem,
                         columns + ENS_GRAM_WORK(width) + 2 * square + width,
                         sizeof(*t.x), err);
    if (t.x == NULL)
        return ENS_ENOMEMORY;
    t.work = t.x + columns;
    t.part = t.work + ENS_GRAM_WORK(width);
    t.gram = t.part + square;
    if (shift == NULL)
        t.shift = t.found = t.gram + square;
    s = ens_meta_each(problem, &memory, add_block, &t, err);
    if (s == ENS_OK)
        *moments = (struct ens_meta_moments){problem->n, t.shift, t.gram};
    return s;
}

int ens_meta_is_finite(const struct ens_meta_moments *m, size_t n_learners,
                       size_t j)
{
    size_t width = n_learners + 2;

    return isfinite(m->gram[j]) && isfinite(m->gram[j + j * width]);
}

/* -- from moments -----------------------------------------------------------
 */

/* One row of the triangle: column k of the Gram matrix without what the rows
 * before it explain. A column that they explain wholly has a row of zeros. */
static double eliminate(double *a, size_t p, size_t k, double *r)
{
    double d = a[k + k * p], was = d;

    for (size_t i = 0; i < k; i++)
        d -= r[i + k * p] * r[i + k * p];
    if (!(d > 1e-15 * (double)p * was))
        return 0;
    r[k + k * p] = sqrt(d);
    for (size_t j = k + 1; j < p; j++) {
        double sum = a[j + k * p];

        for (size_t i = 0; i < k; i++)
            sum -= r[i + k * p] * r[i + j * p];
        r[k + j * p] = sum / r[k + k * p];
    }
    return d / was;
}

double ens_meta_factor_gram(const struct ens_meta_moments *moments,
                            size_t n_learners, const size_t *column, size_t n,
                            double *r, double *work)
{
    size_t p = n + 2, all = n_learners + 2;
    double least = 1;

    for (size_t j = 0; j < p; j++)
        for (size_t i = j; i < p; i++) {
            size_t from = j == 0 ? 0 : j <= n ? column[j - 1] + 1 : all - 1;
            size_t to = i == 0 ? 0 : i <= n ? column[i - 1] + 1 : all - 1;

            work[i + j * p] = to >= from ? moments->gram[to + from * all]
                                         : moments->gram[from + to * all];
        }
    memset(r, 0, p * p * sizeof(*r));
    for (size_t k = 0; k < p; k++) {
        double ratio = eliminate(work, p, k, r);

        if (k > 0 && k <= n && !(ratio >= least))
            least = ratio;
    }
    return least;
}

/* -- from rows --------------------------------------------------------------
 */

struct stack {
    const double *shift;
    const size_t *column;
    size_t n;
    double *r, *x, *work;
};

/* The triangle so far above rows times the root of their weight. */
static enum ens_status stack_block(void *arg, const struct ens_meta_block *b,
                                   struct ens_error *err)
{
    struct stack *t = arg;
    size_t p = t->n + 2, rows = p + b->n;

    (void)err;
    for (size_t j = 0; j < p; j++) {
        double *to = t->x + j * rows;

        memcpy(to, t->r + j * p, p * sizeof(*to));
        for (size_t i = 0; i < b->n; i++) {
            double v = 1;

            if (j > t->n)
                v = b->y[i] - t->shift[b->n_learners];
            else if (j > 0)
                v = b->z[i * b->n_learners + t->column[j - 1]] -
                    t->shift[t->column[j - 1]];
            to[p + i] = sqrt(b->w[i]) * v;
        }
    }
    ens_qr_triangle(t->x, rows, p, t->r, t->work);
    return ENS_OK;
}

enum ens_status ens_meta_factor_rows(const struct ens_meta_problem *problem,
                                     const double *shift, const size_t *column,
                                     size_t n, double *r, struct ens_error *err)
{
    size_t p = n + 2, size = (ENS_META_BLOCK + p) * p;
    struct ens_meta_block *memory = NULL;
    struct stack t = {.shift = shift, .column = column, .n = n, .r = r};
    enum ens_status s;

    t.x = ens_meta_alloc(problem, size + ENS_QR_WORK(p), sizeof(*t.x), err);
    if (t.x == NULL)
        return ENS_ENOMEMORY;
    t.work = t.x + size;
    memset(r, 0, p * p * sizeof(*r));
    s = ens_meta_each(problem, &memory, stack_block, &t, err);
    if (s != ENS_OK)
        return s;
    ens_meta_turn(r, p);
    return ENS_OK;
}

void ens_meta_turn(double *r, size_t p)
{
    if (!(r[0] < 0))
        return;
    for (size_t j = 0; j < p; j++)
        r[j * p] = -r[j * p];
}

void ens_meta_unshift(double *r, const double *shift, size_t n_learners,
                      const size_t *column, size_t n)
{
    for (size_t j = 0; j <= n; j++)
        r[(j + 1) * (n + 2)] += r[0] * shift[j < n ? column[j] : n_learners];
}
