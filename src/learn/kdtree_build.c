#include "learn/kdtree_inside.h"

#include <math.h>
#include <string.h>

/* Rows a node is judged by when its column is chosen. */
#define SAMPLE 256
#define BLOCK  256

struct builder {
    const struct ens_rows *r;
    struct ens_kdtree t; /* where rows lie */
    struct ens_kd_node *node;
    double *box;
    uint32_t *place;
    uint64_t leaves;
    double *key;   /* n */
    double *block; /* BLOCK rows */
};

uint64_t ens_kdtree_work(uint64_t n, size_t p)
{
    return (n + BLOCK * (uint64_t)p) * sizeof(double);
}

/* Rows of n <= BLOCK places, row-major. */
static const double *fetch(struct builder *b, const uint32_t *place, size_t n)
{
    uint64_t at[BLOCK] = {0};

    for (size_t i = 0; i < n; i++)
        at[i] = place[i];
    b->r->gather(b->r, at, n, b->block);
    return b->block;
}

/* The widest column over some rows of [lo, hi), p when they are all equal. */
static size_t widest(struct builder *b, uint64_t lo, uint64_t hi)
{
    size_t p = b->r->p, best = p;
    uint64_t step = (hi - lo + SAMPLE - 1) / SAMPLE;
    uint32_t some[SAMPLE] = {0};
    size_t n = 0;
    const double *x;
    double width = 0;

    for (uint64_t i = lo; i < hi && n < SAMPLE; i += step)
        some[n++] = b->place[i];
    x = fetch(b, some, n);
    for (size_t j = 0; j < p; j++) {
        double low = x[j], high = low;

        for (size_t i = 1; i < n; i++) {
            double v = x[i * p + j];

            low = v < low ? v : low;
            high = v > high ? v : high;
        }
        if (high - low > width) {
            width = high - low;
            best = j;
        }
    }
    return best;
}

static void fill_keys(struct builder *b, uint64_t lo, uint64_t hi, size_t j)
{
    size_t p = b->r->p;

    if (j == p) {
        for (uint64_t i = lo; i < hi; i++)
            b->key[i] = b->place[i];
        return;
    }
    if (b->t.head.n_runs > 0) {
        for (uint64_t i = lo; i < hi; i++)
            b->key[i] = ens_kd_scaled(b->r, ens_kd_row(&b->t, b->place[i]), j);
        return;
    }
    for (uint64_t i = lo; i < hi; i += BLOCK) {
        size_t n = hi - i < BLOCK ? (size_t)(hi - i) : BLOCK;
        const double *x = fetch(b, b->place + i, n);

        for (size_t k = 0; k < n; k++)
            b->key[i + k] = x[k * p + j];
    }
}

static void swap(double *key, uint32_t *place, int64_t i, int64_t j)
{
    double k = key[i];
    uint32_t at = place[i];

    key[i] = key[j];
    place[i] = place[j];
    key[j] = k;
    place[j] = at;
}

/* Key k of [left, right] in its place, lower ones before it, higher ones
 * behind it. Floyd and Rivest (1975), algorithm 489, doi:10.1145/360680.360694:
 * a range over 600 is first narrowed by a sample of it. */
static void halve(double *key, uint32_t *place, int64_t left, int64_t right,
                  int64_t k)
{
    while (right > left) {
        int64_t i = left, j = right;
        double pivot;

        if (right - left > 600) {
            double n = (double)(right - left + 1), m = (double)(k - left + 1);
            double z = log(n), s = 0.5 * exp(2 * z / 3);
            double sd =
                0.5 * sqrt(z * s * (n - s) / n) * (m - n / 2 < 0 ? -1 : 1);
            int64_t low = (int64_t)((double)k - m * s / n + sd);
            int64_t high = (int64_t)((double)k + (n - m) * s / n + sd);

            halve(key, place, low > left ? low : left,
                  high < right ? high : right, k);
        }
        pivot = key[k];
        swap(key, place, left, k);
        if (key[right] > pivot)
            swap(key, place, right, left);
        while (i < j) {
            swap(key, place, i++, j--);
            while (key[i] < pivot)
                i++;
            while (key[j] > pivot)
                j--;
        }
        if (key[left] == pivot)
            swap(key, place, left, j);
        else
            swap(key, place, ++j, right);
        if (j <= k)
            left = j + 1;
        if (k <= j)
            right = j - 1;
    }
}

