/* model.ens: what was fitted on all rows, gathered from the artifacts of fits
 * and of the meta learner. */
#include "kinds/superlearner/fitted.h"

#include "base/buf.h"
#include "config/study.h"
#include "kinds/superlearner/groups.h"
#include "kinds/superlearner/meta.h"
#include "kinds/superlearner/models.h"
#include "kinds/superlearner/steps.h"
#include "learn/model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gathering {
    const struct ens_host *host;
    const struct ens_plan *plan;
    struct ens_tables_in *in;
    struct ens_sl sl;
    struct ens_arena arena;
    struct ens_model m;
    struct ens_model_layer *layer;
    struct ens_sl_model own;  /* of the meta learner */
    struct ens_records *lent; /* the last artifact is of these */
};

static void *get(struct gathering *g, size_t n, size_t size,
                 struct ens_error *err)
{
    void *p = ens_arena_alloc(&g->arena, n + 1, size);

    if (p == NULL)
        ens_fail(err, ENS_ENOMEMORY, ENS_MODEL_FILE ": out of memory");
    return p;
}

/* -- what X and y are -------------------------------------------------------
 */

static enum ens_status describe_columns(struct gathering *g,
                                        struct ens_error *err)
{
    const struct ens_input *x = g->sl.x;
    struct ens_model_column *c = get(g, (size_t)x->n_columns, sizeof(*c), err);

    if (c == NULL)
        return ENS_ENOMEMORY;
    for (uint64_t j = 0; j < x->n_columns; j++) {
        c[j].name = "";
        if (x->columns == NULL)
            continue;
        c[j].name = x->columns[j].name;
        c[j].level = x->columns[j].levels;
        c[j].n_levels = x->columns[j].levels ? x->columns[j].n_levels : 0;
    }
    g->m.column = c;
    g->m.n_columns = (uint32_t)x->n_columns;
    return ENS_OK;
}

/* Levels of a text, or numbers from 0. */
static enum ens_status describe_classes(struct gathering *g,
                                        struct ens_error *err)
{
    const struct ens_input *y = g->sl.y;
    const struct ens_column *c = y->columns;
    const char **name = get(g, g->sl.n_classes, sizeof(*name), err);

    g->m.family = g->sl.family;
    if (g->sl.family == ENS_OUTCOME_BINOMIAL ||
        g->sl.family == ENS_OUTCOME_MULTINOMIAL)
        g->m.n_classes = g->sl.n_classes;
    for (uint32_t k = 0; k < g->m.n_classes && name != NULL; k++) {
        int text = c != NULL && c->levels != NULL && k < c->n_levels;

        name[k] = text ? c->levels[k] : ens_arena_printf(&g->arena, "%u", k);
        if (name[k] == NULL)
            return ens_fail(err, ENS_ENOMEMORY,
                            ENS_MODEL_FILE ": out of memory");
    }
    g->m.class_ = name;
    return name ? ENS_OK : ENS_ENOMEMORY;
}

/* -- layers -----------------------------------------------------------------
 */

/* The artifact of the fit on all rows of a partition; NULL: none. Lent until
 * the next call: only one model is mapped at a time, but for the meta
 * learner's. */
static enum ens_status artifact_of(struct gathering *g, const char *stage,
                                   uint64_t cell, uint32_t replicate,
                                   const void **data, size_t *bytes,
                                   struct ens_error *err)
{
    struct ens_records *records;
    struct ens_record rec;
    const struct ens_schema *schema;
    enum ens_status s =
        g->host->stage_records(g->in, stage, cell, &records, err);

    *data = NULL;
    if (g->lent != NULL) /* takes it back */
        (void)g->host->next_record(g->lent, &rec, &schema);
    g->lent = s == ENS_OK ? records : NULL;
    while (s == ENS_OK && g->host->next_record(records, &rec, &schema))
        if (rec.replicate == replicate && rec.status == ENS_TASK_OK)
            return g->host->record_artifact(records, "model", data, bytes, err);
    return s;
}

/* Did all fits of a partition end well? As data.c has it: else there is no
 * column of it. */
static enum ens_status is_whole(struct gathering *g, const char *stage,
                                const struct ens_sl_layer *l, uint64_t cell,
                                uint32_t partition, int *whole,
                                struct ens_error *err)
{
    uint32_t ok = 0, n = 0;
    struct ens_records *records;
    struct ens_record rec;
    const struct ens_schema *schema;
    enum ens_status s =
        g->host->stage_records(g->in, stage, cell, &records, err);

