#include "kinds/superlearner/moments.h"

#include "config/study.h"
#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/groups.h"
#include "learn/moments.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LOST 1e6 /* see ens_moments_finish */

/* -- sizes --------------------------------------------------------------- */

static size_t width_of_x(const struct ens_input *x, enum ens_texts texts)
{
    size_t p = 0;

    if (x->columns == NULL)
        return (size_t)x->n_columns;
    for (uint64_t i = 0; i < x->n_columns; i++) {
        const struct ens_column *c = &x->columns[i];

        p += c->levels == NULL           ? 1
             : texts == ENS_TEXTS_LEVELS ? c->n_levels
             : c->n_levels > 0           ? c->n_levels - 1
                                         : 0;
    }
    return p;
}

size_t ens_sl_width(const struct ens_sl *sl, const struct ens_plan *plan,
                    const struct ens_host *host, uint32_t layer,
                    enum ens_texts texts)
{
    const struct ens_value *v;
    const char *g = NULL;
    char row[12];
    size_t p;

    if (layer == 1)
        return width_of_x(sl->x, texts);
    snprintf(row, sizeof(row), "%u", layer - 1);
    v = ens_study_row_value(sl->study, "layer", row, "propagate");
    p = v->set ? v->n_list : 0;
    while ((g = ens_sl_group_after(sl, layer - 1, g)) != NULL) {
        struct ens_sl_layer from;

        if (ens_sl_layer(sl, layer - 1, g, &from, NULL) != ENS_OK)
            return 0;
        p += (size_t)ens_sl_n_learners(plan, host, &from) *
             ens_sl_n_columns(&from);
    }
    return p;
}

/* -- sums ---------------------------------------------------------------- */

struct summing {
    const struct ens_sl_job *job;
    struct ens_sl_data data;
    struct ens_folds folds;
    struct ens_rows rows; /* in the order of folds */
    double *shift;
    size_t p;
};

static enum ens_status find_shift(const struct ens_sl_job *job,
                                  const struct ens_sl_layer *layer,
                                  const struct ens_sl_data *data,
                                  double **shift, struct ens_error *err)
{
    struct ens_arena *arena = &job->st->arena;
    size_t p = data->source.p;
    struct ens_span span;
    struct ens_rowset set = ens_rowset_one(&span, NULL, 0, layer->n_in);
    struct ens_rows all;
    double *work = ens_arena_alloc(arena, 2 * (p + 1), sizeof(*work));
    enum ens_status s = ens_sl_case_open(NULL, data, &set, &all, err);

    *shift = ens_arena_alloc(arena, p + 1, sizeof(**shift));
    if (s == ENS_OK && (work == NULL || *shift == NULL))
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (s == ENS_OK)
        ens_moments_shift(&all, *shift, work);
    return s;
}

static int lies_in_place(const struct ens_rows *r)
{
    return r->mapped != NULL && r->first_row != UINT64_MAX;
}

static enum ens_status open_sums(struct summing *a, uint32_t sample,
                                 struct ens_error *err)
{
    struct ens_sl_state *st = a->job->st;
    struct ens_rowset out;
    enum ens_status s =
        ens_sl_data(a->job, &st->layer, sample, st->texts, &a->data, err);

    if (s == ENS_OK)
        s = ens_sl_shared_ignored(a->job, 0, &a->data.source, err);
    if (s == ENS_OK)
        s = ens_sl_folds(a->job, &st->layer, sample, &a->folds, &out, err);
    if (s == ENS_OK)
        s = find_shift(a->job, &st->layer, &a->data, &a->shift, err);
    if (s == ENS_OK)
        s = ens_sl_case_open(NULL, &a->data, &a->folds.base, &a->rows, err);
    a->p = a->data.source.p;
    return s;
}

/* The sums are whole, the source is not: of an ignored column the largest value
 * says so (they come last). */
static void mark_dropped(const struct ens_learn_source *source, double *sums)
{
    const unsigned char *first = memchr(source->ignored, 1, source->p);

    sums[ens_sums_doubles(source->p) - source->p +
         (size_t)(first - source->ignored)] = INFINITY;
}

