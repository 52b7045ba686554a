/* The functions of kind `superlearner`. */
#include "base/bug.h"
#include "config/study.h"
#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/fit.h"
#include "kinds/superlearner/groups.h"
#include "kinds/superlearner/learn.h"
#include "kinds/superlearner/meta.h"
#include "kinds/superlearner/meta_lanes.h"
#include "kinds/superlearner/metas.h"
#include "kinds/superlearner/moments.h"
#include "kinds/superlearner/order.h"
#include "kinds/superlearner/scoring.h"
#include "kinds/superlearner/kind.h"
#include "kinds/superlearner/trees.h"

#include <stdio.h>
#include <stdlib.h>

static enum ens_status check_learner(const struct ens_sl *sl,
                                     const struct ens_host *host,
                                     const struct ens_cell *cell,
                                     struct ens_error *err)
{
    const struct ens_impl *impl = ens_cell_impl(cell, "learner");
    const struct ens_learner *learner = impl->ops;
    char place[ENS_CELL_PLACE];
    struct ens_arena arena;
    const void *options;
    enum ens_status s = ENS_OK;

    ens_cell_place(cell, "learner", "learner", place);
    if ((learner->families & ENS_LEARN_FAMILY(sl->family)) == 0)
        return ens_fail(
            err, ENS_ESTUDY, "%s learner = %s: not for family %s", place,
            impl->name,
            ens_study_value(sl->study, "superlearner", "family")->text);
    if (sl->weights != NULL && (learner->uses & ENS_LEARN_WEIGHTS) == 0)
        return ens_fail(err, ENS_ESTUDY,
                        "%s learner = %s: takes no weights (input %s)", place,
                        impl->name, sl->weights->name);
    ens_arena_init(&arena);
    s = ens_sl_options(sl, host, cell, learner, &arena, &options, err);
    ens_arena_fini(&arena);
    if (s == ENS_ESTUDY)
        return ens_wrap(err, s, "%s", place);
    return s;
}

/* Text that a learner sees: which one. */
static enum ens_status check_case(const struct ens_sl *sl,
                                  const struct ens_cell *cell,
                                  struct ens_error *err)
{
    char place[ENS_CELL_PLACE];
    int has_text = 0;
    enum ens_status s = ens_sl_case_check(sl, cell, err);

    for (size_t j = 0; sl->x->columns != NULL && j < sl->x->n_columns; j++)
        has_text |= sl->x->columns[j].levels != NULL;
    if (s != ENS_EINPUT || !has_text)
        return s;
    ens_cell_place(cell, "learner", "case", place);
    return ens_wrap(err, s, "%s", place);
}

/* Labels, and the user's folds, before anything runs: every sample. */
static enum ens_status check_order(const struct ens_sl *sl,
                                   const struct ens_sl_layer *layer,
                                   struct ens_error *err)
{
    size_t n = ens_sl_order_words(layer);
    int64_t *words = malloc(n * sizeof(*words));
    struct ens_arena arena;
    enum ens_status s = ENS_OK;

    if (words == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "folds of %llu rows: out of memory",
                        (unsigned long long)layer->n_in);
    ens_arena_init(&arena);
    for (uint32_t i = 0; i < layer->n_samples && s == ENS_OK; i++) {
        ens_arena_reset(&arena);
        s = ens_sl_order(sl, layer, i, &arena, words, err);
    }
    ens_arena_fini(&arena);
    free(words);
    return s;
}

static enum ens_status check_layers(const struct ens_sl *sl, uint32_t n_layers,
                                    struct ens_error *err)
{
    int has_labels = sl->id != NULL || sl->strata != NULL || sl->folds != NULL;
    struct ens_sl_layer layer;
    const struct ens_value *v;
    enum ens_status s = ENS_OK;