    while (s == ENS_OK && g->host->next_record(records, &rec, &schema))
        ok += ens_sl_fit_of(l, rec.replicate).partition == partition &&
              rec.status == ENS_TASK_OK;
    for (uint32_t i = 1; i <= ens_sl_n_fits(l); i++)
        n += ens_sl_fit_of(l, i).partition == partition;
    *whole = ok == n;
    return s;
}

static enum ens_status add_fit(struct gathering *g,
                               const struct ens_sl_layer *l, uint64_t cell,
                               uint32_t j, struct ens_model_fit *fit,
                               struct ens_error *err)
{
    struct ens_sl_model own;
    const void *data;
    size_t bytes;
    char stage[ENS_SL_KEY];
    int whole;
    enum ens_status s;

    ens_sl_stage_key(ens_sl_at(l, ENS_SL_FIT), stage);
    s = is_whole(g, stage, l, cell, j, &whole, err);
    if (s == ENS_OK && whole)
        s = artifact_of(g, stage, cell,
                        ens_sl_replicate(l, (struct ens_sl_fit){0, j, 0}),
                        &data, &bytes, err);
    if (s != ENS_OK || !whole || data == NULL)
        return s;
    s = ens_sl_model_read(data, bytes, &own, err);
    if (s != ENS_OK)
        return s;
    fit->prep.bytes = own.prep_bytes;
    fit->model.bytes = own.model.bytes;
    return ENS_OK;
}

static enum ens_status name_outputs(struct gathering *g,
                                    const struct ens_sl_groups *groups,
                                    struct ens_model_layer *to,
                                    struct ens_error *err)
{
    const struct ens_sl_layer *l = &groups->of[0];
    size_t most =
        to->n_propagated + (size_t)to->n_learners * to->n_partitions * to->m;
    const char **out = get(g, most, sizeof(*out), err);

    to->out = out;
    if (out == NULL)
        return ENS_ENOMEMORY;
    for (uint32_t k = 0; k < to->n_propagated; k++)
        out[to->n_out++] =
            ens_study_row_value(g->sl.study, "layer", l->row, "propagate")
                ->list[k]
                .text;
    for (uint32_t j = 0; j < to->n_learners; j++) {
        struct ens_cell cell;

        g->host->plan_cell(g->plan, to->learner[j].cell, &cell);
        l = ens_sl_in_groups(groups, &cell);
        for (uint32_t k = 0; k < l->n_partitions; k++)
            for (size_t c = 0;
                 c < l->m && to->learner[j].fit[k].model.bytes > 0; c++) {
                const char *name =
                    ens_sl_column_name(&g->arena, l, to->learner[j].name, k, c);

                if (name == NULL)
                    return ens_fail(err, ENS_ENOMEMORY,
                                    ENS_MODEL_FILE ": out of memory");
                out[to->n_out++] = name;
            }
    }
    return ENS_OK;
}

static enum ens_status add_propagated(struct gathering *g,
                                      const struct ens_sl_layer *l,
                                      struct ens_model_layer *to,
                                      struct ens_error *err)
{
    const struct ens_value *v =
        ens_study_row_value(g->sl.study, "layer", l->row, "propagate");
    uint32_t *column = get(g, v->n_list, sizeof(*column), err);

    to->propagated = column;
    for (size_t i = 0; v->set && i < v->n_list && column != NULL; i++) {
        const struct ens_column *c =
            ens_sl_find_column(g->sl.x, v->list[i].text);

        if (c == NULL)
            return ens_fail(err, ENS_ESTUDY,
                            "[layer] propagate: input X has no column %s",
                            v->list[i].text);
        column[to->n_propagated++] = (uint32_t)(c - g->sl.x->columns);
    }
    return column ? ENS_OK : ENS_ENOMEMORY;
}

/* A learner of a group of fewer partitions than others has no model where they
 * have more, like one that failed. */
static enum ens_status add_learner(struct gathering *g,
                                   const struct ens_sl_layer *l,
                                   const struct ens_cell *cell,
                                   struct ens_model_layer *to,
                                   struct ens_error *err)
{
    struct ens_model_learner *e = &to->learner[to->n_learners++];
    char name[256];
    enum ens_status s = ENS_OK;

    ens_sl_learner_name(cell, name, sizeof(name));
    e->name = ens_arena_strdup(&g->arena, name);
    e->cell = cell->ordinal;
    e->fit = get(g, to->n_partitions, sizeof(*e->fit), err);
    if (e->name == NULL || e->fit == NULL)
        return ens_fail(err, ENS_ENOMEMORY, ENS_MODEL_FILE ": out of memory");
    for (uint32_t j = 0; j < l->n_partitions && s == ENS_OK; j++)
        s = add_fit(g, l, cell->ordinal, j, &e->fit[j], err);
    return s;
}

