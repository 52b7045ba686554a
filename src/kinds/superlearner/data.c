/* What a task reads: columns, response, folds. Nothing is copied: views of
 * inputs and arrays, and rows as ranges or slices of a shared array. */
#include "kinds/superlearner/groups.h"
#include "kinds/superlearner/state.h"

#include "base/bug.h"
#include "config/study.h"
#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/kind.h"
#include "kinds/superlearner/members.h"
#include "kinds/superlearner/moments.h"
#include "learn/order.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ens_sl_row_name(const struct ens_cell *cell, char *to, size_t cap)
{
    const char *row = ens_cell_row(cell, "learner");
    size_t n, first = 1;

    n = (size_t)snprintf(to, cap, "%s",
                         *row != '\0' ? row
                                      : ens_cell_impl(cell, "learner")->name);
    for (size_t i = 0; i < ens_study_n_axis_columns(cell->study); i++) {
        const struct ens_axis_column *c = ens_study_axis_column(cell->study, i);

        if (c->key == NULL || strcmp(c->key, "case") == 0 ||
            strcmp(c->key, "layer") == 0 || strcmp(c->key, "group") == 0 ||
            !ens_cell_varies(cell, "learner", c->key) || n >= cap)
            continue;
        n += (size_t)snprintf(to + n, cap - n, "%s%s=%s", first ? "[" : ",",
                              c->key, ens_cell_axis_text(cell, i));
        first = 0;
    }
    if (!first && n < cap)
        snprintf(to + n, cap - n, "]");
}

void ens_sl_case_name(const struct ens_cell *cell, char *to, size_t cap)
{
    const char *prep = ens_cell_value(cell, "learner", "case")->text;
    size_t n = (size_t)snprintf(to, cap, "%s%s", prep, *prep ? "." : "");

    if (n < cap)
        ens_sl_row_name(cell, to + n, cap - n);
}

void ens_sl_learner_name(const struct ens_cell *cell, char *to, size_t cap)
{
    const char *group = ens_sl_group_of(cell);
    size_t n = (size_t)snprintf(to, cap, "%s%s", group, *group ? "/" : "");

    if (n < cap)
        ens_sl_case_name(cell, to + n, cap - n);
}

/* -- arrays -------------------------------------------------------------- */

enum ens_status ens_sl_array_of(const struct ens_sl_job *job, const char *stem,
                                const struct ens_sl_layer *layer, uint64_t cell,
                                struct ens_view *view, struct ens_error *err)
{
    char name[ENS_SL_KEY];

    ens_sl_array(name, stem, layer);
    return job->st->host->array_of(job->result, name, cell, view, err);
}

/* -- folds --------------------------------------------------------------- */

enum ens_status ens_sl_outer(const struct ens_sl *sl,
                             const struct ens_sl_layer *layer, uint32_t sample,
                             struct ens_arena *arena, struct ens_rowset *in,
                             struct ens_rowset *out, struct ens_error *err)
{
    struct ens_folds_spec spec = {.type = ENS_FOLDS_STACK,
                                  .folds = sl->n_outer};
    struct ens_span *span = ens_arena_alloc(arena, 1, sizeof(*span));
    struct ens_folds f;
    enum ens_status s;

    if (span == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    *in = ens_rowset_one(span, NULL, 0, layer->n_in);
    *out = (struct ens_rowset){0, 0, NULL};
    if (sample == 0)
        return ENS_OK;
    s = ens_folds_open(&spec, in, NULL, &f, err);
    if (s == ENS_OK)
        s = ens_folds_test(&f, sample, arena, out, err);
    return s == ENS_OK ? ens_folds_train(&f, 0, sample, arena, in, err) : s;
}

/* The first learner of a group: what is nobody's is its. */
static uint64_t leader_of(const struct ens_sl_state *st,
                          const struct ens_sl_layer *layer)
{
    uint64_t i = 0, n = st->host->plan_n_cells(st->plan);
    struct ens_cell cell;

    if (st->at.layer == layer->number &&
        strcmp(st->at.group, layer->group) == 0)
        return st->leader;
    for (; i + 1 < n; i++) {
        st->host->plan_cell(st->plan, i, &cell);
        if (ens_sl_is_in(&cell, layer))
            break;
    }
    return i;
}

/* rowsL: for each sample its number of rows n, where groups of folds begin,
 * and rows: n of them, then those that are left out. */
static enum ens_status shared_folds(const struct ens_sl_job *job,
                                    const struct ens_sl_layer *layer,
                                    uint32_t sample, struct ens_folds *folds,
                                    struct ens_rowset *out,
                                    struct ens_error *err)
{
    struct ens_arena *arena = &job->st->arena;
    struct ens_span *span = ens_arena_alloc(arena, 2, sizeof(*span));
    uint64_t n_start = ens_order_starts(&layer->spec);
    struct ens_view view;
    struct ens_rowset base;
    const int64_t *row;
    enum ens_status s;

