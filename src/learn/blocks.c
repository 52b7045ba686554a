#include "learn/blocks.h"

#include "base/bug.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static enum ens_status no_memory(struct ens_error *err)
{
    return ens_fail(err, ENS_ENOMEMORY, "order of rows: out of memory");
}

static void swap(int64_t *a, int64_t *b)
{
    int64_t c = *a;

    *a = *b;
    *b = c;
}

/* Fisher and Yates; nothing without a stream. */
static void shuffle(const struct ens_draws *g, int64_t *x, uint64_t n)
{
    if (g == NULL)
        return;
    for (uint64_t i = n; i > 1; i--)
        swap(&x[i - 1], &x[g->below(g->arg, i)]);
}

/* Block of place i of n. */
static uint32_t block_of(const struct ens_deal *d, uint64_t i)
{
    uint64_t q, r;

    if (d->size[1] > 0)
        return i < d->size[0] ? 0 : i < d->size[0] + d->size[1] ? 1 : 2;
    q = d->n / d->blocks;
    r = d->n % d->blocks;
    if (i < r * (q + 1))
        return (uint32_t)(i / (q + 1));
    return (uint32_t)(r + (i - r * (q + 1)) / q);
}

enum ens_status ens_deal_rows(const struct ens_deal *d, struct ens_error *err)
{
    int64_t *x = ens_arena_alloc(d->arena, d->n, sizeof(*x));

    if (x == NULL)
        return no_memory(err);
    for (uint64_t i = 0; i < d->n; i++)
        x[i] = d->member[i];
    shuffle(d->how->shuffle, x, d->n);
    for (uint64_t i = 0; i < d->n; i++)
        d->block[x[i]] = block_of(d, i);
    return ENS_OK;
}

/* -- labels among the members -------------------------------------------- */

/* Members by label: those of label k are item[first[k]] .. item[first[k + 1]
 * - 1], in their order. */
struct sorted {
    int64_t *item;
    uint64_t *first;
};

static int sort_members(const struct ens_deal *d, const struct ens_labels *l,
                        struct sorted *s)
{
    s->item = ens_arena_alloc(d->arena, d->n, sizeof(*s->item));
    s->first =
        ens_arena_alloc(d->arena, (size_t)l->n_labels + 2, sizeof(*s->first));
    if (s->item == NULL || s->first == NULL)
        return -1;
    for (uint64_t i = 0; i < d->n; i++)
        s->first[l->code[d->member[i]] + 2]++;
    for (uint32_t k = 1; k <= l->n_labels; k++)
        s->first[k + 1] += s->first[k];
    for (uint64_t i = 0; i < d->n; i++)
        s->item[s->first[l->code[d->member[i]] + 1]++] = d->member[i];
    return 0;
}

static uint64_t size_of(const struct sorted *s, int64_t label)
{
    return s->first[label + 1] - s->first[label];
}

static void put(const struct ens_deal *d, const struct sorted *s, int64_t label,
                uint32_t block)
{
    for (uint64_t i = s->first[label]; i < s->first[label + 1]; i++)
        d->block[s->item[i]] = block;
}

/* Labels that members have, in the order of their numbers. */
static uint64_t labels_there(const struct sorted *s, uint32_t n_labels,
                             int64_t *label)
{
    uint64_t n = 0;

    for (uint32_t k = 0; k < n_labels; k++)
        if (size_of(s, k) > 0)
            label[n++] = k;
    return n;
}

static enum ens_status enough_ids(const struct ens_deal *d, uint64_t n_ids,
                                  struct ens_error *err)
{
    if (n_ids >= d->blocks)
        return ENS_OK;
    return ens_fail(err, ENS_ESTUDY,
                    "%s: %" PRIu64 " different ids%s, fewer than the %" PRIu32
                    " blocks that keep them together",
                    d->how->id->name, n_ids, d->place, d->blocks);
}

/* -- ids ----------------------------------------------------------------- */

/* Stable by key, the largest first; qsort is not. */
struct keyed {
    double key;
    int64_t label;
    uint64_t at;
};

