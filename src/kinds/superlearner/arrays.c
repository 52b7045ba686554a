/* Shapes of arrays and the block of each task: functions of settings and
 * inputs alone. */
#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/counts.h"
#include "kinds/superlearner/kind.h"
#include "kinds/superlearner/meta.h"
#include "kinds/superlearner/meta_lanes.h"
#include "kinds/superlearner/moments.h"
#include "kinds/superlearner/order.h"
#include "kinds/superlearner/steps.h"
#include "learn/bins.h"
#include "learn/moments.h"

#include <string.h>

struct asked { /* an array of a cell */
    const struct ens_host *host;
    const struct ens_plan *plan;
    struct ens_sl sl;
    struct ens_sl_layer layer; /* of meta arrays: what follows the last */
    char stem[ENS_SL_KEY];
    size_t columns; /* J m */
};

static enum ens_status ask(struct asked *a, const struct ens_host *host,
                           const struct ens_plan *plan, const char *array)
{
    char group[ENS_SL_GROUP];
    uint32_t layer;
    size_t n;
    enum ens_status s = ens_sl_array_parse(array, &n, &layer, group);

    *a = (struct asked){.host = host, .plan = plan};
    if (s != ENS_OK || n >= sizeof(a->stem))
        return ENS_ENOTFOUND;
    memcpy(a->stem, array, n);
    s = ens_sl_read(&a->sl, plan, host, NULL);
    if (s == ENS_OK)
        s = layer > 0 ? ens_sl_layer(&a->sl, layer, group, &a->layer, NULL)
                      : ens_sl_meta_layer(&a->sl, ens_sl_n_layers(plan, host),
                                          &a->layer, NULL);
    a->columns = ens_sl_n_columns(&a->layer);
    return s;
}

static int is(const struct asked *a, const char *stem)
{
    return strcmp(a->stem, stem) == 0;
}

static size_t width_of(const struct asked *a, const struct ens_cell *cell)
{
    return ens_sl_width(&a->sl, a->plan, a->host, a->layer.number,
                        ens_sl_texts(cell));
}

static int is_of_meta_lanes(const struct asked *a)
{
    return is(a, "metalanes") || is(a, "metarisks");
}

static size_t meta_lane_doubles(const struct asked *a, size_t n_members)
{
    return is(a, "metarisks") ? ENS_SL_RISK_DOUBLES
                              : ens_sl_meta_lane_doubles(n_members);
}

/* (rows, columns), or (rows) of one column. */
static void matrix(uint64_t rows, uint64_t columns, uint32_t *ndim,
                   uint64_t *shape)
{
    shape[0] = rows;
    shape[1] = columns;
    *ndim = columns > 1 ? 2 : 1;
}

enum ens_status ens_sl_array_shape(const struct ens_host *host,
                                   const struct ens_plan *plan,
                                   const char *array,
                                   const struct ens_cell *cell, uint32_t *ndim,
                                   uint64_t *shape)
{
    struct asked a;
    const struct ens_sl_layer *l = &a.layer;
    enum ens_status s = ask(&a, host, plan, array);
    uint64_t outer = l->n_samples - 1;

    if (s != ENS_OK)
        return s;
    *ndim = 1;
    if (is(&a, "predicted")) {
        matrix(l->n_out, a.columns, ndim, shape);
    } else if (is(&a, "outer")) {
        shape[0] = outer;
        matrix(l->n_out, a.columns, ndim, shape + 1);
        (*ndim)++;
    } else if (is(&a, "raw")) {
        shape[0] = l->n_out * a.columns;
    } else if (is(&a, "rawouter")) {
        shape[0] = outer * l->n_in * a.columns;
    } else if (is(&a, "fits")) {
        shape[0] = ens_sl_n_fits(l);
    } else if (is(&a, "rows")) {
        shape[0] = l->n_samples * (uint64_t)ens_sl_order_words(l);
    } else if (is(&a, "index")) {
        shape[0] = l->n_out;
    } else if (is(&a, "lanes")) {
        size_t p = width_of(&a, cell);

        shape[0] = (uint64_t)ens_sl_sum_pieces(l, p) * ens_sl_sum_lanes(l, p) *
                   ens_sums_doubles(p);
    } else if (is(&a, "sums")) {
        size_t p = width_of(&a, cell);

        shape[0] = (uint64_t)ens_sl_sum_pieces(l, p) * ens_sl_sum_doubles(p);
    } else if (is(&a, "edges")) {
        shape[0] = ens_bins_table_size(width_of(&a, cell));
    } else if (is(&a, "bins")) {
        shape[0] = l->n_in * (ens_bins_stride(width_of(&a, cell)) / 8);
    } else if (is_of_meta_lanes(&a)) {
        size_t n = (size_t)ens_sl_n_members(&a.sl, plan, host);

        shape[0] = l->n_samples * (uint64_t)ens_sl_meta_lanes(l, n) *
                   meta_lane_doubles(&a, n);
    } else { /* weights, risks: of each sample a row per learner and partition
              */
        uint64_t n = ens_sl_n_members(&a.sl, plan, host);

        shape[0] = l->n_samples;
        shape[1] = is(&a, "risks") ? n + 2 : n;
        shape[2] = 3;
        *ndim = 3;
    }
    return ENS_OK;
}

/* Positions that fit k of a sample predicts, and how many it does, where folds
 * are not as large as blocks of rows would be. */
