/* Stages `layerL_rows` and `layerL_sorted`: which rows are in which fold where
 * folds are no blocks of rows, and predictions put back into their order. */
#include "kinds/superlearner/order.h"

#include "base/bug.h"
#include "config/study.h"
#include "kinds/superlearner/clusters.h"
#include "kinds/superlearner/groups.h"
#include "math/rng.h"
#include "learn/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- rows ------------------------------------------------------------------
 * A function of settings and inputs alone: so every process can tell how many
 * rows a fold has. */

struct ordering {
    const struct ens_sl *sl;
    const struct ens_sl_layer *layer;
    struct ens_arena *arena;
    struct ens_rng rng;
    struct ens_draws draws;
};

static uint64_t draw_below(void *arg, uint64_t n)
{
    return ens_rng_below(arg, n);
}

/* The stream of a sample's folds. Outer folds are drawn once, for all layers
 * and groups: as a sample of layer 1 behind the others. */
static void seed_draws(struct ordering *o, uint32_t sample)
{
    static const struct ens_sl_layer first = {.number = 1};
    char purpose[ENS_SL_KEY];

    ens_sl_array(purpose, "folds",
                 sample == o->layer->n_samples ? &first : o->layer);
    ens_rng_set(&o->rng, ens_study_seed(o->sl->study), 0, sample,
                ens_rng_stream("superlearner", purpose));
    o->draws = (struct ens_draws){draw_below, &o->rng};
}

/* Labels of rows of X. */
static enum ens_status read_labels(const struct ordering *o,
                                   const struct ens_input *in,
                                   const struct ens_rowset *rows,
                                   const struct ens_labels **to,
                                   struct ens_error *err)
{
    struct ens_labels *labels = ens_arena_alloc(o->arena, 1, sizeof(*labels));

    *to = NULL;
    if (in == NULL)
        return ENS_OK;
    if (labels == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    *to = labels;
    return ens_labels_read(in, rows, o->arena, labels, err);
}

/* set: rows of the layer's input. */
static enum ens_status read_how(const struct ordering *o,
                                const struct ens_rowset *set, int is_shuffled,
                                struct ens_order_how *how,
                                struct ens_error *err)
{
    struct ens_rowset map, rows;
    uint32_t n_folds;
    enum ens_status s = ens_sl_map(o->sl, o->layer, o->arena, &map, err);