static void split(struct builder *b, uint64_t i, uint64_t lo, uint64_t hi)
{
    struct ens_kd_node *node = &b->node[i];
    uint64_t mid = lo + (hi - lo) / 2;
    size_t j = widest(b, lo, hi);

    fill_keys(b, lo, hi, j);
    for (uint64_t k = lo; k < hi; k++) /* a scale of 0 times infinity */
        b->key[k] = b->key[k] == b->key[k] ? b->key[k] : 0;
    halve(b->key, b->place, (int64_t)lo, (int64_t)hi - 1, (int64_t)mid);
    if (j == b->r->p) { /* by places: no row is beyond it */
        *node = (struct ens_kd_node){.low = INFINITY, .high = -INFINITY};
        return;
    }
    node->column = (uint32_t)j;
    node->high = b->key[mid];
    node->low = b->key[lo];
    for (uint64_t k = lo + 1; k < mid; k++)
        if (b->key[k] > node->low)
            node->low = b->key[k];
}

static void build(struct builder *b, uint64_t i, uint64_t lo, uint64_t hi)
{
    uint64_t mid = lo + (hi - lo) / 2;

    if (i >= b->leaves)
        return;
    split(b, i, lo, hi);
    build(b, 2 * i, lo, mid);
    build(b, 2 * i + 1, mid, hi);
}

/* The lowest place of each half, from the leaves up. */
static uint32_t find_firsts(struct builder *b, uint64_t i, uint64_t lo,
                            uint64_t hi)
{
    uint64_t mid = lo + (hi - lo) / 2;
    struct ens_kd_node *node = &b->node[i];
    uint32_t first = b->place[lo];

    if (i < b->leaves) {
        node->first[0] = find_firsts(b, 2 * i, lo, mid);
        node->first[1] = find_firsts(b, 2 * i + 1, mid, hi);
        return node->first[node->first[1] < node->first[0]];
    }
    for (uint64_t k = lo + 1; k < hi; k++)
        first = b->place[k] < first ? b->place[k] : first;
    return first;
}

/* One pass in order: the box, and pieces of the source. */
static void survey(struct builder *b, struct ens_kd_head *head,
                   struct ens_kd_run *run)
{
    const struct ens_rows *r = b->r;
    size_t p = r->p, n;
    uint64_t source[BLOCK], expected = 0, n_runs = 0;

    for (uint64_t at = 0; at < r->n; at += n) {
        n = r->n - at < BLOCK ? (size_t)(r->n - at) : BLOCK;
        r->x(r, at, n, b->block);
        r->source(r, at, n, source);
        if (at == 0)
            for (size_t j = 0; j < p; j++)
                b->box[j] = b->box[p + j] = b->block[j];
        for (size_t i = 0; i < n; i++) {
            const double *x = b->block + i * p;

            if (n_runs <= ENS_KD_RUNS &&
                (at + i == 0 || source[i] != expected)) {
                if (n_runs < ENS_KD_RUNS)
                    run[n_runs] = (struct ens_kd_run){at + i, source[i]};
                n_runs++;
            }
            expected = source[i] + 1;
            for (size_t j = 0; j < p; j++) {
                b->box[j] = x[j] < b->box[j] ? x[j] : b->box[j];
                b->box[p + j] = x[j] > b->box[p + j] ? x[j] : b->box[p + j];
            }
        }
    }
    head->n_runs = r->direct != NULL && n_runs <= ENS_KD_RUNS ? n_runs : 0;
}

void ens_kdtree_build(void *to, const struct ens_rows *r, void *work)
{
    struct ens_kd_layout l = ens_kd_lay_out(r->n, r->p);
    char *at = to;
    struct builder b = {
        .r = r,
        .node = (void *)(at + l.node),
        .box = (void *)(at + l.box),
        .place = (void *)(at + l.place),
        .leaves = (uint64_t)1 << ens_kd_levels(r->n),
        .key = work,
    };
    struct ens_kd_head *head = to;

    b.block = b.key + r->n;
    *head = (struct ens_kd_head){r->n, r->p, ens_kd_levels(r->n), 0};
    survey(&b, head, (void *)(at + l.run));
    b.t.head = *head;
    ens_kd_point(&b.t, to, r);
    for (uint64_t i = 0; i < r->n; i++)
        b.place[i] = (uint32_t)i;
    build(&b, 1, 0, r->n);
    find_firsts(&b, 1, 0, r->n);
}
