#include "learn/bins.h"

#include "math/lanes.h"
#include "math/order.h"

#include <math.h>

#define BLOCK 256 /* rows that are read at a time */

size_t ens_bins_stride(size_t p)
{
    return (p + 7) / 8 * 8;
}

size_t ens_bins_bytes(uint64_t n, size_t p)
{
    size_t stride = ens_bins_stride(p);

    return stride < p || (stride > 0 && n > SIZE_MAX / stride)
               ? 0
               : (size_t)n * stride;
}

size_t ens_bins_table_size(size_t p)
{
    return p > SIZE_MAX / ENS_BINS_TABLE ? 0 : p * ENS_BINS_TABLE;
}

static size_t sample_size(uint64_t n)
{
    return n < ENS_BINS_SAMPLE ? (size_t)n : ENS_BINS_SAMPLE;
}

/* Columns sampled at a time: rows are read again for each such group. */
static size_t group_size(size_t p)
{
    size_t group = p / 8;

    return group < 8 ? 8 : group > 64 ? 64 : group;
}

size_t ens_bins_make_work(uint64_t n, size_t p)
{
    size_t m = sample_size(n);

    return ENS_ORDER_WORK(m) + group_size(p) * m + BLOCK * p;
}

/* Equal values stand in one bin. While there are more of them than bins, a
 * bin ends where that leaves it nearest to an equal share of what is left. */
static void cut(const double *sorted, size_t n, double *column)
{
    double *low = column + 1, *high = column + 1 + ENS_BINS_MAX;
    size_t n_bins = 0, begin = 0, distinct = 1;

    for (size_t i = 1; i < n; i++)
        distinct += sorted[i] != sorted[i - 1];
    for (size_t i = 0; i < n;) {
        size_t end = i + 1, share;

        while (end < n && sorted[end] == sorted[i])
            end++;
        share = (n - begin) / (ENS_BINS_MAX - n_bins);
        if (i > begin && n_bins < ENS_BINS_MAX - 1 &&
            (distinct <= ENS_BINS_MAX ||
             (end - begin) + (i - begin) > 2 * share)) {
            high[n_bins++] = sorted[i - 1];
            begin = i;
        }
        if (i == begin)
            low[n_bins] = sorted[i];
        i = end;
    }
    high[n_bins++] = sorted[n - 1];
    column[0] = (double)n_bins;
}

/* Columns first .. first+n-1 of the sample, one after the other. */
static void sample(const struct ens_rows *r, size_t first, size_t n, size_t m,
                   double *block, double *to)
{
    for (size_t i = 0; i < m; i += BLOCK) {
        size_t rows = m - i < BLOCK ? m - i : BLOCK;
        uint64_t at[BLOCK];

        for (size_t k = 0; k < rows; k++)
            at[k] = (i + k) * r->n / m;
        r->gather(r, at, rows, block);
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < rows; k++)
                to[j * m + i + k] = block[k * r->p + first + j];
    }
}

void ens_bins_make(const struct ens_rows *r, double *work, double *table)
{
    size_t m = sample_size(r->n), group = group_size(r->p);
    double *columns = work + ENS_ORDER_WORK(m);
    double *block = columns + group * m;

    memset(table, 0, ens_bins_table_size(r->p) * sizeof(*table));
    for (size_t j = 0; j < r->p; j += group) {
        size_t n = r->p - j < group ? r->p - j : group;

        sample(r, j, n, m, block, columns);
        for (size_t k = 0; k < n; k++) {
            ens_order(columns + k * m, m, columns + k * m, NULL, work);
            cut(columns + k * m, m, table + (j + k) * ENS_BINS_TABLE);
        }
    }
}

/* Edges of a column, as many as there can be: x is in bin b when b of them
 * are below it. */
static void edges(const double *column, double *edge)
{
    const double *low = ens_bins_low(column), *high = ens_bins_high(column);
    size_t n = (size_t)column[0];

    for (size_t b = 0; b < ENS_BINS_MAX; b++)
        edge[b] = b + 1 < n ? ens_bins_between(high[b], low[b + 1]) : INFINITY;
}

/* Bisection of all rows of a block in step. */
ENS_LANES_CLONES
static void search(const double *restrict edge, const double *restrict x,
                   int64_t *restrict bin)
{
    for (size_t i = 0; i < BLOCK; i++)
        bin[i] = 0;
    for (int64_t step = ENS_BINS_MAX / 2; step > 0; step /= 2)
        for (size_t i = 0; i < BLOCK; i++)
            bin[i] += edge[bin[i] + step - 1] < x[i] ? step : 0;
}

size_t ens_bins_encode_work(size_t p)
{
    return (ENS_BINS_MAX + BLOCK) * p;
}

void ens_bins_encode(const struct ens_rows *r, const double *table,
                     uint64_t first, uint64_t n, double *work, uint8_t *code)
{
    size_t p = r->p, stride = ens_bins_stride(p);
    double *block = work + ENS_BINS_MAX * p, x[BLOCK] = {0};
    int64_t bin[BLOCK];

    for (size_t j = 0; j < p; j++)
        edges(table + j * ENS_BINS_TABLE, work + j * ENS_BINS_MAX);
    memset(code, 0, (size_t)n * stride);
    for (uint64_t at = 0; at < n; at += BLOCK) {
        size_t rows = n - at < BLOCK ? (size_t)(n - at) : BLOCK;
        uint8_t *to = code + at * stride;

        r->x(r, first + at, rows, block);
        for (size_t j = 0; j < p; j++) {
            for (size_t i = 0; i < rows; i++)
                x[i] = block[i * p + j];
            search(work + j * ENS_BINS_MAX, x, bin);
            for (size_t i = 0; i < rows; i++)
                to[i * stride + j] = (uint8_t)bin[i];
        }
    }
}

struct ens_bins ens_bins_of(uint64_t n_rows, size_t p, const void *code,
                            const double *table)
{
    return (struct ens_bins){.n_rows = n_rows,
                             .p = p,
                             .stride = ens_bins_stride(p),
                             .code = code,
                             .table = table};
}
