/* What `ensrun plan` says beside the arrays: private memory of tasks that the
 * rows or columns of the inputs decide. */
#include "base/bug.h"
#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/groups.h"
#include "kinds/superlearner/kind.h"
#include "kinds/superlearner/learn.h"
#include "kinds/superlearner/meta.h"
#include "kinds/superlearner/meta_lanes.h"
#include "kinds/superlearner/metas.h"
#include "kinds/superlearner/moments.h"
#include "kinds/superlearner/order.h"
#include "kinds/superlearner/steps.h"
#include "learn/bins.h"
#include "learn/moments.h"

#include <stdio.h>
#include <string.h>

#define ORDER_BYTES 24 /* of a row whose folds are made (learn/order.h) */

struct telling {
    const struct ens_host *host;
    const struct ens_plan *plan;
    ens_need_fn *sink;
    void *arg;
    struct ens_sl sl;
    struct ens_sl_layer layer;
    struct ens_sl_needs needs;
    enum ens_texts texts; /* of the layer's sums and bins */
    size_t width;         /* of its input, with these */
};

static enum ens_status tell(const struct telling *t, enum ens_sl_step step,
                            const char *why, uint64_t bytes,
                            struct ens_error *err)
{
    char key[ENS_SL_KEY], what[ENS_SL_KEY + 64];

    ens_sl_stage_key(ens_sl_at(&t->layer, step), key);
    snprintf(what, sizeof(what), "%s: %s", key, why);
    return t->sink(t->arg, what, bytes,
                   ens_sl_n_tasks(&t->layer, step, t->width), err);
}

static enum ens_status enter(struct telling *t, uint32_t number,
                             const char *group, struct ens_error *err)
{
    struct ens_cell leader;
    enum ens_status s = ens_sl_layer(&t->sl, number, group, &t->layer, err);

    if (s == ENS_OK)
        s = ens_sl_needs(t->plan, t->host, &t->layer, &t->needs, err);
    if (s != ENS_OK)
        return s;
    t->host->plan_cell(t->plan, t->needs.leader, &leader);
    t->texts = ens_sl_texts(&leader);
    t->width = ens_sl_width(&t->sl, t->plan, t->host, number, t->texts);
    return ENS_OK;
}

/* -- what is made once for a layer ----------------------------------------- */

static enum ens_status tell_shared(const struct telling *t,
                                   struct ens_error *err)
{
    const struct ens_sl_layer *l = &t->layer;
    uint64_t block = ENS_SL_BLOCK * (t->width + 2);
    enum ens_status s = ENS_OK;

    if (l->is_shared)
        s = tell(t, ENS_SL_ROWS, "order of rows",
                 ORDER_BYTES * l->n_in +
                     l->n_samples * 8 * (uint64_t)ens_sl_order_words(l),
                 err);
    if (s == ENS_OK && t->needs.moments)
        s = tell(t, ENS_SL_LANES, "sums and a block of rows",
                 8 * (block + ens_sums_doubles(t->width) +
                      ens_sums_pass_doubles(t->width, 1)),
                 err);
    if (s == ENS_OK && t->needs.moments)
        s = tell(t, ENS_SL_SUMS, "sums",
                 8 * (uint64_t)(ens_sums_doubles(t->width) +
                                ens_sums_tree_doubles(
                                    ens_sl_sum_lanes(l, t->width), t->width)),
                 err);
    if (s == ENS_OK && t->needs.bins)
        s = tell(t, ENS_SL_EDGES, "rows that bins are made of",
                 8 * (uint64_t)(ens_bins_make_work(l->n_in, t->width) +
                                ens_bins_table_size(t->width)),
                 err);
    return s;
}

/* -- fits ------------------------------------------------------------------ */

/* Training rows of a fit at most. */
static enum ens_status most_rows(const struct telling *t, uint64_t *n,
                                 struct ens_error *err)
{
    const struct ens_sl_layer *l = &t->layer;
    struct ens_arena arena;
    struct ens_rowset base, train;
    struct ens_span span;
    struct ens_folds f;
    enum ens_status s;

    *n = l->n_in;
    if (l->is_uneven) /* values decide: any number up to all */
        return ENS_OK;
    base = ens_rowset_one(&span, NULL, 0, l->n_in);
    s = ens_folds_open(&l->spec, &base, NULL, &f, err);
    *n = 0;
    ens_arena_init(&arena);
    for (uint32_t i = 1; i <= ens_sl_n_fits(l) / l->n_samples && s == ENS_OK;
         i++) {
        struct ens_sl_fit fit = ens_sl_fit_of(l, i);

        ens_arena_reset(&arena);
        s = ens_folds_train(&f, fit.partition, fit.fold, &arena, &train, err);
        if (s == ENS_OK && train.n > *n)
            *n = train.n;
    }
    ens_arena_fini(&arena);
    return s;
}

/* Columns as bins, where the layer's are not those of this learner; else rows
 * by their number. */
static uint64_t bins_bytes(const struct telling *t, const struct ens_cell *cell,
                           uint64_t n, size_t p)
{
    const struct ens_learner *learner = ens_cell_impl(cell, "learner")->ops;

    if ((learner->uses & ENS_LEARN_BINS) == 0)
        return 0;
    if (ens_sl_texts(cell) == t->texts && ens_sl_shares_bins(cell, learner))
        return sizeof(uint32_t) * n;
    return ens_bins_bytes(n, p) +
           8 * (uint64_t)(ens_bins_make_work(n, p) + ens_bins_table_size(p));
}

