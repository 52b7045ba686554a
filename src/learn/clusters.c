#include "learn/clusters.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define BLOCK      256
#define MOST_STEPS 300

/* The rows that centres are found from, block by block. */
struct sample {
    const struct ens_rows *rows;
    uint64_t n;
    double *x; /* a block */
    uint32_t cluster[BLOCK];
    double distance[BLOCK];
};

static int open_sample(struct sample *s, const struct ens_rows *rows,
                       struct ens_arena *arena)
{
    s->rows = rows;
    s->n = rows->n < ENS_CLUSTERS_ROWS ? rows->n : ENS_CLUSTERS_ROWS;
    s->x = ens_arena_alloc(arena, rows->p, BLOCK * sizeof(*s->x));
    return s->x != NULL ? 0 : -1;
}

/* Place i of n evenly spaced ones. n is at most 65,536. */
static uint64_t position(const struct sample *s, uint64_t i)
{
    uint64_t q = s->rows->n / s->n, r = s->rows->n % s->n;

    return i * q + i * r / s->n;
}

static size_t read_block(struct sample *s, uint64_t first)
{
    size_t n = s->n - first < BLOCK ? (size_t)(s->n - first) : BLOCK;
    uint64_t at[BLOCK];

    for (size_t i = 0; i < n; i++)
        at[i] = position(s, first + i);
    if (s->n == s->rows->n)
        s->rows->x(s->rows, first, n, s->x);
    else
        s->rows->gather(s->rows, at, n, s->x);
    return n;
}

