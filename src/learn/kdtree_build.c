#include "learn/halve.h"
#include "learn/kdtree_inside.h"

#include <math.h>
#include <string.h>

/* Rows a node is judged by when its column is chosen. */
#define SAMPLE 256
#define BLOCK  256
/* Rows of so few columns are moved, not looked up at each level: 10^6 x 2 in
 * a third of the time. */
#define COPIED 3

struct builder {
    const struct ens_rows *r;
    struct ens_kdtree t; /* where rows lie */
    struct ens_kd_node *node;
    double *box;
    uint32_t *place;
    uint64_t leaves;
    int is_copied;         /* rows hold all columns, else the key alone */
    struct ens_halve rows; /* n, in the order of places */
    double *block;         /* BLOCK rows */
};

static size_t copied_columns(size_t p)
{
    return p <= COPIED ? p : 1;
}

uint64_t ens_kdtree_work(uint64_t n, size_t p)
{
    return (n * copied_columns(p) + BLOCK * (uint64_t)p) * sizeof(double);
}

/* A scale of 0 times infinity is 0. */
static void make_numbers(double *x, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        x[i] = x[i] == x[i] ? x[i] : 0;
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

    for (uint64_t i = lo; i < hi && n < SAMPLE; i += step, n++)
        if (b->is_copied)
            memcpy(b->block + n * p, b->rows.x + i * p, p * sizeof(double));
        else
            some[n] = b->place[i];
    x = b->is_copied ? b->block : fetch(b, some, n);
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
    double *key = b->rows.x;

    if (b->t.head.n_runs > 0) {
        for (uint64_t i = lo; i < hi; i++)
            key[i] = ens_kd_scaled(b->r, ens_kd_row(&b->t, b->place[i]), j);
    } else {
        for (uint64_t i = lo; i < hi; i += BLOCK) {
            size_t n = hi - i < BLOCK ? (size_t)(hi - i) : BLOCK;
            const double *x = fetch(b, b->place + i, n);

            for (size_t k = 0; k < n; k++)
                key[i + k] = x[k * b->r->p + j];
        }
    }
    make_numbers(key + lo, hi - lo);
}

static void split(struct builder *b, uint64_t i, uint64_t lo, uint64_t hi)
{
    const struct ens_halve *rows = &b->rows;
    struct ens_kd_node *node = &b->node[i];
    uint64_t mid = lo + (hi - lo) / 2;
    size_t j = widest(b, lo, hi), key = b->is_copied ? j : 0;

    if (j == b->r->p) { /* by places: no row is beyond it */
        ens_halve(rows, rows->p, (int64_t)lo, (int64_t)hi - 1, (int64_t)mid);
        *node = (struct ens_kd_node){.low = INFINITY, .high = -INFINITY};
        return;
    }
    if (!b->is_copied)
        fill_keys(b, lo, hi, j);
    ens_halve(rows, key, (int64_t)lo, (int64_t)hi - 1, (int64_t)mid);
    node->column = (uint32_t)j;
    node->high = rows->x[mid * rows->p + key];
    node->low = rows->x[lo * rows->p + key];
    for (uint64_t k = lo + 1; k < mid; k++)
        if (rows->x[k * rows->p + key] > node->low)
            node->low = rows->x[k * rows->p + key];
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
        if (b->is_copied) {
            memcpy(b->rows.x + at * p, b->block, n * p * sizeof(double));
            make_numbers(b->rows.x + at * p, n * p);
        }
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
        .is_copied = r->p <= COPIED,
        .rows = {work, copied_columns(r->p), (void *)(at + l.place)},
        .block = (double *)work + r->n * copied_columns(r->p),
    };
    struct ens_kd_head *head = to;

    *head = (struct ens_kd_head){r->n, r->p, ens_kd_levels(r->n), 0};
    survey(&b, head, (void *)(at + l.run));
    b.t.head = *head;
    ens_kd_point(&b.t, to, r);
    for (uint64_t i = 0; i < r->n; i++)
        b.place[i] = (uint32_t)i;
    build(&b, 1, 0, r->n);
    find_firsts(&b, 1, 0, r->n);
}
