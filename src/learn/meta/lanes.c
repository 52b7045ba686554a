#include "learn/meta/lanes.h"

#include "learn/meta/block.h"
#include "learn/meta/factor.h"
#include "math/linalg.h"

#include <math.h>
#include <string.h>

size_t ens_meta_lane_doubles(size_t n_learners)
{
    return 2 * (n_learners + 2) * (n_learners + 2);
}

/* -- a lane -----------------------------------------------------------------
 */

/* Column j of the problem's n_learners + 2 of which column i of n + 2 is. */
static size_t of_all(size_t i, const size_t *column, size_t n,
                     size_t n_learners)
{
    return i == 0 ? 0 : i <= n ? column[i - 1] + 1 : n_learners + 1;
}

/* Columns of r[(n + 2)^2] where they are among all; the others stay 0. */
static void spread(const double *r, const size_t *column, size_t n,
                   size_t n_learners, double *to)
{
    size_t p = n + 2, width = n_learners + 2;

    for (size_t i = 0; i < p; i++)
        memcpy(to + of_all(i, column, n, n_learners) * width, r + i * p,
               p * sizeof(*to));
}

static enum ens_status add_triangle(const struct ens_meta_problem *lane,
                                    const struct ens_meta_moments *m,
                                    double *to, struct ens_error *err)
{
    size_t L = lane->n_learners, n = 0, square = (L + 2) * (L + 2);
    size_t *column = ens_meta_alloc(lane, L, sizeof(*column), err);
    double *r =
        column ? ens_meta_alloc(lane, 2 * square, sizeof(*r), err) : NULL;
    enum ens_status s;

    if (r == NULL)
        return ENS_ENOMEMORY;
    for (size_t j = 0; j < L; j++)
        if (ens_meta_is_finite(m, L, j + 1))
            column[n++] = j;
    if (ens_meta_factor_gram(m, L, column, n, r, r + square) >
        ENS_META_MIN_RATIO)
        return ENS_OK;
    s = ens_meta_factor_rows(lane, m->shift, column, n, r, err);
    if (s == ENS_OK)
        spread(r, column, n, L, to);
    return s;
}

enum ens_status ens_meta_lane_make(const struct ens_meta_problem *lane,
                                   const double *shift, double *sums,
                                   struct ens_error *err)
{
    size_t L = lane->n_learners, square = (L + 2) * (L + 2);
    struct ens_meta_moments m;
    enum ens_status s = ens_meta_moments_make(lane, shift, &m, err);

    if (s != ENS_OK)
        return s;
    memcpy(sums, m.gram, square * sizeof(*sums));
    memset(sums + square, 0, square * sizeof(*sums));
    if (!(m.gram[0] > 0) || !ens_meta_is_finite(&m, L, L + 1))
        return ENS_OK; /* all weights are 0, or no problem at all */
    return add_triangle(lane, &m, sums + square, err);
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