    if (span == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = ens_sl_array_of(job, "rows", layer, leader_of(job->st, layer), &view,
                        err);
    if (s != ENS_OK)
        return s;
    row = (const int64_t *)view.data + sample * (1 + n_start + layer->n_in);
    if (row[0] <= 0)
        return ens_fail(err, ENS_EDOMAIN,
                        "layer %u: its folds could not be made", layer->number);
    base = ens_rowset_one(&span[0], row + 1 + n_start, 0, (uint64_t)row[0]);
    *out = ens_rowset_one(&span[1], row + 1 + n_start, (uint64_t)row[0],
                          layer->n_in - (uint64_t)row[0]);
    if (out->n == 0)
        out->n_spans = 0;
    return ens_folds_open(&layer->spec, &base, (const uint64_t *)(row + 1),
                          folds, err);
}

enum ens_status ens_sl_folds(const struct ens_sl_job *job,
                             const struct ens_sl_layer *layer, uint32_t sample,
                             struct ens_folds *folds, struct ens_rowset *out,
                             struct ens_error *err)
{
    struct ens_arena *arena = &job->st->arena;
    struct ens_rowset in;
    enum ens_status s;

    if (layer->is_shared)
        return shared_folds(job, layer, sample, folds, out, err);
    s = ens_sl_outer(&job->st->sl, layer, sample, arena, &in, out, err);
    return s == ENS_OK ? ens_folds_open(&layer->spec, &in, NULL, folds, err)
                       : s;
}

/* -- columns ------------------------------------------------------------- */

struct input { /* of a layer, being put together */
    const struct ens_sl_job *job;
    const struct ens_sl_layer *layer;
    uint32_t sample;
    struct ens_learn_source *source;
    unsigned char *failed; /* by column; NULL: those are left out */
    struct ens_sl_data *data;
};

/* Rows of X that are the layer's. */
static enum ens_status map_rows(const struct input *in,
                                const struct ens_rowset **map,
                                struct ens_error *err)
{
    const struct ens_sl_layer *l = in->layer;
    struct ens_sl_state *st = in->job->st;
    struct ens_rowset *set = ens_arena_alloc(&st->arena, 1, sizeof(*set));
    struct ens_span *span = ens_arena_alloc(&st->arena, 1, sizeof(*span));
    const struct ens_sl_layer by = ens_sl_mapping(&st->sl, l->mapped_by);
    struct ens_view index = {.data = NULL};
    enum ens_status s = ENS_OK;

    if (set == NULL || span == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (l->mapped_by > 0)
        s = ens_sl_array_of(in->job, "index", &by, leader_of(st, &by), &index,
                            err);
    *set = ens_rowset_one(span, index.data, l->first_y, l->n_in);
    *map = set;
    return s;
}

/* Rows of what that layer predicted that are this layer's. */
static enum ens_status map_predicted(const struct input *in,
                                     const struct ens_sl_layer *from,
                                     const struct ens_rowset **map,
                                     struct ens_error *err)
{
    struct ens_arena *arena = &in->job->st->arena;
    struct ens_rowset *set = ens_arena_alloc(arena, 1, sizeof(*set));
    struct ens_span *span = ens_arena_alloc(arena, 1, sizeof(*span));
    uint64_t first = from->is_picked ? 0 : from->first_y + from->first_out;

