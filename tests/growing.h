/* For tests: learners that are trees, on rows in memory with bins, weights and
 * a stream of their own. */
#ifndef TESTS_GROWING_H
#define TESTS_GROWING_H

#include "learning.h"

#include "learn/bins.h"
#include "math/rng.h"

struct growing {
    struct learning l;
    struct ens_host host;
    struct ens_result result;
    struct ens_bins bins; /* of the source */
    const double *weight; /* of rows of the source; NULL: ones */
};

static inline struct ens_rng *growing_rng(struct ens_result *r,
                                          const char *purpose)
{
    ck_assert_str_eq(purpose, "fit");
    return &r->rng;
}

static const double *growing_weight;

static inline void growing_w(const struct ens_rows *r, uint64_t first, size_t n,
                             double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = growing_weight == NULL
                     ? 1
                     : growing_weight[table_source(r->own, first + i)];
}

/* Bins of all rows of the source of t. */
static inline struct ens_bins growing_bins(const struct table *t,
                                           struct ens_arena *arena)
{
    struct table all = *t;
    struct ens_rows r;
    size_t work = ens_bins_make_work(t->n_source, t->p);
    double *w, *table;
    uint8_t *code;

    all.index = NULL;
    all.n = t->n_source;
    r = table_rows(&all);
    w = ens_arena_alloc(arena, work + ens_bins_encode_work(t->p), sizeof(*w));
    table = ens_arena_alloc(arena, ens_bins_table_size(t->p), sizeof(*table));
    code = ens_arena_alloc(arena, ens_bins_bytes(t->n_source, t->p), 1);
    ens_bins_make(&r, w, table);
    ens_bins_encode(&r, table, 0, all.n, w, code);
    return ens_bins_of(all.n, t->p, code, table);
}

/* Settings and weight may be NULL. */
static inline enum ens_status grow(struct growing *g, const char *name,
                                   const char *const *settings,
                                   struct table *train, const double *weight,
                                   uint64_t seed, int shared)
{
    struct ens_rows r = table_rows(train);

    ck_assert_msg(learning_open(&g->l, name, settings, train) == ENS_OK, "%s",
                  g->l.err.text);
    g->host = ens_host;
    g->host.rng = growing_rng;
    g->l.job.host = &g->host;
    g->l.job.result = &g->result;
    ens_rng_set(&g->result.rng, seed, 1, 1, 1);
    growing_weight = weight;
    r.weighted = weight != NULL;
    r.w = growing_w;
    if (shared) {
        g->bins = growing_bins(train, &g->l.arena);
        r.bins = &g->bins;
    }
    return g->l.ops->fit(&g->l.job, &r, &g->l.err);
}

/* Fitted, and its predictions of `at`. */
static inline void grow_predict(const char *name, const char *const *settings,
                                struct table *train, const double *weight,
                                uint64_t seed, struct table *at, double *out)
{
    static struct growing g;

    ck_assert_msg(grow(&g, name, settings, train, weight, seed, 1) == ENS_OK,
                  "%s: %s", name, g.l.err.text);
    ck_assert_msg(learning_predict(&g.l, train, at, 1000, out) == ENS_OK,
                  "%s: %s", name, g.l.err.text);
    learning_close(&g.l);
}

#endif
