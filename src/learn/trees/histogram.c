#include "learn/trees/histogram.h"

#include "math/lanes.h"

#define BLOCK ENS_TREE_BLOCK
#define WORD  8 /* codes taken at a time */
#define LINE  64
/* Bytes of a row fetched ahead: 256 rows of them fit the second cache. Rows of
 * a deep node are far apart; without this half of the time is waiting. */
#define FETCH 256

/* What n <= BLOCK rows add. */
static void load_stat(const struct ens_tree_data *d, const uint32_t *at,
                      size_t n, struct ens_tree_block *b)
{
    b->n = n;
    if (d->mode == ENS_TREE_RESPONSE) {
        for (size_t i = 0; i < n; i++)
            b->a[i] = d->stat[at[i]];
        return;
    }
    for (size_t i = 0; i < n; i++) {
        b->a[i] = d->stat[2 * (size_t)at[i]];
        b->b[i] = d->stat[2 * (size_t)at[i] + 1];
    }
    for (size_t i = 0; i < n && d->mode == ENS_TREE_WEIGHTED; i++) {
        double w = b->a[i];

        b->a[i] *= b->b[i];
        b->b[i] = w;
    }
}

void ens_histogram_load(const struct ens_tree_data *d, const uint32_t *at,
                        size_t n, struct ens_tree_block *b)
{
    size_t ahead = d->bins.stride < FETCH ? d->bins.stride : FETCH;

    for (size_t i = 0; i < n; i++) {
        b->code[i] = ens_tree_code(d, at[i]);
        for (size_t k = 0; k < ahead; k += LINE)
            __builtin_prefetch(b->code[i] + k);
        __builtin_prefetch(b->code[i] + ahead - 1);
    }
    load_stat(d, at, n, b);
}

typedef double pair __attribute__((vector_size(16)));

ENS_LANES_INLINE void add(enum ens_tree_mode mode, size_t sums, double *to,
                          unsigned code, double a, double b)
{
    double *e = to + sums * code;
    pair two;

    if (mode == ENS_TREE_CLASSES) {
        e[(size_t)b] += a;
        e[sums - 1] += 1;
        return;
    }
    memcpy(&two, e, sizeof(two));
    two += mode == ENS_TREE_RESPONSE ? (pair){a, 1} : (pair){a, b};
    memcpy(e, &two, sizeof(two));
    if (mode != ENS_TREE_RESPONSE)
        e[2] += 1;
}

ENS_LANES_INLINE void add_word(enum ens_tree_mode mode, size_t sums,
                               const struct ens_tree_block *b, size_t first,
                               double *to)
{
    size_t size = ENS_BINS_MAX * sums + 8;

    for (size_t i = 0; i < b->n; i++) {
        double x = b->a[i], y = mode == ENS_TREE_RESPONSE ? 0 : b->b[i];
        uint64_t word;

        memcpy(&word, b->code[i] + first, WORD);
        for (size_t k = 0; k < WORD; k++)
            add(mode, sums, to + k * size, (uint8_t)(word >> 8 * k), x, y);
    }
}

ENS_LANES_INLINE void add_column(enum ens_tree_mode mode, size_t sums,
                                 const struct ens_tree_block *b, size_t column,
                                 double *to)
{
    for (size_t i = 0; i < b->n; i++)
        add(mode, sums, to, b->code[i][column], b->a[i],
            mode == ENS_TREE_RESPONSE ? 0 : b->b[i]);
}

/* Words of eight columns where all are wanted, else one by one. */
ENS_LANES_INLINE void add_block(enum ens_tree_mode mode, size_t sums,
                                const struct ens_tree_data *d,
                                const struct ens_tree_block *b,
                                const uint32_t *column, size_t k, double *to)
{
    size_t size = ENS_BINS_MAX * sums + 8, j = 0;

    for (; k == d->p && j + WORD <= k; j += WORD)
        add_word(mode, sums, b, j, to + j * size);
    for (; j < k; j++)
        add_column(mode, sums, b, column[j], to + j * size);
}