    if (set == NULL || span == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    *set =
        ens_rowset_one(span, NULL, in->layer->first_y - first, in->layer->n_in);
    *map = set;
    return ENS_OK;
}

/* One view of what a learner of an earlier layer predicted of that sample. */
static enum ens_status predicted(const struct input *in,
                                 const struct ens_sl_layer *from, uint64_t cell,
                                 struct ens_view *view, struct ens_error *err)
{
    enum ens_status s =
        ens_sl_array_of(in->job, in->sample == 0 ? "predicted" : "outer", from,
                        cell, view, err);

    if (s != ENS_OK || in->sample == 0)
        return s;
    view->data = (const char *)view->data + (in->sample - 1) * view->strides[0];
    view->ndim--;
    memmove(view->shape, view->shape + 1, view->ndim * sizeof(*view->shape));
    memmove(view->strides, view->strides + 1,
            view->ndim * sizeof(*view->strides));
    return ENS_OK;
}

/* First fit of the learner that failed: then it has no column. 0: none. */
static enum ens_status find_failed(const struct input *in,
                                   const struct ens_sl_layer *from,
                                   uint64_t cell, uint32_t partition,
                                   uint32_t *replicate, struct ens_error *err)
{
    struct ens_view view;
    enum ens_status s =
        ens_sl_array_of(in->job, "fits", from, cell, &view, err);
    const double *ok;

    if (s != ENS_OK)
        return s;
    ok = view.data;
    *replicate = 0;
    for (uint32_t i = ens_sl_n_fits(from); i >= 1; i--)
        if (ens_sl_fit_of(from, i).partition == partition && isnan(ok[i - 1]))
            *replicate = i;
    return ENS_OK;
}

/* "layer1/own/r00002, without fold 1" */
static const char *name_fit(const struct input *in,
                            const struct ens_sl_layer *from,
                            const struct ens_cell *cell, uint32_t replicate)
{
    struct ens_arena *arena = &in->job->st->arena;
    struct ens_sl_fit fit = ens_sl_fit_of(from, replicate);
    struct ens_task task = {.cell = *cell, .replicate = replicate};
    char stage[ENS_SL_KEY], label[280];

    ens_sl_stage_key(ens_sl_at(from, ENS_SL_FIT), stage);
    task.stage = stage;
    ens_sl_label(in->job->st->plan, &task, label, sizeof(label));
    if (fit.fold == 0)
        return ens_arena_printf(arena, "%s, of all rows", label);
    return ens_arena_printf(arena, "%s, without fold %u", label, fit.fold);
}

static enum ens_status add_partition(const struct input *in,
                                     const struct ens_sl_layer *from,
                                     const struct ens_cell *cell, uint32_t j,
                                     struct ens_error *err)
{
    struct ens_arena *arena = &in->job->st->arena;
    const char **name = ens_arena_alloc(arena, from->m, sizeof(*name));
    const struct ens_rowset *map = NULL;
    struct ens_view view;
    char learner[256];
    uint32_t bad;
    enum ens_status s;

    s = find_failed(in, from, cell->ordinal, j, &bad, err);
    if (s != ENS_OK)
        return s;
    ens_sl_learner_name(cell, learner, sizeof(learner));
    if (bad > 0 && in->failed == NULL) {
        in->job->st->host->warn(
            in->job->result,
            ens_arena_printf(arena, "left out, as a fit of it failed: %s (%s)",
                             learner, name_fit(in, from, cell, bad)));
        return ENS_OK;
    }
    if (bad > 0) {
        memset(in->failed + in->source->p, 1, from->m);
        if (in->data->failure == NULL)
            in->data->failure = name_fit(in, from, cell, bad);
    }
    for (size_t k = 0; name != NULL && k < from->m; k++)
        name[k] = ens_sl_column_name(arena, from, learner, j, k);
    if (name == NULL || name[from->m - 1] == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = predicted(in, from, cell->ordinal, &view, err);
    if (s == ENS_OK)
        s = map_predicted(in, from, &map, err);
    return s == ENS_OK
               ? ens_learn_source_add_view(in->source, &view, j * from->m,
                                           from->m, name, map, err)
               : s;
}

const char *ens_sl_column_name(struct ens_arena *arena,
                               const struct ens_sl_layer *layer,
                               const char *learner, uint32_t j, size_t k)
{
    char part[24] = "", class[24] = "";

    if (layer->n_partitions > 1)
        snprintf(part, sizeof(part), "/%u", j + 1);
    if (layer->m > 1)
        snprintf(class, sizeof(class), ":%zu", k);
    return ens_arena_printf(arena, "%s%s%s", learner, part, class);
}

/* Predictions of all learners of a layer. */
static enum ens_status add_layer(const struct input *in, uint32_t number,
                                 struct ens_error *err)
{
    struct ens_sl_state *st = in->job->st;
    uint64_t n = st->host->plan_n_cells(st->plan);
    struct ens_sl_groups groups;
    struct ens_cell cell;
    enum ens_status s = ens_sl_groups(&st->sl, number, &groups, err);