    memset(how, 0, sizeof(*how));
    if (is_shuffled)
        how->shuffle = &o->draws;
    if (s == ENS_OK)
        s = ens_rowset_compose(&map, set, o->arena, &rows, err);
    if (s == ENS_OK)
        s = read_labels(o, o->sl->id, &rows, &how->id, err);
    if (s == ENS_OK)
        s = read_labels(o, o->sl->strata, &rows, &how->strata, err);
    if (s == ENS_OK)
        s = read_labels(o, o->sl->folds, &rows, &how->folds, err);
    if (s != ENS_OK || how->folds == NULL)
        return s;
    s = ens_order_folds(how->folds, o->arena, &how->fold, &n_folds, err);
    if (s == ENS_OK && n_folds != o->layer->n_folds)
        s = ens_fail(err, ENS_ESTUDY,
                     "[superlearner] folds = %u: input folds (%s) has %u",
                     o->layer->n_folds, o->sl->folds->path, n_folds);
    return s;
}

static int by_row(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Rows of a set, ascending. */
static enum ens_status ascending(const struct ordering *o,
                                 struct ens_rowset *set, struct ens_error *err)
{
    struct ens_span *span = ens_arena_alloc(o->arena, 1, sizeof(*span));
    int64_t *row = ens_arena_alloc(o->arena, (size_t)set->n, sizeof(*row));

    if (span == NULL || row == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_rowset_rows(set, 0, set->n, (uint64_t *)row);
    qsort(row, (size_t)set->n, sizeof(*row), by_row);
    *set = ens_rowset_one(span, row, 0, set->n);
    return ENS_OK;
}

/* Rows that sample v leaves out, and the others. */
static enum ens_status leave_out(struct ordering *o, uint32_t sample,
                                 struct ens_rowset *in, struct ens_rowset *out,
                                 struct ens_error *err)
{
    struct ens_folds_spec spec = {.type = ENS_FOLDS_STACK,
                                  .folds = o->sl->n_outer};
    uint64_t n = o->layer->n_in;
    struct ens_span *span = ens_arena_alloc(o->arena, 2, sizeof(*span));
    size_t rows = sample > 0 ? (size_t)n : 0;
    int64_t *row = ens_arena_alloc(o->arena, rows, sizeof(*row));
    uint64_t *start =
        ens_arena_alloc(o->arena, ens_order_starts(&spec), sizeof(*start));
    struct ens_folds outer;
    struct ens_order_how how;
    struct ens_rowset base;
    enum ens_status s;

    if (span == NULL || row == NULL || start == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    *in = ens_rowset_one(&span[0], NULL, 0, n);
    *out = (struct ens_rowset){0, 0, NULL};
    if (sample == 0)
        return ENS_OK;
    seed_draws(o, o->layer->n_samples);
    s = read_how(o, in, o->sl->is_outer_shuffled, &how, err);
    how.folds = NULL; /* the user's are those within */
    if (s == ENS_OK)
        s = ens_folds_order(&spec, in, &how, o->arena, row, start, err);
    if (s != ENS_OK)
        return s;
    base = ens_rowset_one(&span[1], row, 0, n);
    s = ens_folds_open(&spec, &base, start, &outer, err);
    if (s == ENS_OK)
        s = ens_folds_train(&outer, 0, sample, o->arena, in, err);
    if (s == ENS_OK)
        s = ens_folds_test(&outer, sample, o->arena, out, err);
    return s == ENS_OK ? ascending(o, in, err) : s;
}

size_t ens_sl_order_words(const struct ens_sl_layer *layer)
{
    return 1 + ens_order_starts(&layer->spec) + (size_t)layer->n_in;
}

enum ens_status ens_sl_order(const struct ens_sl *sl,
                             const struct ens_sl_layer *layer, uint32_t sample,
                             struct ens_arena *arena, int64_t *words,
                             struct ens_error *err)
{
    struct ordering o = {.sl = sl, .layer = layer, .arena = arena};
    int64_t *row = words + 1 + ens_order_starts(&layer->spec);
    struct ens_order_how how;
    struct ens_rowset in, out;
    enum ens_status s = leave_out(&o, sample, &in, &out, err);

    seed_draws(&o, sample);
    if (s == ENS_OK)
        s = read_how(&o, &in, layer->is_shuffled, &how, err);
    if (s == ENS_OK)
        s = ens_sl_clusters(sl, layer, &in, arena, &how.partitions, err);
    if (s == ENS_OK)
        s = ens_folds_order(&layer->spec, &in, &how, arena, row,
                            (uint64_t *)words + 1, err);
    if (s != ENS_OK)
        return s;
    words[0] = (int64_t)in.n;
    ens_rowset_rows(&out, 0, out.n, (uint64_t *)row + in.n);
    return ENS_OK;
}

/* Rows of X that a layer predicts, ascending; words: the order of sample 0. */
static enum ens_status pick(const struct ens_sl *sl,
                            const struct ens_sl_layer *layer,
                            const int64_t *words, struct ens_arena *arena,
                            int64_t *row, struct ens_error *err)
{
    char *is_out = ens_arena_alloc(arena, (size_t)layer->n_in, 1);
    struct ens_span span;
    struct ens_rowset base = ens_rowset_one(
        &span, words + 1 + ens_order_starts(&layer->spec), 0, layer->n_in);
    struct ens_rowset map, out;
    struct ens_folds f;
    uint64_t n = 0;
    enum ens_status s = ens_sl_map(sl, layer, arena, &map, err);

    if (s == ENS_OK && is_out == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "rows of folds: out of memory");
    if (s == ENS_OK)
        s = ens_folds_open(&layer->spec, &base, (const uint64_t *)words + 1, &f,
                           err);
    if (s == ENS_OK)
        s = ens_folds_out(&f, arena, &out, err);
    if (s != ENS_OK)
        return s;
    ENS_BUG_ON(out.n != layer->n_out);
    for (uint64_t i = 0; i < out.n; i++)
        is_out[ens_rowset_row(&out, i)] = 1;
    for (uint64_t i = 0; i < layer->n_in; i++)
        if (is_out[i])
            row[n++] = (int64_t)ens_rowset_row(&map, i);
    return ENS_OK;
}

static enum ens_status index_of(const struct ens_sl *sl, uint32_t number,
                                struct ens_arena *arena, int64_t **row,
                                struct ens_error *err)
{
    struct ens_sl_layer layer;
    int64_t *words;
    enum ens_status s =
        ens_sl_layer(sl, number, ens_sl_mapping(sl, number).group, &layer, err);

    if (s != ENS_OK)
        return s;
    words = ens_arena_alloc(arena, ens_sl_order_words(&layer), sizeof(*words));
    *row = ens_arena_alloc(arena, (size_t)layer.n_out, sizeof(**row));
    if (words == NULL || *row == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "rows of folds: out of memory");
    s = ens_sl_order(sl, &layer, 0, arena, words, err);
    return s == ENS_OK ? pick(sl, &layer, words, arena, *row, err) : s;
}

enum ens_status ens_sl_map(const struct ens_sl *sl,
                           const struct ens_sl_layer *layer,
                           struct ens_arena *arena, struct ens_rowset *map,
                           struct ens_error *err)
{
    struct ens_span *span = ens_arena_alloc(arena, 1, sizeof(*span));
    int64_t *row = NULL;
    enum ens_status s = ENS_OK;

    if (span == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (layer->mapped_by > 0)
        s = index_of(sl, layer->mapped_by, arena, &row, err);
    if (s == ENS_OK)
        *map = ens_rowset_one(span, row, layer->first_y, layer->n_in);
    return s;
}

static enum ens_status put_index(const struct ens_sl_job *job,
                                 const int64_t *words, struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    char name[ENS_SL_KEY];
    void *to;
    uint64_t n;
    enum ens_status s;

    ens_sl_array(name, "index", &st->layer);
    s = st->host->block(job->result, name, &to, &n, err);
    return s == ENS_OK ? pick(&st->sl, &st->layer, words, &st->arena, to, err)
                       : s;
}

enum ens_status ens_sl_run_rows(const struct ens_sl_job *job,
                                struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    size_t n = ens_sl_order_words(&st->layer);
    int64_t *words = malloc(n * sizeof(*words));
    char name[ENS_SL_KEY];
    enum ens_status s = ENS_OK;

    if (words == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "folds of %llu rows: out of memory",
                        (unsigned long long)st->layer.n_in);
    ens_sl_array(name, "rows", &st->layer);
    for (uint32_t v = 0; v < st->layer.n_samples && s == ENS_OK; v++) {
        ens_arena_reset(&st->arena);
        s = ens_sl_order(&st->sl, &st->layer, v, &st->arena, words, err);
        if (s == ENS_OK)
            s = st->host->block_part(job->result, name, v * n, words, n, err);
        if (s == ENS_OK && v == 0 && st->layer.is_picked)
            s = put_index(job, words, err);
    }
    free(words);
    return s;
}

/* -- sorted ---------------------------------------------------------------- */

struct sorting { /* rows from .. to-1 of what a sample predicts */
    const struct ens_sl_layer *layer;
    const struct ens_folds *folds;
    uint64_t from, to;
    const double *raw; /* of the sample: [J][rows][m] */
    uint64_t rows;     /* of a partition in raw */
    double *to_rows;   /* [to - from][J][m] */
};

/* Place of a row among those that are predicted: less than its number by the
 * rows before it that are in no fold. */
static uint64_t place_of(const struct ens_folds *f, uint64_t row)
{
    uint64_t place = row;

    for (uint32_t j = 0; j < f->J && f->n_out < f->base.n; j++) {
        uint64_t first = ens_folds_group(f, j, f->K), a = first,
                 b = ens_folds_group(f, j, f->K + 1);

        while (a < b) {
            uint64_t mid = a + (b - a) / 2;

            if (ens_rowset_row(&f->base, mid) < row)
                a = mid + 1;
            else
                b = mid;
        }
        place -= a - first;
    }
    return place;
}

/* First position of increasing rows at [a, b) whose place is not below. */
static uint64_t lower(const struct sorting *z, const struct ens_rowset *s,
                      uint64_t a, uint64_t b)
{
    while (a < b) {
        uint64_t mid = a + (b - a) / 2;

        if (place_of(z->folds, ens_rowset_row(s, mid)) < z->from)
            a = mid + 1;
        else
            b = mid;
    }
    return a;
}

/* Rows at [first, last) of the set, which increase, are at raw positions from
 * `at` on. */
static void place_group(const struct sorting *z, const struct ens_rowset *set,
                        uint64_t first, uint64_t last, uint64_t at)
{
    size_t m = z->layer->m, j_n = z->layer->n_partitions;
    uint64_t i = lower(z, set, first, last);

    for (; i < last; i++) {
        uint64_t row = place_of(z->folds, ens_rowset_row(set, i));

        if (row >= z->to)
            break;
        for (size_t j = 0; j < j_n; j++)
            memcpy(z->to_rows + ((row - z->from) * j_n + j) * m,
                   z->raw + (j * z->rows + at + (i - first)) * m,
                   m * sizeof(double));
    }
}

static void place_all(const struct sorting *z, const struct ens_folds *f,
                      const struct ens_rowset *out)
{
    uint64_t at = 0;

    for (uint32_t k = 0; k < f->K; k++)
        for (uint32_t j = 0; j < f->J; j++) {
            uint64_t first = ens_folds_group(f, j, k);
            uint64_t last = ens_folds_group(f, j, k + 1);

            place_group(z, &f->base, first, last, at);
            at += last - first;
        }
    if (out->n > 0)
        place_group(z, out, 0, out->n, f->base.n);
}

/* Where the sample's predictions are, and where they go. */
static enum ens_status find_blocks(const struct ens_sl_job *job,
                                   uint32_t sample, struct sorting *z,
                                   struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    const struct ens_sl_layer *l = &st->layer;
    char name[ENS_SL_KEY];
    struct ens_view raw;
    uint64_t n;
    void *to = NULL;
    enum ens_status s = ENS_OK;

    z->to_rows = NULL;
    z->rows = sample > 0 ? l->n_in : l->n_out;
    if (!l->is_sorted) {
        ens_sl_array(name, "predicted", l);
        s = st->host->block(job->result, name, &to, &n, err);
        if (s == ENS_OK && sample == 0)
            z->to_rows = to;
    }
    if (s == ENS_OK && l->n_samples > 1) {
        ens_sl_array(name, "outer", l);
        s = st->host->block(job->result, name, &to, &n, err);
        if (s == ENS_OK && sample > 0)
            z->to_rows = to;
    }
    if (s != ENS_OK || z->to_rows == NULL)
        return s;
    s = ens_sl_array_of(job, sample > 0 ? "rawouter" : "raw", l,
                        job->task->cell.ordinal, &raw, err);
    if (s == ENS_OK)
        z->raw =
            (const double *)raw.data +
            (sample > 0 ? (sample - 1) * l->n_partitions * l->n_in * l->m : 0);
    return s;
}

enum ens_status ens_sl_run_sorted(const struct ens_sl_job *job,
                                  struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    const struct ens_sl_layer *l = &st->layer;
    uint32_t lanes = ens_sl_sort_lanes(l->n_out);
    uint32_t sample = (job->task->replicate - 1) / lanes;
    uint64_t i = (job->task->replicate - 1) % lanes;
    struct sorting z = {.layer = l,
                        .from = l->n_out * i / lanes,
                        .to = l->n_out * (i + 1) / lanes};
    struct ens_folds folds;
    struct ens_rowset out;
    enum ens_status s = find_blocks(job, sample, &z, err);

    if (s != ENS_OK || z.to_rows == NULL)
        return s;
    s = ens_sl_folds(job, l, sample, &folds, &out, err);
    z.folds = &folds;
    if (s == ENS_OK)
        place_all(&z, &folds, &out);
    return s;
}