static enum ens_status predicts_uneven(const struct asked *a,
                                       struct ens_sl_fit fit, uint64_t *first,
                                       uint64_t *n)
{
    uint32_t K = a->layer.n_folds;
    const uint64_t *at;
    enum ens_status s = ens_sl_count(&a->sl, &a->layer, fit.sample, &at, NULL);

    if (s != ENS_OK)
        return s;
    *first = fit.fold > 0 ? at[fit.fold - 1] : at[K + 1];
    *n = fit.fold > 0 ? at[fit.fold] - *first : a->layer.n_in - *first;
    return ENS_OK;
}

/* The same where they are. */
static enum ens_status predicts(const struct asked *a, struct ens_sl_fit fit,
                                uint64_t *first, uint64_t *n)
{
    struct ens_arena arena;
    struct ens_rowset in, out;
    struct ens_folds f;
    enum ens_status s;

    if (a->layer.is_uneven)
        return predicts_uneven(a, fit, first, n);
    ens_arena_init(&arena);
    s = ens_sl_outer(&a->sl, &a->layer, fit.sample, &arena, &in, &out, NULL);
    if (s == ENS_OK && fit.fold == 0) {
        *first = in.n;
        *n = out.n;
    } else if (s == ENS_OK) {
        s = ens_folds_open(&a->layer.spec, &in, NULL, &f, NULL);
        if (s == ENS_OK) {
            *first = ens_folds_out_first(&f, fit.fold);
            *n = ens_folds_out_n(&f, fit.fold);
        }
    }
    ens_arena_fini(&arena);
    return s;
}

/* The block of a fit in raw (J x n_out x m), rawouter (V x J x n_in x m) or
 * predicted (n_out x m, when J is 1). */
static enum ens_status fit_region(const struct asked *a, uint32_t replicate,
                                  uint64_t *first, uint64_t *n)
{
    const struct ens_sl_layer *l = &a->layer;
    struct ens_sl_fit fit = ens_sl_fit_of(l, replicate);
    int outer = is(a, "rawouter");
    uint64_t rows = outer ? l->n_in : l->n_out;
    uint64_t plane = fit.partition;
    enum ens_status s;

    *first = *n = 0;
    if (outer != (fit.sample > 0) || (fit.sample == 0 && fit.fold == 0))
        return ENS_OK;
    s = predicts(a, fit, first, n);
    if (outer)
        plane += (uint64_t)(fit.sample - 1) * l->n_partitions;
    *first = (plane * rows + *first) * l->m;
    *n *= l->m;
    return s;
}

/* The block of a lane of rows of a sample in predicted or outer. */
static enum ens_status sort_region(const struct asked *a, uint32_t replicate,
                                   uint64_t *first, uint64_t *n)
{
    const struct ens_sl_layer *l = &a->layer;
    uint32_t lanes = ens_sl_sort_lanes(l->n_out);
    uint64_t sample = (replicate - 1) / lanes, i = (replicate - 1) % lanes;
    uint64_t from = l->n_out * i / lanes, to = l->n_out * (i + 1) / lanes;

    *first = *n = 0;
    if (is(a, "outer") != (sample > 0))
        return ENS_OK;
    *first = from * a->columns;
    if (sample > 0)
        *first += (sample - 1) * l->n_out * a->columns;
    *n = (to - from) * a->columns;
    return ENS_OK;
}

static void even(uint64_t i, uint64_t size, uint64_t *first, uint64_t *n)
{
    *first = i * size;
    *n = size;
}

enum ens_status
ens_sl_array_region(const struct ens_host *host, const struct ens_plan *plan,
                    const char *array, const struct ens_cell *cell,
                    uint32_t replicate, uint64_t *first, uint64_t *n)
{
    struct asked a;
    const struct ens_sl_layer *l = &a.layer;
    enum ens_status s = ask(&a, host, plan, array);
    uint64_t i = replicate - 1;

    if (s != ENS_OK)
        return s;
    if (is(&a, "raw") || is(&a, "rawouter") ||
        (is(&a, "predicted") && l->is_sorted))
        return fit_region(&a, replicate, first, n);
    if (is(&a, "predicted") || is(&a, "outer"))
        return sort_region(&a, replicate, first, n);
    if (is(&a, "fits")) {
        even(i, 1, first, n);
    } else if (is(&a, "rows")) {
        even(0, l->n_samples * (uint64_t)ens_sl_order_words(l), first, n);
    } else if (is(&a, "index")) {
        even(0, l->n_out, first, n);
    } else if (is(&a, "lanes")) {
        even(i, ens_sums_doubles(width_of(&a, cell)), first, n);
    } else if (is(&a, "sums")) {
        even(i, ens_sl_sum_doubles(width_of(&a, cell)), first, n);
    } else if (is(&a, "edges")) {
        even(0, ens_bins_table_size(width_of(&a, cell)), first, n);
    } else if (is(&a, "bins")) {
        uint64_t lanes = ens_sl_lanes(l->n_in, 0);
        uint64_t words = ens_bins_stride(width_of(&a, cell)) / 8;

        *first = l->n_in * i / lanes * words;
        *n = l->n_in * (i + 1) / lanes * words - *first;
    } else if (is_of_meta_lanes(&a)) {
        even(i,
             meta_lane_doubles(&a, (size_t)ens_sl_n_members(&a.sl, plan, host)),
             first, n);
    } else {
        uint64_t members = ens_sl_n_members(&a.sl, plan, host);

        even(i, 3 * (is(&a, "risks") ? members + 2 : members), first, n);
    }
    return ENS_OK;
}