static double squared(const double *a, const double *b, size_t p)
{
    double sum[4] = {0};
    size_t j = 0;

    for (; j + 4 <= p; j += 4)
        for (size_t k = 0; k < 4; k++) {
            double d = a[j + k] - b[j + k];

            sum[k] += d * d;
        }
    for (; j < p; j++)
        sum[0] += (a[j] - b[j]) * (a[j] - b[j]);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void ens_clusters_nearest(const struct ens_clusters *c, const double *x,
                          size_t n, uint32_t *cluster, double *distance)
{
    for (size_t i = 0; i < n; i++) {
        double least = INFINITY;

        cluster[i] = 0;
        for (uint32_t k = 0; k < c->n; k++) {
            double d = squared(x + i * c->p, c->centre + k * c->p, c->p);

            if (d < least) {
                least = d;
                cluster[i] = k;
            }
        }
        if (distance != NULL)
            distance[i] = least;
    }
}

void ens_clusters_of(const struct ens_clusters *c, const struct ens_rows *rows,
                     uint64_t first, size_t n, double *block, int64_t *cluster)
{
    uint32_t here[BLOCK];

    while (n > 0) {
        size_t m = n < BLOCK ? n : BLOCK;

        rows->x(rows, first, m, block);
        ens_clusters_nearest(c, block, m, here, NULL);
        for (size_t i = 0; i < m; i++)
            cluster[i] = here[i];
        cluster += m;
        first += m;
        n -= m;
    }
}

enum ens_status ens_clusters_labels(const struct ens_clusters *c,
                                    const struct ens_rows *rows,
                                    struct ens_arena *arena,
                                    struct ens_labels *labels,
                                    struct ens_error *err)
{
    uint32_t *code = ens_arena_alloc(arena, rows->n, sizeof(*code));
    double *block = ens_arena_alloc(arena, c->p, BLOCK * sizeof(*block)),
           *value = ens_arena_alloc(arena, c->n, sizeof(*value));
    uint64_t *count = ens_arena_alloc(arena, c->n, sizeof(*count));

    if (code == NULL || block == NULL || value == NULL || count == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "clusters: out of memory");
    for (uint32_t k = 0; k < c->n; k++)
        value[k] = k;
    for (uint64_t at = 0; at < rows->n; at += BLOCK) {
        size_t n = rows->n - at < BLOCK ? (size_t)(rows->n - at) : BLOCK;

        rows->x(rows, at, n, block);
        ens_clusters_nearest(c, block, n, code + at, NULL);
        for (size_t i = 0; i < n; i++)
            count[code[at + i]]++;
    }
    *labels = (struct ens_labels){.n = rows->n,
                                  .code = code,
                                  .n_labels = c->n,
                                  .value = value,
                                  .count = count,
                                  .name = "clusters"};
    return ENS_OK;
}

/* -- steps --------------------------------------------------------------- */

struct step {
    struct sample sample;
    uint32_t *cluster; /* of each row, after the last step */
    double *sum;       /* of each cluster */
    uint64_t *count;
    double farthest; /* from its centre */
    double *far_row;
};

static uint64_t add_block(struct step *t, const struct ens_clusters *c,
                          uint64_t first, size_t n)
{
    struct sample *s = &t->sample;
    uint64_t moved = 0;

    ens_clusters_nearest(c, s->x, n, s->cluster, s->distance);
    for (size_t i = 0; i < n; i++) {
        const double *x = s->x + i * c->p;
        uint32_t k = s->cluster[i];

        moved += t->cluster[first + i] != k;
        t->cluster[first + i] = k;
        t->count[k]++;
        for (size_t j = 0; j < c->p; j++)
            t->sum[k * c->p + j] += x[j];
        if (s->distance[i] > t->farthest) {
            t->farthest = s->distance[i];
            memcpy(t->far_row, x, c->p * sizeof(*x));
        }
    }
    return moved;
}

/* One cluster a step at most starts anew: the next step knows who is the
 * farthest then. */
static uint64_t move_centres(struct step *t, struct ens_clusters *c)
{
    uint64_t renewed = 0;

    for (uint32_t k = 0; k < c->n; k++) {
        double *centre = c->centre + k * c->p;

        for (size_t j = 0; j < c->p && t->count[k] > 0; j++)
            centre[j] = t->sum[k * c->p + j] / (double)t->count[k];
        if (t->count[k] == 0 && t->farthest > 0 && renewed == 0) {
            memcpy(centre, t->far_row, c->p * sizeof(*centre));
            renewed = 1;
        }
    }
    return renewed;
}

static uint64_t take_step(struct step *t, struct ens_clusters *c)
{
    uint64_t moved = 0;

    memset(t->sum, 0, c->n * c->p * sizeof(*t->sum));
    memset(t->count, 0, c->n * sizeof(*t->count));
    t->farthest = 0;
    for (uint64_t at = 0; at < t->sample.n; at += BLOCK)
        moved += add_block(t, c, at, read_block(&t->sample, at));
    return moved + move_centres(t, c);
}

enum ens_status ens_clusters_settle(const struct ens_rows *rows,
                                    struct ens_arena *arena,
                                    struct ens_clusters *c,
                                    struct ens_error *err)
{
    struct step t = {.cluster = NULL};
    int ok = open_sample(&t.sample, rows, arena) == 0;

    t.cluster = ens_arena_alloc(arena, t.sample.n, sizeof(*t.cluster));
    t.sum = ens_arena_alloc(arena, c->n, c->p * sizeof(*t.sum));
    t.count = ens_arena_alloc(arena, c->n, sizeof(*t.count));
    t.far_row = ens_arena_alloc(arena, c->p, sizeof(*t.far_row));
    if (!ok || t.cluster == NULL || t.sum == NULL || t.count == NULL ||
        t.far_row == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "clusters: out of memory");
    for (uint64_t i = 0; i < t.sample.n; i++)
        t.cluster[i] = UINT32_MAX;
    for (int k = 0; k < MOST_STEPS && take_step(&t, c) > 0; k++)
        ;
    return ENS_OK;
}

/* -- start --------------------------------------------------------------- */

static void take_row(const struct sample *s, uint64_t i, double *to)
{
    uint64_t at = position(s, i);

    s->rows->gather(s->rows, &at, 1, to);
}

/* Squared distances from the nearest centre so far; their sum. */
static double update(struct sample *s, const double *centre, double *nearest)
{
    size_t p = s->rows->p;
    double sum = 0;

    for (uint64_t at = 0; at < s->n; at += BLOCK) {
        size_t n = read_block(s, at);

        for (size_t i = 0; i < n; i++) {
            double d = squared(s->x + i * p, centre, p);

            if (d < nearest[at + i])
                nearest[at + i] = d;
            sum += nearest[at + i];
        }
    }
    return sum;
}

static uint64_t draw(const struct ens_draws *g, const double *weight,
                     uint64_t n, double sum)
{
    double u = (double)g->below(g->arg, UINT64_C(1) << 53) * 0x1p-53 * sum;
    uint64_t last = 0;

    for (uint64_t i = 0; i < n; i++) {
        if (!(weight[i] > 0))
            continue;
        last = i;
        u -= weight[i];
        if (u < 0)
            break;
    }
    return last;
}

enum ens_status ens_clusters_fit(const struct ens_rows *rows, uint32_t n,
                                 const struct ens_draws *draws,
                                 struct ens_arena *arena,
                                 struct ens_clusters *c, struct ens_error *err)
{
    struct ens_clusters made = {.n = n, .p = rows->p};
    struct sample s = {.rows = rows};
    int ok = open_sample(&s, rows, arena) == 0;
    double *nearest = ens_arena_alloc(arena, s.n, sizeof(*nearest));
    enum ens_status st;

    made.centre = ens_arena_alloc(arena, n, made.p * sizeof(*made.centre));
    if (!ok || nearest == NULL || made.centre == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "clusters: out of memory");
    for (uint64_t i = 0; i < s.n; i++)
        nearest[i] = INFINITY;
    for (uint32_t k = 0; k < n; k++) {
        double *centre = made.centre + k * made.p;
        double sum = k > 0 ? update(&s, centre - made.p, nearest) : 1;

        if (s.n == 0 || !(sum > 0))
            return ens_fail(err, ENS_EDOMAIN,
                            "%" PRIu32 " clusters: the rows are of %" PRIu32
                            " different kinds only",
                            n, k);
        take_row(&s,
                 k > 0 ? draw(draws, nearest, s.n, sum)
                       : draws->below(draws->arg, s.n),
                 centre);
    }
    st = ens_clusters_settle(rows, arena, &made, err);
    if (st == ENS_OK)
        *c = made;
    return st;
}
