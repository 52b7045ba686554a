#include "learn/meta/lanes.h"

#include "learn/meta/block.h"
#include "learn/meta/factor.h"
#include "math/chunk.h"
#include "math/linalg.h"

#include <math.h>
#include <string.h>

size_t ens_meta_lane_doubles(size_t n_learners)
{
    return 2 * (n_learners + 2) * (n_learners + 2);
}

/* -- a lane -----------------------------------------------------------------
 */

/* What rows are added to. The first block decides: where its Gram matrix loses
 * digits, a triangle is made at once; so most lanes are read once. */
enum { LOOK, GRAM, TRIANGLE };

/* Column j of the problem's n_learners + 2 of which column i of n + 2 is. */
static size_t of_all(size_t i, const size_t *column, size_t n,
                     size_t n_learners)
{
    return i == 0 ? 0 : i <= n ? column[i - 1] + 1 : n_learners + 1;
}

enum ens_status ens_meta_lane_open(struct ens_meta_lane *lane,
                                   const struct ens_meta_problem *problem,
                                   const double *shift, double *sums,
                                   struct ens_error *err)
{
    size_t L = problem->n_learners, p = L + 2;
    size_t chunk = ENS_CHUNK_LD(ENS_META_BLOCK);

    *lane = (struct ens_meta_lane){
        .n_learners = L, .shift = shift, .sums = sums, .mode = LOOK};
    lane->column = ens_meta_alloc(problem, L, sizeof(*lane->column), err);
    lane->x = ens_meta_alloc(problem,
                             chunk * (p + 1) + p * (p + 1) / 2 + 3 * p * p +
                                 ENS_CHUNK_QR_WORK(p),
                             sizeof(*lane->x), err);
    if (lane->column == NULL || lane->x == NULL)
        return ENS_ENOMEMORY;
    lane->w = lane->x + chunk * p;
    lane->gram = lane->w + chunk;
    lane->r = lane->gram + p * (p + 1) / 2;
    lane->work = lane->r + p * p;
    memset(sums, 0, ens_meta_lane_doubles(L) * sizeof(*sums));
    return ENS_OK;
}

/* Columns (1, z, y) less their shift. */
static void fill(struct ens_meta_lane *t, const double *z, const double *y,
                 size_t n)
{
    size_t L = t->n_learners, ld = ENS_CHUNK_LD(n);
    double *last = t->x + (L + 1) * ld;

    ens_chunk_fill(t->x + ld, z, L, NULL, n, L);
    ens_chunk_column(last, y, NULL, n);
    ens_chunk_column(t->x, y, NULL, n); /* zeros behind the ones */
    for (size_t i = 0; i < n; i++)
        t->x[i] = 1;
    for (size_t j = 0; j <= L; j++) {
        double *x = t->x + (j + 1) * ld, shift = t->shift[j];

        for (size_t i = 0; i < n; i++)
            x[i] -= shift;
    }
}

/* The Gram matrix so far, where it is kept. */
static struct ens_meta_moments unpack(const struct ens_meta_lane *t)
{
    size_t p = t->n_learners + 2;

    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j <= i; j++)
            t->sums[i + j * p] = t->gram[i * (i + 1) / 2 + j];
    return (struct ens_meta_moments){.gram = t->sums};
}

/* Chooses the columns of a triangle: those that are finite. Is one needed?
 * Not where all weights are 0, nor where there is no problem at all. */
static int needs_triangle(struct ens_meta_lane *t)
{
    size_t L = t->n_learners, p = L + 2;
    struct ens_meta_moments m = unpack(t);

    t->n = 0;
    for (size_t j = 0; j < L; j++)
        if (ens_meta_is_finite(&m, L, j + 1))
            t->column[t->n++] = j;
    return m.gram[0] > 0 && ens_meta_is_finite(&m, L, L + 1) &&
           !(ens_meta_factor_gram(&m, L, t->column, t->n, t->work,
                                  t->work + p * p) > ENS_META_MIN_RATIO);
}

static void add_triangle(struct ens_meta_lane *t, size_t n)
{
    size_t ld = ENS_CHUNK_LD(n), p = t->n + 2;

    for (size_t j = 1; j < p; j++) {
        size_t from = of_all(j, t->column, t->n, t->n_learners);

        if (from != j)
            memmove(t->x + j * ld, t->x + from * ld, ld * sizeof(*t->x));
    }
    ens_chunk_qr(t->x, n, p, t->r, t->work);
}

void ens_meta_lane_add(struct ens_meta_lane *t, const double *z,
                       const double *y, const double *w, size_t n)
{
    size_t p = t->n_learners + 2, ld = ENS_CHUNK_LD(n);
    int is_first = t->mode == LOOK;

    fill(t, z, y, n);
    if (w)
        ens_chunk_column(t->w, w, NULL, n);
    if (t->mode != TRIANGLE)
        ens_chunk_gram(t->x, n, p, w ? t->w : NULL, t->gram);
    if (is_first) {
        t->mode = needs_triangle(t) && t->n == t->n_learners ? TRIANGLE : GRAM;
        t->is_whole = t->mode == GRAM;
    }
    if (t->mode != TRIANGLE)
        return;
    for (size_t i = 0; w && i < n; i++)
        t->w[i] = sqrt(w[i]);
    for (size_t j = 0; w && j < p; j++)
        for (size_t i = 0; i < n; i++)
            t->x[i + j * ld] *= t->w[i];
    add_triangle(t, n);
}