/* The compiler makes loops for each mode, its number of sums known. */
void ens_histogram_add(const struct ens_tree_data *d, const uint32_t *at,
                       size_t n, const uint32_t *column, size_t k, double *to)
{
    struct ens_tree_block b;

    for (size_t i = 0; i < n; i += BLOCK) {
        ens_histogram_load(d, at + i, n - i < BLOCK ? n - i : BLOCK, &b);
        if (d->mode == ENS_TREE_RESPONSE)
            add_block(ENS_TREE_RESPONSE, 2, d, &b, column, k, to);
        else if (d->mode == ENS_TREE_CLASSES)
            add_block(ENS_TREE_CLASSES, d->n_classes + 1, d, &b, column, k, to);
        else
            add_block(ENS_TREE_GRADIENT, 3, d, &b, column, k, to);
    }
}

void ens_histogram_subtract(double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a[i] -= b[i];
}

size_t ens_histogram_list(const struct ens_tree_data *d, const double *one,
                          uint8_t *list)
{
    size_t sums = ens_tree_sums(d), n = 0;

    for (size_t b = 0; b < ENS_BINS_MAX; b++) {
        list[n] = (uint8_t)b;
        n += one[b * sums + sums - 1] > 0;
    }
    return n;
}

size_t ens_histogram_few(const struct ens_tree_data *d,
                         const struct ens_tree_block *b, uint32_t column,
                         double *one, uint8_t *list)
{
    size_t sums = ens_tree_sums(d), n = 0;
    uint64_t seen[ENS_BINS_MAX / 64] = {0};

    if (d->mode == ENS_TREE_RESPONSE)
        add_column(ENS_TREE_RESPONSE, 2, b, column, one);
    else if (d->mode == ENS_TREE_CLASSES)
        add_column(ENS_TREE_CLASSES, sums, b, column, one);
    else
        add_column(ENS_TREE_GRADIENT, 3, b, column, one);
    for (size_t i = 0; i < b->n; i++)
        seen[b->code[i][column] / 64] |= (uint64_t)1 << b->code[i][column] % 64;
    for (size_t k = 0; k < ENS_BINS_MAX / 64; k++)
        for (uint64_t left = seen[k]; left != 0; left &= left - 1)
            list[n++] = (uint8_t)(64 * k + (size_t)__builtin_ctzll(left));
    return n;
}

void ens_histogram_clear(const struct ens_tree_data *d, double *one,
                         const uint8_t *list, size_t n)
{
    size_t sums = ens_tree_sums(d);

    for (size_t i = 0; i < n; i++)
        memset(one + list[i] * sums, 0, sums * sizeof(*one));
}

int ens_histogram_total(const struct ens_tree_data *d, const uint32_t *at,
                        size_t n, double *sum)
{
    size_t sums = ens_tree_sums(d), stats = ens_tree_stats(d->mode);
    const double *stat = d->stat;
    double g = 0, h = 0;
    int same = d->mode != ENS_TREE_GRADIENT && n > 0;

    memset(sum, 0, sums * sizeof(*sum));
    sum[sums - 1] = (double)n;
    for (size_t i = 0; same && i < n; i++)
        same =
            stat[stats * at[i] + stats - 1] == stat[stats * at[0] + stats - 1];
    if (d->mode == ENS_TREE_CLASSES) {
        for (size_t i = 0; i < n; i++)
            sum[(size_t)stat[2 * (size_t)at[i] + 1]] += stat[2 * (size_t)at[i]];
        return same;
    }
    for (size_t i = 0; d->mode == ENS_TREE_RESPONSE && i < n; i++)
        g += stat[at[i]];
    for (size_t i = 0; d->mode == ENS_TREE_GRADIENT && i < n; i++) {
        g += stat[2 * (size_t)at[i]];
        h += stat[2 * (size_t)at[i] + 1];
    }
    for (size_t i = 0; d->mode == ENS_TREE_WEIGHTED && i < n; i++) {
        g += stat[2 * (size_t)at[i]] * stat[2 * (size_t)at[i] + 1];
        h += stat[2 * (size_t)at[i]];
    }
    sum[0] = g;
    if (d->mode != ENS_TREE_RESPONSE)
        sum[1] = h;
    return same;
}