static int largest_first(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;

    if (x->key != y->key)
        return x->key > y->key ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The blend's last ids until there are enough rows to test, its first ones
 * until there are enough to train on. */
static enum ens_status blend_ids(const struct ens_deal *d,
                                 const struct sorted *s, const int64_t *id,
                                 uint64_t n_ids, struct ens_error *err)
{
    uint64_t low = 0, high = n_ids, rows = 0;

    for (; high > 0 && rows < d->size[1]; high--)
        rows += size_of(s, id[high - 1]);
    for (rows = 0; low < high && rows < d->size[0]; low++)
        rows += size_of(s, id[low]);
    if (low == 0)
        return ens_fail(err, ENS_ESTUDY,
                        "%s: ids are kept together, and those to be tested "
                        "leave none to train on",
                        d->how->id->name);
    for (uint64_t i = 0; i < n_ids; i++)
        put(d, s, id[i], i < low ? 0 : i >= high ? 1 : 2);
    return ENS_OK;
}

static void lightest(const struct ens_deal *d, const struct sorted *s,
                     const struct keyed *id, uint64_t n_ids, uint64_t *weight)
{
    for (uint64_t i = 0; i < n_ids; i++) {
        uint32_t best = 0;

        for (uint32_t b = 1; b < d->blocks; b++)
            if (weight[b] < weight[best])
                best = b;
        weight[best] += size_of(s, id[i].label);
        put(d, s, id[i].label, best);
    }
}

enum ens_status ens_deal_ids(const struct ens_deal *d, struct ens_error *err)
{
    const struct ens_labels *l = d->how->id;
    int64_t *id = ens_arena_alloc(d->arena, l->n_labels, sizeof(*id));
    uint64_t *weight = ens_arena_alloc(d->arena, d->blocks, sizeof(*weight));
    struct keyed *by_size;
    enum ens_status st;
    struct sorted s;
    uint64_t n;

    if (id == NULL || weight == NULL || sort_members(d, l, &s) != 0)
        return no_memory(err);
    n = labels_there(&s, l->n_labels, id);
    st = enough_ids(d, n, err);
    if (st != ENS_OK)
        return st;
    shuffle(d->how->shuffle, id, n);
    if (d->size[1] > 0)
        return blend_ids(d, &s, id, n, err);
    by_size = ens_arena_alloc(d->arena, n, sizeof(*by_size));
    if (by_size == NULL)
        return no_memory(err);
    for (uint64_t i = 0; i < n; i++)
        by_size[i] = (struct keyed){(double)size_of(&s, id[i]), id[i], i};
    qsort(by_size, n, sizeof(*by_size), largest_first);
    lightest(d, &s, by_size, n, weight);
    return ENS_OK;
}

/* -- strata -------------------------------------------------------------- */

/* Rows of a stratum, whose place among the sorted ones is `first`: as many to
 * each block as has every blocks-th place. */
static void deal_stratum(const struct ens_deal *d, int64_t *item,
                         uint64_t first, uint64_t n)
{
    uint64_t used = 0;

    shuffle(d->how->shuffle, item, n);
    for (uint32_t b = 0; b < d->blocks; b++) {
        /* places p = b mod blocks with first <= p < first + n */
        uint64_t skip = (b + d->blocks - first % d->blocks) % d->blocks;
        uint64_t share = skip < n ? (n - skip - 1) / d->blocks + 1 : 0;

        for (uint64_t i = 0; i < share; i++)
            d->block[item[used++]] = b;
    }
}

/* Of n places every n / share-th, place by place. */
static int is_taken(uint64_t *sum, uint64_t share, uint64_t n)
{
    *sum += share;
    if (*sum < n)
        return 0;
    *sum -= n;
    return 1;
}

/* Test rows spread evenly over the sorted ones, then training rows over the
 * rest. */
static void blend_strata(const struct ens_deal *d, const int64_t *item)
{
    uint64_t test = 0, train = 0;

    for (uint64_t i = 0; i < d->n; i++)
        if (is_taken(&test, d->size[1], d->n))
            d->block[item[i]] = 1;
        else if (is_taken(&train, d->size[0], d->n - d->size[1]))
            d->block[item[i]] = 0;
        else
            d->block[item[i]] = 2;
}

enum ens_status ens_deal_strata(const struct ens_deal *d, struct ens_error *err)
{
    const struct ens_labels *l = d->how->strata;
    struct sorted s;

    if (sort_members(d, l, &s) != 0)
        return no_memory(err);
    for (uint32_t k = 0; k < l->n_labels && d->size[1] == 0; k++)
        deal_stratum(d, s.item + s.first[k], s.first[k], size_of(&s, k));
    if (d->size[1] > 0) {
        for (uint32_t k = 0; k < l->n_labels; k++)
            shuffle(d->how->shuffle, s.item + s.first[k], size_of(&s, k));
        blend_strata(d, s.item);
    }
    return ENS_OK;
}

/* -- both ---------------------------------------------------------------- */

struct both {
    const struct ens_deal *d;
    uint32_t C;
    double *counts; /* of the id: C */
    double *fold;   /* blocks x C */
    double *all;    /* C */
};

static double population_sd(const double *x, size_t stride, size_t n,
                            double divide)
{
    double mean = 0, sum = 0;

    for (size_t i = 0; i < n; i++)
        mean += x[i * stride] / divide;
    mean /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double e = x[i * stride] / divide - mean;

        sum += e * e;
    }
    return sqrt(sum / (double)n);
}