static enum ens_status add_layer(struct gathering *g, uint32_t number,
                                 struct ens_error *err)
{
    struct ens_model_layer *to = &g->layer[g->m.n_layers++];
    uint64_t n = g->host->plan_n_cells(g->plan);
    struct ens_sl_groups groups;
    const struct ens_sl_layer *l = &groups.of[0];
    struct ens_cell cell;
    enum ens_status s = ens_sl_groups(&g->sl, number, &groups, err);

    if (s != ENS_OK)
        return s;
    for (uint32_t i = 0; i < groups.n; i++)
        if (groups.of[i].n_partitions > to->n_partitions)
            to->n_partitions = groups.of[i].n_partitions;
    to->m = (uint32_t)l->m; /* all groups' */
    to->is_cut = !l->is_proba && g->m.n_classes > 0;
    to->learner = get(g, (size_t)n, sizeof(*to->learner), err);
    if (to->learner == NULL)
        return ENS_ENOMEMORY;
    for (uint64_t i = 0; i < n && s == ENS_OK; i++) {
        g->host->plan_cell(g->plan, i, &cell);
        l = ens_sl_in_groups(&groups, &cell);
        if (l != NULL)
            s = add_learner(g, l, &cell, to, err);
    }
    if (s == ENS_OK)
        s = add_propagated(g, &groups.of[0], to, err);
    return s == ENS_OK ? name_outputs(g, &groups, to, err) : s;
}

/* -- the meta learner -------------------------------------------------------
 */

/* Of the learner's own group. */
static uint32_t n_partitions(const struct gathering *g,
                             const struct ens_model_learner *e)
{
    struct ens_sl_layer l;
    struct ens_cell cell;

    g->host->plan_cell(g->plan, e->cell, &cell);
    return ens_sl_layer_of_cell(&g->sl, &cell, &l, NULL) == ENS_OK
               ? l.n_partitions
               : 0;
}

/* Weights of members that have a fit; the others' are 0. */
static enum ens_status read_weights(struct gathering *g,
                                    const unsigned char *data, size_t bytes,
                                    struct ens_error *err)
{
    const struct ens_model_layer *last = &g->layer[g->m.n_layers - 1];
    struct ens_cursor c = ens_cursor(data + 8, bytes - 8);
    uint64_t n = ens_cursor_u64(&c);

    g->m.meta = ENS_MODEL_WEIGHTS;
    g->m.weights.link = (enum ens_meta_link)ens_cursor_u64(&c);
    g->m.weights.trim = ens_cursor_f64(&c);
    g->m.weights.intercept = ens_cursor_f64(&c);
    if (n != ens_sl_n_members(&g->sl, g->plan, g->host))
        return ens_fail(err, ENS_ECORRUPT, "weights of other learners");
    g->m.weights.weight = get(g, (size_t)n, sizeof(double), err);
    if (g->m.weights.weight == NULL)
        return ENS_ENOMEMORY;
    for (uint32_t i = 0; i < last->n_learners; i++)
        for (uint32_t j = 0; j < n_partitions(g, &last->learner[i]); j++) {
            double w = ens_cursor_f64(&c);

            if (last->learner[i].fit[j].model.bytes > 0)
                g->m.weights.weight[g->m.n_weights++] = w;
        }
    return c.bad ? ens_fail(err, ENS_ECORRUPT, "weights: damaged") : ENS_OK;
}

static enum ens_status add_meta(struct gathering *g, struct ens_error *err)
{
    const void *data;
    size_t bytes = 0;
    enum ens_status s = artifact_of(g, "meta", 0, 1, &data, &bytes, err);

    if (s != ENS_OK)
        return s;
    if (data == NULL) /* it failed, or models are not retained */
        return ENS_ENOTFOUND;
    if (bytes >= 8 && memcmp(data, "ENSMETA1", 8) == 0)
        return read_weights(g, data, bytes, err);
    s = ens_sl_model_read(data, bytes, &g->own, err);
    if (s != ENS_OK)
        return s;
    g->lent = NULL; /* it stays */
    g->m.meta = ENS_MODEL_LEARNER;
    g->m.learner.bytes = g->own.model.bytes;
    return ENS_OK;
}

/* -- the file ---------------------------------------------------------------
 */

static enum ens_status put_blob(struct ens_model_writer *w, const void *data,
                                uint64_t bytes, struct ens_error *err)
{
    ens_model_next(w, bytes);
    return bytes > 0 ? ens_model_put(w, data, (size_t)bytes, err) : ENS_OK;
}