    for (uint32_t i = 1; i <= n_layers && s == ENS_OK; i++) {
        const char *g = NULL;

        while (s == ENS_OK && (g = ens_sl_group_after(sl, i, g)) != NULL) {
            s = ens_sl_layer(sl, i, g, &layer, err);
            if (s == ENS_OK && layer.is_shared && has_labels)
                s = check_order(sl, &layer, err);
        }
        if (s != ENS_OK)
            return s;
        v = ens_study_row_value(sl->study, "layer", layer.row, "propagate");
        for (size_t k = 0; v->set && k < v->n_list; k++)
            if (ens_sl_find_column(sl->x, v->list[k].text) == NULL)
                return ens_fail(err, ENS_ESTUDY,
                                "[layer %s] propagate: input X has no column "
                                "of numbers %s",
                                layer.row, v->list[k].text);
    }
    return s;
}

/* Sums of the first layer, or of its first group, are of all rows: they tell,
 * without a pass more. */
static enum ens_status check_response(const struct ens_sl *sl,
                                      const struct ens_plan *plan,
                                      const struct ens_host *host,
                                      struct ens_error *err)
{
    struct ens_sl_layer group;
    struct ens_sl_needs needs;
    enum ens_status s = ENS_OK;
    const char *g = NULL;

    while (s == ENS_OK && (g = ens_sl_group_after(sl, 1, g)) != NULL) {
        s = ens_sl_layer(sl, 1, g, &group, err);
        if (s == ENS_OK)
            s = ens_sl_needs(plan, host, &group, &needs, err);
        if (s == ENS_OK && needs.moments)
            return ENS_OK;
    }
    return s == ENS_OK ? ens_sl_check_response(sl, err) : s;
}

enum ens_status ens_sl_check(const struct ens_sl *sl,
                             const struct ens_plan *plan,
                             const struct ens_host *host, struct ens_error *err)
{
    uint64_t n = host->plan_n_cells(plan);
    const struct ens_score *score, *risk;
    struct ens_cell cell;
    enum ens_status s = ens_sl_scores(sl, &score, &risk, err);

    if (s == ENS_OK)
        s = check_layers(sl, ens_sl_n_layers(plan, host), err);
    for (uint64_t i = 0; i < n && s == ENS_OK; i++) {
        host->plan_cell(plan, i, &cell);
        s = check_learner(sl, host, &cell, err);
        if (s == ENS_OK)
            s = check_case(sl, &cell, err);
    }
    if (s == ENS_OK)
        s = ens_sl_meta_check(sl, host, err);
    return s == ENS_OK ? check_response(sl, plan, host, err) : s;
}

enum ens_status ens_sl_schemas(const struct ens_host *host,
                               struct ens_plan *plan, struct ens_error *err)
{
    uint32_t index;
    enum ens_status s = host->plan_schema(plan, ens_sl_fit_fields,
                                          ENS_SL_N_FIT_FIELDS, &index, err);

    return s == ENS_OK ? host->plan_schema(plan, ens_sl_meta_fields,
                                           ENS_SL_N_META_FIELDS, &index, err)
                       : s;
}

/* -- a worker -------------------------------------------------------------- */

void ens_sl_close(void *state)
{
    struct ens_sl_state *st = state;

    ens_parts_close(&st->parts);
    ens_arena_fini(&st->arena);
    ens_arena_fini(&st->cell_arena);
    free(st);
}

enum ens_status ens_sl_open(const struct ens_host *host,
                            const struct ens_plan *plan, void **state,
                            struct ens_error *err)
{
    struct ens_sl_state *st = calloc(1, sizeof(*st));
    enum ens_status s;