static int is_dropped(const double *sums, size_t p)
{
    for (size_t j = 1; j <= p; j++)
        if (sums[ens_sums_doubles(p) - j] == INFINITY)
            return 1;
    return 0;
}

/* Rows [from, to) of the base into one set of sums. Rows that lie in the source
 * as they are wanted are read there; where values turn out not to be finite,
 * all are read again by blocks, which tells the first of them. */
static enum ens_status add_rows(struct summing *a, int in_place, uint64_t from,
                                uint64_t to, double *sums,
                                struct ens_error *err)
{
    struct ens_arena *arena = &a->job->st->arena;
    size_t p = a->p;
    double *x = ens_arena_alloc(arena, ENS_SL_BLOCK * (p + 2), sizeof(*x));
    const double *mapped =
        in_place ? a->rows.mapped + a->rows.first_row * a->rows.stride : NULL;
    struct ens_sums_pass pass = {
        .p = p,
        .shift = a->shift,
        .n_folds = 1,
        .sums = sums,
        .work =
            ens_arena_alloc(arena, ens_sums_pass_doubles(p, 1), sizeof(double)),
    };
    struct ens_sums_rows rows = {.x = x,
                                 .stride = in_place ? a->rows.stride : p};

    if (x == NULL || pass.work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    rows.y = x + ENS_SL_BLOCK * p;
    rows.w = a->rows.weighted ? rows.y + ENS_SL_BLOCK : NULL;
    for (; from < to; from += rows.n) {
        rows.n = to - from < ENS_SL_BLOCK ? (size_t)(to - from) : ENS_SL_BLOCK;
        if (in_place)
            rows.x = mapped + from * rows.stride;
        else
            a->rows.x(&a->rows, from, rows.n, x);
        a->rows.y(&a->rows, from, rows.n, x + ENS_SL_BLOCK * p);
        if (rows.w != NULL)
            a->rows.w(&a->rows, from, rows.n, x + ENS_SL_BLOCK * (p + 1));
        ens_sums_lane(&pass, &rows);
    }
    if (ens_rows_dropped(&a->rows))
        mark_dropped(&a->data.source, sums);
    return ens_sl_refuse(&a->job->st->sl, &a->rows, &a->data.response, err);
}

enum ens_status ens_sl_run_lanes(const struct ens_sl_job *job,
                                 struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    const struct ens_sl_layer *l = &st->layer;
    struct summing a = {.job = job};
    uint32_t q = ens_sl_sum_lanes(l, st->width);
    uint32_t b = (job->task->replicate - 1) / q;
    uint32_t i = (job->task->replicate - 1) % q;
    char name[ENS_SL_KEY];
    struct ens_positions rows;
    uint64_t from, until, n;
    void *to;
    enum ens_status s =
        open_sums(&a, ens_sl_piece_sample(l, st->width, b), err);

    ens_sl_array(name, "lanes", l);
    if (s == ENS_OK)
        s = st->host->block(job->result, name, &to, &n, err);
    if (s == ENS_OK && ens_sl_piece_rows(l, st->width, b, &a.folds, &st->arena,
                                         &rows) != ENS_OK)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (s != ENS_OK)
        return s;
    from = rows.first + rows.n * i / q;
    until = rows.first + rows.n * (i + 1) / q;
    ens_sums_init(to, a.p);
    s = add_rows(&a, lies_in_place(&a.rows), from, until, to, err);
    if (s != ENS_OK || !lies_in_place(&a.rows) || ens_sums_are_finite(to, a.p))
        return s;
    ens_sums_init(to, a.p);
    return add_rows(&a, 0, from, until, to, err);
}

enum ens_status ens_sl_run_sums(const struct ens_sl_job *job,
                                struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    const struct ens_sl_layer *l = &st->layer;
    uint32_t q = ens_sl_sum_lanes(l, st->width), b = job->task->replicate - 1;
    size_t d = ens_sums_doubles(st->width);
    struct ens_sl_data data;
    struct ens_view lanes;
    char name[ENS_SL_KEY];
    double *work, *shift;
    uint64_t n;
    void *to;
    enum ens_status s = ens_sl_data(
        job, l, ens_sl_piece_sample(l, st->width, b), st->texts, &data, err);

    if (s == ENS_OK)
        s = find_shift(job, l, &data, &shift, err);
    if (s == ENS_OK)
        s = ens_sl_array_of(job, "lanes", l, job->task->cell.ordinal, &lanes,
                            err);
    ens_sl_array(name, "sums", l);
    if (s == ENS_OK)
        s = st->host->block(job->result, name, &to, &n, err);
    if (s != ENS_OK)
        return s;
    work = ens_arena_alloc(&st->arena, ens_sums_tree_doubles(q, data.source.p),
                           sizeof(*work));
    if (work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_sums_tree((const double *)lanes.data + (size_t)b * q * d, d, q,
                  data.source.p, work, to);
    memcpy((double *)to + ens_sums_doubles(data.source.p), shift,
           (data.source.p + 1) * sizeof(*shift));
    return ENS_OK;
}

/* -- what fits make of them ----------------------------------------------- */

enum ens_status
ens_sl_shared_moments(const struct ens_sl_job *job, struct ens_sl_fit fit,
                      enum ens_sl_which which, const struct ens_sl_data *data,
                      struct ens_sl_shared *to, struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    const struct ens_sl_layer *layer = &st->layer;
    struct ens_arena *arena = &st->arena;
    size_t p = data->source.p, d = ens_sums_doubles(p), stride;
    struct ens_moments *made;
    struct ens_view sums;
    const double *first;
    double *out, *mem;
    struct ens_sl_pieces of;
    enum ens_status s;

    *to = (struct ens_sl_shared){0};
    if (!st->has_moments || st->texts != data->texts ||
        fit.sample >= ens_sl_sum_samples(layer, st->width))
        return ENS_OK;
    s = ens_sl_pieces_of(layer, st->width, fit, which, arena, &of);
    if (s == ENS_OK)
        s = ens_sl_array_of(job, "sums", layer, st->leader, &sums, err);
    else
        s = ens_fail(err, s, "out of memory");
    if (s != ENS_OK || of.n == 0)
        return s;
    made = ens_arena_alloc(arena, 1, sizeof(*made));
    out = ens_arena_alloc(arena, d, sizeof(*out));
    mem = ens_arena_alloc(arena, ens_moments_doubles(p), sizeof(*mem));
    if (made == NULL || out == NULL || mem == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    first = sums.data;
    stride = ens_sl_sum_doubles(st->width);
    ens_sums_union(first, stride, of.piece, of.n, p, out);
    if (ens_moments_finish(out, first + of.piece[0] * stride + d, p, mem, made,
                           &to->lost, NULL) == ENS_OK &&
        to->lost <= LOST)
        to->moments = made;
    to->largest = out + d - p; /* they come last */
    to->least = to->largest - p;
    return ENS_OK;
}

int ens_sl_finite(const struct ens_sl_job *job,
                  const struct ens_sl_layer *layer,
                  const struct ens_sl_data *data)
{
    struct ens_sl_state *st = job->st;
    /* texts are columns of layer 1 alone */
    size_t p = data->texts == st->texts || layer->number > 1 ? data->source.p
                                                             : st->width;
    struct ens_view sums;
    const double *n;
    size_t d;

    if (!st->has_moments || st->at.step != ENS_SL_FIT ||
        ens_sl_array_of(job, "sums", layer, st->leader, &sums, NULL) != ENS_OK)
        return 0;
    n = sums.data;
    d = ens_sl_sum_doubles(st->width);
    for (uint32_t b = 0; b < ens_sl_sum_pieces(layer, st->width); b++)
        if (isnan(n[b * d]) || is_dropped(n + b * d, p))
            return 0;
    return 1;
}