    for (uint64_t i = 0; i < n && s == ENS_OK; i++) {
        const struct ens_sl_layer *from;

        st->host->plan_cell(st->plan, i, &cell);
        from = ens_sl_in_groups(&groups, &cell);
        for (uint32_t j = 0;
             from != NULL && j < from->n_partitions && s == ENS_OK; j++)
            s = add_partition(in, from, &cell, j, err);
    }
    return s;
}

/* A column of X by its name or number. */
static enum ens_status add_of_x(const struct input *in, const char *name,
                                struct ens_error *err)
{
    const struct ens_input *x = in->job->st->sl.x;
    const struct ens_column *c = ens_sl_find_column(x, name);
    const struct ens_rowset *map;
    enum ens_status s;

    if (c == NULL)
        return ens_fail(err, ENS_ESTUDY,
                        "[layer] propagate: input X has no column %s", name);
    s = map_rows(in, &map, err);
    return s == ENS_OK ? ens_learn_source_add_view(in->source, &c->view, 0, 1,
                                                   &name, map, err)
                       : s;
}

const struct ens_column *ens_sl_find_column(const struct ens_input *x,
                                            const char *name)
{
    const struct ens_column *c = ens_input_column(x, name);
    char *end;
    unsigned long long i = strtoull(name, &end, 10);

    if (c == NULL && *end == '\0' && i >= 1 && i <= x->n_columns &&
        x->columns != NULL)
        c = &x->columns[i - 1];
    return c == NULL || c->levels != NULL ? NULL : c;
}

/* Columns that layer `number` hands on: of X, in any layer. */
static enum ens_status add_propagated(const struct input *in, uint32_t number,
                                      struct ens_error *err)
{
    const struct ens_value *v;
    char row[12];
    enum ens_status s = ENS_OK;

    snprintf(row, sizeof(row), "%u", number);
    v = ens_study_row_value(in->job->st->sl.study, "layer", row, "propagate");
    for (size_t i = 0; v->set && i < v->n_list && s == ENS_OK; i++)
        s = add_of_x(in, v->list[i].text, err);
    return s;
}

static enum ens_status add_columns(const struct input *in, enum ens_texts texts,
                                   struct ens_error *err)
{
    enum ens_status s;

    if (in->layer->number == 1)
        return ens_learn_source_add_input(in->source, in->job->st->sl.x, texts,
                                          NULL, err);
    s = add_propagated(in, in->layer->number - 1, err);
    in->source->finite = in->source->p == 0; /* predictions are: see fits */
    if (s == ENS_OK)
        s = add_layer(in, in->layer->number - 1, err);
    if (s == ENS_OK && in->source->p == 0)
        return ens_fail(err, ENS_EDOMAIN,
                        "layer %u: every learner of the layer before failed",
                        in->layer->number);
    return s;
}

/* -- response ------------------------------------------------------------ */

static enum ens_status open_one(const struct ens_input *from,
                                const struct ens_rowset *map,
                                struct ens_learn_source *to,
                                struct ens_error *err)
{
    if (from->columns != NULL && from->columns[0].levels != NULL)
        return ens_learn_source_add_view(to, &from->columns[0].view, 0, 1,
                                         &from->name, map, err);
    return ens_learn_source_add_input(to, from, ENS_TEXTS_REFUSED, map, err);
}

static enum ens_status add_one(const struct input *in,
                               struct ens_learn_source *to,
                               const struct ens_input *from,
                               struct ens_error *err)
{
    const struct ens_rowset *map;
    enum ens_status s = map_rows(in, &map, err);