static enum ens_status tell_fit(const struct telling *t,
                                const struct ens_cell *cell, uint64_t n,
                                struct ens_error *err)
{
    const struct ens_learner *learner = ens_cell_impl(cell, "learner")->ops;
    enum ens_texts texts = ens_sl_texts(cell);
    size_t p = texts == t->texts ? t->width
                                 : ens_sl_width(&t->sl, t->plan, t->host,
                                                t->layer.number, texts);
    uint64_t bytes = 8 * ENS_SL_BLOCK * (uint64_t)(p + t->layer.m + 2);
    char what[ENS_SL_KEY + 200];
    struct ens_arena arena;
    const void *options;
    enum ens_status s;

    ens_arena_init(&arena);
    s = ens_sl_options(&t->sl, t->host, cell, learner, &arena, &options, err);
    if (s == ENS_OK && learner->memory != NULL)
        bytes += learner->memory(options, n, p);
    ens_arena_fini(&arena);
    if (s != ENS_OK)
        return s;
    if (t->needs.moments && texts == t->texts)
        bytes += 8 * (uint64_t)(ens_sums_doubles(p) + ens_moments_doubles(p));
    bytes += bins_bytes(t, cell, n, p);
    snprintf(what, sizeof(what), "layer%u: ", t->layer.number);
    ens_sl_learner_name(cell, what + strlen(what), 200);
    return t->sink(t->arg, what, bytes,
                   t->needs.n_cells *
                       ens_sl_n_tasks(&t->layer, ENS_SL_FIT, t->width),
                   err);
}

static enum ens_status tell_fits(const struct telling *t, struct ens_error *err)
{
    uint64_t n_cells = t->host->plan_n_cells(t->plan), n;
    struct ens_cell cell;
    enum ens_status s = most_rows(t, &n, err);

    for (uint64_t i = 0; i < n_cells && s == ENS_OK; i++) {
        t->host->plan_cell(t->plan, i, &cell);
        if (ens_sl_is_in(&cell, &t->layer))
            s = tell_fit(t, &cell, n, err);
    }
    return s;
}

/* Of L members: their sums, work as much again, blocks of their rows. */
static uint64_t lane_bytes(size_t L, size_t p)
{
    return 8 * (2 * (uint64_t)ens_sl_meta_lane_doubles(L) +
                ENS_SL_BLOCK * (uint64_t)(p + 3 * (L + 2)));
}

static enum ens_status tell_meta(struct telling *t, uint32_t n_layers,
                                 struct ens_error *err)
{
    size_t L = (size_t)ens_sl_n_members(&t->sl, t->plan, t->host);
    size_t p = L * t->layer.m;
    uint64_t bytes = 0;
    int has_lanes;
    enum ens_status s;

    if (t->sl.is_select)
        return ENS_OK;
    t->width = L;
    s = ens_sl_meta_layer(&t->sl, n_layers, &t->layer, err);
    if (s == ENS_OK)
        s = ens_sl_meta_memory(&t->sl, t->host, t->layer.n_in, p, &bytes, err);
    bytes += 8 * ENS_SL_BLOCK * (uint64_t)(p + 2);
    has_lanes = s == ENS_OK && ens_sl_meta_lanes(&t->layer, L) > 0;
    if (has_lanes)
        s = tell(t, ENS_SL_META_LANES, "sums and blocks of rows",
                 lane_bytes(L, p), err);
    if (has_lanes && s == ENS_OK && ens_sl_meta_is_squares(&t->sl, t->host))
        s = tell(t, ENS_SL_META_RISKS, "weights and blocks of rows", bytes,
                 err);
    return s == ENS_OK ? tell(t, ENS_SL_META, "fit", bytes, err) : s;
}

enum ens_status ens_sl_tell_needs(const struct ens_host *host,
                                  const struct ens_plan *plan,
                                  ens_need_fn *sink, void *arg,
                                  struct ens_error *err)
{
    struct telling t = {.host = host, .plan = plan, .sink = sink, .arg = arg};
    uint32_t n_layers = ens_sl_n_layers(plan, host);
    enum ens_status s = ens_sl_read(&t.sl, plan, host, err);

    for (uint32_t i = 1; i <= n_layers && s == ENS_OK; i++) {
        const char *g = NULL;

        while (s == ENS_OK && (g = ens_sl_group_after(&t.sl, i, g)) != NULL) {
            s = enter(&t, i, g, err);
            if (s == ENS_OK)
                s = tell_shared(&t, err);
            if (s == ENS_OK)
                s = tell_fits(&t, err);
        }
    }
    return s == ENS_OK ? tell_meta(&t, n_layers, err) : s;
}

/* -- arrays ---------------------------------------------------------------- */

/* Those of a group that are no learner's own are its first learner's. */
int ens_sl_has_array(const struct ens_host *host, const struct ens_plan *plan,
                     const char *array, const struct ens_cell *cell)
{
    static const char *const own[] = {"raw", "rawouter", "predicted", "outer",
                                      "fits"};
    struct ens_sl_layer of = {0};
    struct ens_cell other;
    size_t n;

    if (ens_sl_array_parse(array, &n, &of.number, of.group) != ENS_OK)
        return 0;
    if (of.number == 0) /* of the meta learner */
        return cell->ordinal == 0;
    if (!ens_sl_is_in(cell, &of))
        return 0;
    for (size_t i = 0; i < ENS_COUNT(own); i++)
        if (strlen(own[i]) == n && memcmp(own[i], array, n) == 0)
            return 1;
    for (uint64_t i = 0; i < cell->ordinal; i++) {
        host->plan_cell(plan, i, &other);
        if (ens_sl_is_in(&other, &of))
            return 0;
    }
    return 1;
}
