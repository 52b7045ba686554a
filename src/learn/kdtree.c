#include "learn/kdtree.h"

#include "learn/kdtree_inside.h"

#include <string.h>

/* A bound is made of at most `levels` sums of numbers that only grow, each
 * wrong by a few units of the last place: this much lower it is one. */
#define SLACK (1 - 1e-12)

static uint64_t up16(uint64_t bytes)
{
    return (bytes + 15) & ~(uint64_t)15;
}

struct ens_kd_layout ens_kd_lay_out(uint64_t n, uint64_t p)
{
    struct ens_kd_layout l;
    uint64_t nodes = (uint64_t)1 << ens_kd_levels(n);

    l.run = up16(sizeof(struct ens_kd_head));
    l.box = l.run + up16(ENS_KD_RUNS * sizeof(struct ens_kd_run));
    l.node = l.box + up16(2 * p * sizeof(double));
    l.place = l.node + up16(nodes * sizeof(struct ens_kd_node));
    l.end = l.place + up16(n * sizeof(uint32_t));
    return l;
}

uint64_t ens_kdtree_bytes(uint64_t n, size_t p)
{
    return ens_kd_lay_out(n, p).end;
}

void ens_kd_point(struct ens_kdtree *t, const void *data,
                  const struct ens_rows *r)
{
    struct ens_kd_layout l = ens_kd_lay_out(r->n, r->p);
    const char *at = data;

    t->rows = r;
    t->run = (const void *)(at + l.run);
    t->box = (const void *)(at + l.box);
    t->node = (const void *)(at + l.node);
    t->place = (const void *)(at + l.place);
}

/* Do the pieces still lie where they did? */
static int check_runs(const struct ens_kdtree *t)
{
    const struct ens_rows *r = t->rows;

    for (uint64_t i = 0; i < t->head.n_runs; i++) {
        uint64_t source;

        if (t->run[i].at >= r->n || (i == 0) != (t->run[i].at == 0) ||
            (i > 0 && t->run[i].at <= t->run[i - 1].at))
            return -1;
        r->source(r, t->run[i].at, 1, &source);
        if (source != t->run[i].source)
            return -1;
    }
    return 0;
}

int ens_kdtree_open(struct ens_kdtree *t, const void *data, size_t bytes,
                    const struct ens_rows *r)
{
    if (bytes < sizeof(t->head))
        return -1;
    memcpy(&t->head, data, sizeof(t->head));
    if (t->head.n != r->n || t->head.p != r->p || r->n == 0 ||
        r->n > ENS_KD_MAX || t->head.levels != ens_kd_levels(r->n) ||
        t->head.n_runs > ENS_KD_RUNS || bytes != ens_kdtree_bytes(r->n, r->p))
        return -1;
    ens_kd_point(t, data, r);
    if (r->direct == NULL)
        t->head.n_runs = 0;
    return check_runs(t);
}

struct search {
    const struct ens_kdtree *t;
    enum ens_kd_metric metric;
    const double *q;
    struct ens_nearest *h;
    double *off; /* p: of each column, what the bound has of it */
    double *leaf;
    uint64_t leaves; /* number of the first one */
    int damaged;
};

/* The row as ens_rows.x gives it. */
static const double *scaled_row(const struct ens_kdtree *t, uint64_t at,
                                double *to)
{
    const struct ens_rows *r = t->rows;
    const double *row = ens_kd_row(t, at);

    if (r->centre == NULL)
        return row;
    for (size_t j = 0; j < r->p; j++)
        to[j] = ens_kd_scaled(r, row, j);
    return to;
}

static void scan_leaf(struct search *s, uint64_t lo, uint64_t hi)
{
    const struct ens_rows *r = s->t->rows;
    uint64_t at[ENS_KD_LEAF] = {0};
    size_t n = (size_t)(hi - lo);

    for (size_t i = 0; i < n; i++) {
        at[i] = s->t->place[lo + i];
        if (at[i] >= r->n) {
            s->damaged = 1;
            return;
        }
    }
    if (s->t->head.n_runs == 0)
        r->gather(r, at, n, s->leaf);
    for (size_t i = 0; i < n; i++) {
        const double *row = s->t->head.n_runs == 0
                                ? s->leaf + i * r->p
                                : scaled_row(s->t, at[i], s->leaf);

        ens_nearest_offer(s->h, ens_kd_distance(s->metric, s->q, row, r->p),
                          (uint32_t)at[i]);
    }
}

static double cost(enum ens_kd_metric metric, double x)
{
    if (!(x > 0))
        return 0;
    return metric == ENS_KD_MANHATTAN ? x : x * x;
}

/* May a row at this distance or farther, none of a place before `first`, be
 * among the nearest? */
static int may_hold(const struct ens_nearest *h, double bound, uint32_t first)
{
    bound *= SLACK;
    return bound < h->near[0].d ||
           (!(bound > h->near[0].d) && first < h->near[0].at);
}

/* bound: no row of the node is nearer. */
static void visit(struct search *s, uint64_t i, uint64_t lo, uint64_t hi,
                  double bound)
{
    const struct ens_kd_node *node;
    uint64_t mid = lo + (hi - lo) / 2;
    double low, high, far, off;
    int second; /* is the second half the nearer one? */

    if (i >= s->leaves) {
        scan_leaf(s, lo, hi);
        return;
    }
    node = &s->t->node[i];
    if (node->column >= s->t->rows->p) {
        s->damaged = 1;
        return;
    }
    low = s->q[node->column] - node->low;
    high = node->high - s->q[node->column];
    second = low > high;
    if (second)
        visit(s, 2 * i + 1, mid, hi, bound);
    else
        visit(s, 2 * i, lo, mid, bound);
    far = cost(s->metric, second ? low : high);
    off = s->off[node->column];
    if (far > off) {
        bound = bound + (far - off);
        s->off[node->column] = far;
    }
    if (may_hold(s->h, bound, node->first[!second])) {
        if (second)
            visit(s, 2 * i, lo, mid, bound);
        else
            visit(s, 2 * i + 1, mid, hi, bound);
    }
    s->off[node->column] = off;
}

int ens_kdtree_search(const struct ens_kdtree *t, enum ens_kd_metric metric,
                      const double *q, struct ens_nearest *h, double *work)
{
    size_t p = t->rows->p;
    struct search s = {t, metric, q, h, work, work + p, 0, 0};
    double bound = 0;

    s.leaves = (uint64_t)1 << t->head.levels;
    for (size_t j = 0; j < p; j++) {
        double below = t->box[j] - q[j], above = q[j] - t->box[p + j];

        s.off[j] = cost(metric, below > above ? below : above);
        bound += s.off[j];
    }
    visit(&s, 1, 0, t->head.n, bound);
    return s.damaged ? -1 : 0;
}
