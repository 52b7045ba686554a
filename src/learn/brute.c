#include "learn/brute.h"

#include <cblas.h>
#include <float.h>

struct brute {
    const struct ens_rows *r;
    enum ens_kd_metric metric;
    const double *q; /* n x p */
    size_t n, p;
    struct ens_nearest *heap;
    double *centre;  /* p */
    double *shifted; /* queries about it */
    double *size;    /* their squares */
    double *limit;   /* of |x|^2 - 2 x'q, beyond which no row matters */
    double wrong;
    double *x, *xs; /* a block of rows, and about the centre */
    double *cross;  /* rows x n */
};

static double shift(double *to, const double *x, const double *centre, size_t p)
{
    double size = 0;

    for (size_t j = 0; j < p; j++) {
        to[j] = x[j] - centre[j];
        size += to[j] * to[j];
    }
    return size;
}

/* Row i of the block, the squared length of which is `size`. Its products
 * with the queries are wrong by (p + 8) |x||q| epsilon at most, and 2 |x||q| <=
 * |x|^2 + |q|^2. */
static void offer_row(const struct brute *b, size_t i, uint64_t at, double size)
{
    const double *cross = b->cross + i * b->n;
    double least = size * (1 - b->wrong);

    for (size_t k = 0; k < b->n; k++) {
        if (least - 2 * cross[k] > b->limit[k])
            continue;
        ens_nearest_offer(
            &b->heap[k],
            ens_kd_distance(b->metric, b->q + k * b->p, b->x + i * b->p, b->p),
            (uint32_t)at);
        b->limit[k] = b->heap[k].near[0].d - b->size[k] * (1 - b->wrong);
    }
}

static void offer_block(const struct brute *b, uint64_t at, size_t rows)
{
    double size[ENS_BRUTE_ROWS];

    for (size_t i = 0; i < rows; i++)
        size[i] = shift(b->xs + i * b->p, b->x + i * b->p, b->centre, b->p);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)b->n,
                (int)b->p, 1, b->xs, (int)b->p, b->shifted, (int)b->p, 0,
                b->cross, (int)b->n);
    for (size_t i = 0; i < rows; i++)
        offer_row(b, i, at + i, size[i]);
}

static void offer_all(const struct brute *b, uint64_t at, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < b->n; k++)
            ens_nearest_offer(&b->heap[k],
                              ens_kd_distance(b->metric, b->q + k * b->p,
                                              b->x + i * b->p, b->p),
                              (uint32_t)(at + i));
}

void ens_brute(const struct ens_rows *r, enum ens_kd_metric metric,
               const double *q, size_t n, struct ens_nearest *heap,
               double *work)
{
    struct brute b = {
        .r = r, .metric = metric, .q = q, .n = n, .p = r->p, .heap = heap};

    b.centre = work;
    b.shifted = b.centre + b.p;
    b.size = b.shifted + ENS_BRUTE_QUERIES * b.p;
    b.limit = b.size + ENS_BRUTE_QUERIES;
    b.x = b.limit + ENS_BRUTE_QUERIES;
    b.xs = b.x + ENS_BRUTE_ROWS * b.p;
    b.cross = b.xs + ENS_BRUTE_ROWS * b.p;
    r->x(r, 0, 1, b.centre);
    b.wrong = 8 * ((double)b.p + 8) * DBL_EPSILON;
    for (size_t k = 0; k < n; k++) {
        b.size[k] = shift(b.shifted + k * b.p, q + k * b.p, b.centre, b.p);
        b.limit[k] = INFINITY;
    }
    for (uint64_t at = 0; at < r->n; at += ENS_BRUTE_ROWS) {
        size_t rows =
            r->n - at < ENS_BRUTE_ROWS ? (size_t)(r->n - at) : ENS_BRUTE_ROWS;

        r->x(r, at, rows, b.x);
        if (metric == ENS_KD_EUCLIDEAN)
            offer_block(&b, at, rows);
        else
            offer_all(&b, at, rows);
    }
}