static int is_finite(const double *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(r[i]))
            return 0;
    return 1;
}

/* r, and the Gram matrix that it is of, if there is none. */
static void keep_triangle(struct ens_meta_lane *t)
{
    size_t L = t->n_learners, p = t->n + 2, width = L + 2;

    ens_meta_turn(t->r, p);
    for (size_t i = 0; i < p; i++)
        memcpy(t->sums + (width + of_all(i, t->column, t->n, L)) * width,
               t->r + i * p, p * sizeof(*t->r));
    for (size_t j = 0; j < p && !t->is_whole; j++)
        for (size_t i = j; i < p; i++) {
            double sum = 0;

            for (size_t k = 0; k <= j; k++)
                sum += t->r[k + i * p] * t->r[k + j * p];
            t->sums[i + j * p] = sum;
        }
}

/* All rows once more, for sums of that mode. */
static int again(struct ens_meta_lane *t, int mode)
{
    size_t p = t->n_learners + 2;

    t->mode = mode;
    t->is_whole = 1;
    memset(mode == GRAM ? t->gram : t->r, 0,
           (mode == GRAM ? p * (p + 1) / 2 : p * p) * sizeof(double));
    return 1;
}

int ens_meta_lane_end(struct ens_meta_lane *t)
{
    size_t p = t->n + 2;

    if (t->mode == GRAM)
        return needs_triangle(t) ? again(t, TRIANGLE) : 0;
    if (t->mode == TRIANGLE && is_finite(t->r, p * p))
        keep_triangle(t);
    else if (t->mode == TRIANGLE && !t->is_whole)
        return again(t, GRAM);
    return 0;
}

/* -- all lanes --------------------------------------------------------------
 */

enum ens_status ens_meta_lanes_moments(const struct ens_meta_problem *problem,
                                       struct ens_meta_moments *moments,
                                       struct ens_error *err)
{
    const struct ens_meta_lanes *lanes = problem->lanes;
    size_t width = problem->n_learners + 2, square = width * width;
    double *gram = ens_meta_alloc(problem, square, sizeof(*gram), err);

    if (gram == NULL)
        return ENS_ENOMEMORY;
    for (size_t i = 0; i < lanes->n; i++)
        for (size_t k = 0; k < square; k++)
            gram[k] += lanes->sums[i * lanes->stride + k];
    *moments = (struct ens_meta_moments){problem->n, lanes->shift, gram};
    return ENS_OK;
}

struct stack { /* triangles on top of each other */
    const struct ens_meta_problem *problem;
    const size_t *column;
    size_t n;
    size_t rows;          /* of x */
    double *x, *own, *qr; /* own: work for a lane's triangle */
};

/* A lane's triangle in rows `at` .. of x: the one that it has, or that of its
 * Gram matrix. */
static void put_lane(struct stack *t, const double *sums, size_t at)
{
    size_t L = t->problem->n_learners, width = L + 2, p = t->n + 2;
    const double *triangle = sums + width * width;
    struct ens_meta_moments m = {.gram = sums};

    if (!(sums[0] > 0)) /* all weights are 0 */
        return;
    if (triangle[0] > 0) {
        for (size_t i = 0; i < p; i++)
            memcpy(t->x + i * t->rows + at,
                   triangle + of_all(i, t->column, t->n, L) * width,
                   width * sizeof(*triangle));
        return;
    }
    ens_meta_factor_gram(&m, L, t->column, t->n, t->own, t->own + p * p);
    for (size_t i = 0; i < p; i++)
        memcpy(t->x + i * t->rows + at, t->own + i * p, p * sizeof(*t->own));
}

static enum ens_status open_stack(struct stack *t, size_t most,
                                  struct ens_error *err)
{
    size_t p = t->n + 2;

    t->rows = p + most * (t->problem->n_learners + 2);
    t->x = ens_meta_alloc(t->problem, t->rows * p + 2 * p * p + ENS_QR_WORK(p),
                          sizeof(*t->x), err);
    if (t->x == NULL)
        return ENS_ENOMEMORY;
    t->own = t->x + t->rows * p;
    t->qr = t->own + 2 * p * p;
    return ENS_OK;
}

enum ens_status ens_meta_lanes_factor(const struct ens_meta_problem *problem,
                                      const size_t *column, size_t n, double *r,
                                      struct ens_error *err)
{
    const struct ens_meta_lanes *lanes = problem->lanes;
    size_t p = n + 2, width = problem->n_learners + 2;
    size_t most = ENS_META_BLOCK / width + 1; /* at once */
    struct stack t = {.problem = problem, .column = column, .n = n};
    enum ens_status s = open_stack(&t, most, err);

    if (s != ENS_OK)
        return s;
    memset(r, 0, p * p * sizeof(*r));
    for (size_t first = 0; first < lanes->n; first += most) {
        memset(t.x, 0, t.rows * p * sizeof(*t.x));
        for (size_t j = 0; j < p; j++)
            memcpy(t.x + j * t.rows, r + j * p, p * sizeof(*r));
        for (size_t i = first; i < lanes->n && i < first + most; i++)
            put_lane(&t, lanes->sums + i * lanes->stride,
                     p + (i - first) * width);
        ens_qr_triangle(t.x, t.rows, p, r, t.qr);
    }
    ens_meta_turn(r, p);
    return ENS_OK;
}