    if (s != ENS_OK)
        return s;
    ens_learn_source_init(to, in->layer->n_in, &in->job->st->arena);
    return open_one(from, map, to, err);
}

static struct ens_response response_of(const struct ens_sl *sl,
                                       const struct ens_learn_source *y,
                                       const struct ens_learn_source *w)
{
    return (struct ens_response){
        .family = sl->family,
        .n_classes = sl->n_classes,
        .y = y,
        .w = sl->weights == NULL ? NULL : w,
    };
}

static enum ens_status check_values(const struct ens_sl *sl,
                                    const struct ens_rows *rows,
                                    const struct ens_response *response,
                                    struct ens_error *err)
{
    double block[ENS_SL_BLOCK];
    enum ens_status s = ENS_OK;

    for (uint64_t at = 0; at < rows->n && s == ENS_OK; at += ENS_SL_BLOCK) {
        size_t n =
            rows->n - at < ENS_SL_BLOCK ? (size_t)(rows->n - at) : ENS_SL_BLOCK;

        rows->y(rows, at, n, block);
        if (rows->weighted)
            rows->w(rows, at, n, block);
        s = ens_sl_refuse(sl, rows, response, err);
    }
    return s;
}

enum ens_status ens_sl_check_response(const struct ens_sl *sl,
                                      struct ens_error *err)
{
    struct ens_arena arena;
    struct ens_learn_source none, y, w;
    struct ens_response response = response_of(sl, &y, &w);
    struct ens_span span;
    struct ens_rows_spec spec = {.source = &none,
                                 .set =
                                     ens_rowset_one(&span, NULL, 0, sl->n_rows),
                                 .response = &response};
    struct ens_rows rows;
    enum ens_status s;

    ens_arena_init(&arena);
    ens_learn_source_init(&none, sl->n_rows, &arena);
    ens_learn_source_init(&y, sl->n_rows, &arena);
    ens_learn_source_init(&w, sl->n_rows, &arena);
    s = open_one(sl->y, NULL, &y, err);
    if (s == ENS_OK && sl->weights != NULL)
        s = open_one(sl->weights, NULL, &w, err);
    if (s == ENS_OK)
        s = ens_rows_open(&spec, &arena, &rows, err);
    if (s == ENS_OK)
        s = check_values(sl, &rows, &response, err);
    ens_arena_fini(&arena);
    return s;
}

static enum ens_status add_response(const struct input *in,
                                    struct ens_sl_data *data,
                                    struct ens_error *err)
{
    const struct ens_sl *sl = &in->job->st->sl;
    enum ens_status s = add_one(in, &data->y, sl->y, err);

    if (s == ENS_OK && sl->weights != NULL)
        s = add_one(in, &data->w, sl->weights, err);
    data->response = response_of(sl, &data->y, &data->w);
    return s;
}

enum ens_status ens_sl_predictions(const struct ens_sl_job *job,
                                   const struct ens_sl_layer *layer,
                                   uint32_t sample, struct ens_sl_data *data,
                                   struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    struct input in = {job, layer, sample, &data->source, NULL, data};
    enum ens_status s;

    *data = (struct ens_sl_data){.texts = ENS_TEXTS_REFUSED};
    in.failed = data->failed =
        ens_arena_alloc(&st->arena,
                        ens_sl_width(&st->sl, st->plan, st->host, layer->number,
                                     ENS_TEXTS_REFUSED),
                        1);
    if (in.failed == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_learn_source_init(&data->source, layer->n_in, &st->arena);
    s = add_layer(&in, layer->number - 1, err);
    return s == ENS_OK ? add_response(&in, data, err) : s;
}

enum ens_status ens_sl_data(const struct ens_sl_job *job,
                            const struct ens_sl_layer *layer, uint32_t sample,
                            enum ens_texts texts, struct ens_sl_data *data,
                            struct ens_error *err)
{
    struct input in = {job, layer, sample, &data->source, NULL, data};
    enum ens_status s;

    data->texts = texts;
    data->bins = NULL;
    data->failed = NULL;
    data->failure = NULL;
    ens_learn_source_init(&data->source, layer->n_in, &job->st->arena);
    s = add_columns(&in, texts, err);
    return s == ENS_OK ? add_response(&in, data, err) : s;
}