static enum ens_status put_fit(struct gathering *g, struct ens_model_writer *w,
                               const struct ens_model_learner *e, uint32_t j,
                               struct ens_error *err)
{
    struct ens_sl_layer l;
    struct ens_sl_model own;
    const void *data;
    char stage[ENS_SL_KEY];
    size_t bytes;
    struct ens_cell cell;
    enum ens_status s;

    g->host->plan_cell(g->plan, e->cell, &cell);
    s = ens_sl_layer_of_cell(&g->sl, &cell, &l, err);
    if (e->fit[j].model.bytes == 0 || s != ENS_OK)
        return s;
    ens_sl_stage_key(ens_sl_at(&l, ENS_SL_FIT), stage);
    s = artifact_of(g, stage, e->cell,
                    ens_sl_replicate(&l, (struct ens_sl_fit){0, j, 0}), &data,
                    &bytes, err);
    if (s == ENS_OK)
        s = ens_sl_model_read(data, bytes, &own, err);
    if (s == ENS_OK)
        s = put_blob(w, own.prep, own.prep_bytes, err);
    return s == ENS_OK ? put_blob(w, own.model.data, own.model.bytes, err) : s;
}

static enum ens_status put_all(struct gathering *g, struct ens_model_writer *w,
                               struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (uint32_t i = 0; i < g->m.n_layers; i++)
        for (uint32_t j = 0; j < g->layer[i].n_learners; j++)
            for (uint32_t k = 0; k < g->layer[i].n_partitions && s == ENS_OK;
                 k++)
                s = put_fit(g, w, &g->layer[i].learner[j], k, err);
    if (s == ENS_OK && g->m.meta == ENS_MODEL_LEARNER)
        s = put_blob(w, g->own.model.data, g->own.model.bytes, err);
    return s;
}

/* The study without facts of the run, so that the file has the same bytes
 * however it ran: sections run and stop, where results go. */
static void write_study(const struct ens_study *study, struct ens_buf *to)
{
    struct ens_buf all = ENS_BUF_INIT;
    int keep = 1;

    ens_study_write(study, &all);
    for (const char *p = ens_buf_text(&all), *end; *p != '\0'; p = end) {
        end = p + strcspn(p, "\n");
        end += *end == '\n';
        if (*p == '[')
            keep = strncmp(p, "[run]", 5) != 0 && strncmp(p, "[stop]", 6) != 0;
        if (keep && strncmp(p, "results = ", 10) != 0)
            ens_buf_put(to, p, (size_t)(end - p));
    }
    to->failed |= all.failed;
    ens_buf_fini(&all);
}

static enum ens_status gather(struct gathering *g, struct ens_buf *study,
                              struct ens_error *err)
{
    uint32_t n = ens_sl_n_layers(g->plan, g->host);
    enum ens_status s = ens_sl_read(&g->sl, g->plan, g->host, err);

    if (s != ENS_OK)
        return s;
    if (g->sl.is_select || g->sl.x->n_columns > UINT32_MAX)
        return ENS_ENOTFOUND;
    write_study(g->sl.study, study);
    g->m.study = (const char *)study->data;
    g->m.study_bytes = study->len;
    g->m.layer = g->layer = get(g, n, sizeof(*g->layer), err);
    if (g->layer == NULL || study->failed)
        return ens_fail(err, ENS_ENOMEMORY, ENS_MODEL_FILE ": out of memory");
    s = describe_columns(g, err);
    if (s == ENS_OK)
        s = describe_classes(g, err);
    for (uint32_t i = 1; i <= n && s == ENS_OK; i++)
        s = add_layer(g, i, err);
    return s == ENS_OK ? add_meta(g, err) : s;
}

static enum ens_status write_model(const struct ens_host *host,
                                   const struct ens_plan *plan,
                                   struct ens_tables_in *in, ens_bytes_fn *put,
                                   void *arg, struct ens_error *err)
{
    struct gathering g = {.host = host, .plan = plan, .in = in};
    struct ens_buf study = ENS_BUF_INIT;
    struct ens_model_writer w;
    enum ens_status s = gather(&g, &study, err);

    if (s == ENS_OK)
        s = ens_model_begin(&w, &g.m, put, arg, err);
    if (s == ENS_OK) {
        s = put_all(&g, &w, err);
        if (s == ENS_OK)
            s = ens_model_end(&w, err);
        else
            ens_model_drop(&w);
    }
    ens_buf_fini(&study);
    ens_arena_fini(&g.arena);
    return s;
}

const struct ens_file_def ens_sl_files[ENS_SL_N_FILES] = {
    {ENS_MODEL_FILE, "the fitted super learner, for `ensrun predict`",
     write_model},
};