    if (st == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    st->host = host;
    st->plan = plan;
    st->n_layers = ens_sl_n_layers(plan, host);
    st->fit_schema = 0; /* in the order of ens_sl_schemas */
    st->meta_schema = 1;
    ens_arena_init(&st->arena);
    ens_arena_init(&st->cell_arena);
    s = ens_sl_read(&st->sl, plan, host, err);
    if (s == ENS_OK)
        s = ens_sl_scores(&st->sl, &st->score, &st->risk, err);
    if (s != ENS_OK)
        ens_sl_close(st);
    else
        *state = st;
    return s;
}

enum ens_status ens_sl_stage(void *state, const char *key, const void *data,
                             size_t bytes, struct ens_error *err)
{
    struct ens_sl_state *st = state;
    struct ens_sl_needs needs;
    struct ens_cell leader;
    enum ens_status s = ens_sl_stage_of(key, &st->at, err);

    (void)data;
    (void)bytes;
    if (s != ENS_OK)
        return s;
    st->has_moments = st->has_bins = 0;
    st->weighed = NULL;
    if (st->at.layer == 0)
        return ens_sl_meta_layer(&st->sl, st->n_layers, &st->layer, err);
    s = ens_sl_layer(&st->sl, st->at.layer, st->at.group, &st->layer, err);
    if (s == ENS_OK)
        s = ens_sl_needs(st->plan, st->host, &st->layer, &needs, err);
    if (s != ENS_OK)
        return s;
    st->has_moments = needs.moments;
    st->has_bins = needs.bins;
    st->leader = needs.leader;
    st->host->plan_cell(st->plan, needs.leader, &leader);
    st->texts = ens_sl_texts(&leader);
    st->width =
        ens_sl_width(&st->sl, st->plan, st->host, st->layer.number, st->texts);
    return ENS_OK;
}

enum ens_status ens_sl_cell(void *state, const struct ens_cell *cell,
                            struct ens_error *err)
{
    struct ens_sl_state *st = state;

    ens_arena_reset(&st->cell_arena);
    st->weighed = NULL;
    st->learner = ens_cell_impl(cell, "learner")->ops;
    return ens_sl_options(&st->sl, st->host, cell, st->learner, &st->cell_arena,
                          &st->options, err);
}

typedef enum ens_status run_fn(const struct ens_sl_job *job,
                               struct ens_error *err);

enum ens_status ens_sl_run(void *state, const struct ens_task *task,
                           struct ens_result *result, struct ens_error *err)
{
    static run_fn *const run[ENS_SL_N_STEPS] = {
        [ENS_SL_ROWS] = ens_sl_run_rows,
        [ENS_SL_LANES] = ens_sl_run_lanes,
        [ENS_SL_SUMS] = ens_sl_run_sums,
        [ENS_SL_EDGES] = ens_sl_run_edges,
        [ENS_SL_BINS] = ens_sl_run_bins,
        [ENS_SL_FIT] = ens_sl_run_fit,
        [ENS_SL_SORT] = ens_sl_run_sorted,
        [ENS_SL_META_LANES] = ens_sl_run_meta_lanes,
        [ENS_SL_META_RISKS] = ens_sl_run_meta_risks,
        [ENS_SL_META] = ens_sl_run_meta,
    };
    struct ens_sl_state *st = state;
    struct ens_sl_job job = {st, task, result};

    ens_arena_reset(&st->arena);
    return run[st->at.step](&job, err);
}

enum ens_status ens_sl_next_stage(void *state, const char *key,
                                  uint32_t stage_index, struct ens_records *in,
                                  struct ens_plan *plan, struct ens_error *err)
{
    struct ens_sl_state *st = state;

    (void)stage_index;
    (void)in;
    return ens_sl_next(st->host, key, plan, err);
}

/* "layer1/scaled.lasso[alpha=0.1]/r00003"; in group fast "layer1_fast/..." */
void ens_sl_label(const struct ens_plan *plan, const struct ens_task *task,
                  char *to, size_t cap)
{
    char learner[200];

    (void)plan;
    ens_sl_case_name(&task->cell, learner, sizeof(learner));
    snprintf(to, cap, "%s/%s/r%05u", task->stage, learner, task->replicate);
}