/* How unlike the folds are, with the id in fold b. */
static double unlike(const struct both *o, uint32_t b)
{
    double *row = o->fold + (size_t)b * o->C, sum = 0;

    for (uint32_t c = 0; c < o->C; c++)
        row[c] += o->counts[c];
    for (uint32_t c = 0; c < o->C; c++)
        if (o->all[c] > 0)
            sum += population_sd(o->fold + c, o->C, o->d->blocks, o->all[c]);
    for (uint32_t c = 0; c < o->C; c++)
        row[c] -= o->counts[c];
    return sum / o->C;
}

static double rows_in(const struct both *o, uint32_t b)
{
    double sum = 0;

    for (uint32_t c = 0; c < o->C; c++)
        sum += o->fold[(size_t)b * o->C + c];
    return sum;
}

/* numpy.isclose */
static int is_close(double a, double b)
{
    return fabs(a - b) <= 1e-8 + 1e-5 * fabs(b);
}

static uint32_t best_fold(const struct both *o)
{
    double least = INFINITY, rows = INFINITY;
    uint32_t best = 0;

    for (uint32_t b = 0; b < o->d->blocks; b++) {
        double now = unlike(o, b), here = rows_in(o, b);

        if (!(now < least) && !(is_close(now, least) && here < rows))
            continue;
        best = b;
        least = now;
        rows = here;
    }
    return best;
}

static void count_strata(const struct both *o, const struct sorted *s,
                         int64_t id)
{
    const uint32_t *code = o->d->how->strata->code;

    for (uint32_t c = 0; c < o->C; c++)
        o->counts[c] = 0;
    for (uint64_t i = s->first[id]; i < s->first[id + 1]; i++)
        o->counts[code[s->item[i]]]++;
}

static void deal_uneven(const struct both *o, const struct sorted *s,
                        const struct keyed *id, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint32_t b;

        count_strata(o, s, id[i].label);
        b = best_fold(o);
        for (uint32_t c = 0; c < o->C; c++)
            o->fold[(size_t)b * o->C + c] += o->counts[c];
        put(o->d, s, id[i].label, b);
    }
}

/* Ids by how uneven they are; sums of the strata. */
static void weigh(const struct both *o, const struct sorted *s,
                  const int64_t *id, uint64_t n, struct keyed *uneven)
{
    for (uint64_t i = 0; i < n; i++) {
        count_strata(o, s, id[i]);
        for (uint32_t c = 0; c < o->C; c++)
            o->all[c] += o->counts[c];
        uneven[i] =
            (struct keyed){population_sd(o->counts, 1, o->C, 1), id[i], i};
    }
    qsort(uneven, n, sizeof(*uneven), largest_first);
}

enum ens_status ens_deal_both(const struct ens_deal *d, struct ens_error *err)
{
    uint32_t G = d->how->id->n_labels, C = d->how->strata->n_labels;
    struct both o = {.d = d, .C = C};
    int64_t *id = ens_arena_alloc(d->arena, G, sizeof(*id));
    struct keyed *uneven = ens_arena_alloc(d->arena, G, sizeof(*uneven));
    enum ens_status st;
    struct sorted s;
    uint64_t n;

    ENS_BUG_ON(d->size[1] > 0);
    o.counts = ens_arena_alloc(d->arena, C, sizeof(*o.counts));
    o.all = ens_arena_alloc(d->arena, C, sizeof(*o.all));
    o.fold = ens_arena_alloc(d->arena, (size_t)d->blocks * C, sizeof(*o.fold));
    if (id == NULL || uneven == NULL || o.counts == NULL || o.all == NULL ||
        o.fold == NULL || sort_members(d, d->how->id, &s) != 0)
        return no_memory(err);
    n = labels_there(&s, G, id);
    st = enough_ids(d, n, err);
    if (st != ENS_OK)
        return st;
    shuffle(d->how->shuffle, id, n);
    weigh(&o, &s, id, n, uneven);
    deal_uneven(&o, &s, uneven, n);
    return ENS_OK;
}
