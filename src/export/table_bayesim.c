/* Tables tasks and cells under the names of bayesim (R): its summary of a run,
 * with a row for every task of the design, and its performance measures.
 *
 *   task -> task_id                      status ok -> success; failed, timeout,
 *   replicate -> rep_idx                 crashed -> failed; no record: pending,
 *   error -> error_message               skipped behind an adaptive stop
 *   estimate__X, std_error__X, conf_low__X, conf_high__X
 *     -> posterior_summary__mean__X, __sd__X, __q_lower__X, __q_upper__X,
 *        unless the study has columns of these names
 *   diagnostics__NAME -> NAME
 *   data, fit -> data_name, fit_name
 *   sd -> emp_se, n_used -> n_sim; where truths vary, bias -> mean_error and
 *     mse -> error_mse (cells)
 */
#include "export/table.h"

#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_BYTES 256
#define NAME_BYTES  512

/* -- names -------------------------------------------------------------------
 */

static int starts(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static int has_summary(const struct ens_tables *t)
{
    for (size_t i = 0; i < t->fields.n; i++)
        if (starts(t->fields.column[i].name, "posterior_summary__"))
            return 1;
    return 0;
}

static void field_name(const struct ens_tables *t, const char *name,
                       char to[NAME_BYTES])
{
    static const char *const part[][2] = {
        {"estimate__", "posterior_summary__mean__"},
        {"std_error__", "posterior_summary__sd__"},
        {"conf_low__", "posterior_summary__q_lower__"},
        {"conf_high__", "posterior_summary__q_upper__"},
    };

    snprintf(to, NAME_BYTES, "%.500s",
             starts(name, "diagnostics__") ? strchr(name, '_') + 2 : name);
    for (size_t k = 0; k < ENS_COUNT(part); k++)
        if (starts(name, part[k][0]) && !has_summary(t))
            snprintf(to, NAME_BYTES, "%s%.400s", part[k][1],
                     name + strlen(part[k][0]));
}

/* Metrics, truths, then diagnostics. */
enum group { METRICS, TRUTHS, DIAGNOSTICS, GROUPS };

static enum group group_of(const char *name)
{
    return starts(name, "truth__")         ? TRUTHS
           : starts(name, "diagnostics__") ? DIAGNOSTICS
                                           : METRICS;
}

static void axis_columns(const struct ens_tables *t, struct ens_columns *c)
{
    struct ens_columns axes = {.arena = ENS_ARENA_INIT};

    ens_columns_axes(&axes, t);
    c->failed |= axes.failed;
    for (size_t i = 0; i < axes.n; i++) {
        const struct ens_table_column *a = &axes.item[i];
        int is_row = ens_study_axis_column(t->study, i)->key == NULL;
        char name[NAME_BYTES];

        snprintf(name, sizeof(name), "%.127s%s", a->name,
                 is_row ? "_name" : "");
        ens_columns_add(c, name, a->type, a->unit, a->help);
    }
    ens_columns_fini(&axes);
}

/* -- tasks -------------------------------------------------------------------
 */

static void tasks_columns(const struct ens_tables *t, struct ens_columns *c)
{
    ens_columns_add(c, "task_id", ENS_DATUM_TEXT, "", "label of the task");
    ens_columns_add(c, "status", ENS_DATUM_TEXT, "",
                    "success, failed, pending or skipped");
    ens_columns_add(c, "stop_reason", ENS_DATUM_TEXT, "", "why it is skipped");
    for (int g = 0; g < GROUPS; g++)
        for (size_t i = 0; i < t->fields.n; i++) {
            const struct ens_table_column *f = &t->fields.column[i];
            char name[NAME_BYTES];

            if ((int)group_of(f->name) != g)
                continue;
            field_name(t, f->name, name);
            ens_columns_add(c, name, f->type, f->unit, f->help);
        }
    ens_columns_add(c, "error_class", ENS_DATUM_TEXT, "",
                    "failed, timeout or crashed");
    ens_columns_add(c, "error_message", ENS_DATUM_TEXT, "",
                    "why the task failed");
    ens_columns_add(c, "timing_total", ENS_DATUM_NUM, "s", "wall time");
    ens_columns_add(c, "rep_idx", ENS_DATUM_INT, "", "number of the replicate");
    axis_columns(t, c);
}

struct tasks {
    const struct ens_tables *t;
    struct ens_row *row;
    size_t *place; /* of each field, among the fields */
};

static void put_status(const struct tasks *a, const struct ens_table_task *task)
{
    const struct ens_stopping *stop = a->t->rq.stopping;
    uint32_t at = ens_stopping_at(stop, task->task.cell.ordinal);
    int skipped = task->record == NULL && at > 0 && task->task.replicate > at;

    ens_row_string(a->row, task->record == NULL
                               ? skipped ? "skipped" : "pending"
                           : task->record->status == ENS_TASK_OK ? "success"
                                                                 : "failed");
    if (skipped)
        ens_row_string(a->row, "adaptive_stop");
    else
        ens_row_none(a->row);
}

static void put_fields(const struct tasks *a, const struct ens_record *r)
{
    const struct ens_fields *f = &a->t->fields;
    struct ens_datum *first = a->row->d + a->row->at;
    const struct ens_fields_map *map = NULL;

    for (size_t i = 0; i < f->n; i++)
        ens_row_none(a->row);
    if (r != NULL && r->status == ENS_TASK_OK)
        map = ens_fields_find(f, r->schema);
    for (size_t i = 0; map != NULL && i < map->schema->n; i++)
        ens_fields_value(r, map->schema, i, &first[a->place[map->column[i]]]);
}

static void put_error(struct ens_row *row, const struct ens_record *r)
{
    size_t n = 0;
    const char *p = r == NULL ? NULL : ens_record_error(r, &n);

    if (r == NULL || r->status == ENS_TASK_OK)
        ens_row_none(row);
    else
        ens_row_string(row, ens_outcome_text(r->status));
    if (p == NULL)
        ens_row_none(row);
    else
        ens_row_text(row, p, n);
}

static enum ens_status tasks_row(void *arg, const struct ens_table_task *task,
                                 struct ens_error *err)
{
    const struct tasks *a = arg;
    char label[LABEL_BYTES];

    ens_plan_label(a->t->rq.plan, &task->task, label, LABEL_BYTES);
    ens_row_string(a->row, label);
    put_status(a, task);
    put_fields(a, task->record);
    put_error(a->row, task->record);
    if (task->record == NULL)
        ens_row_none(a->row);
    else
        ens_row_num(a->row, task->record->seconds);
    ens_row_int(a->row, task->task.replicate);
    ens_row_axes(a->row, a->t, task->cell);
    return ens_row_end(a->row, err);
}

static enum ens_status tasks_rows(const struct ens_tables *t,
                                  struct ens_row *row, struct ens_error *err)
{
    size_t n = t->fields.n, at = 0;
    struct tasks a = {t, row, calloc(n + 1, sizeof(*a.place))};
    enum ens_status s;

    if (a.place == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    for (int g = 0; g < GROUPS; g++)
        for (size_t i = 0; i < n; i++)
            if ((int)group_of(t->fields.column[i].name) == g)
                a.place[i] = at++;
    s = ens_tables_walk_planned(t, tasks_row, &a, err);
    free(a.place);
    return s;
}

static const struct ens_table bayesim_tasks = {
    .name = "tasks",
    .help = "a row per task of the design, under the names of bayesim",
    .per_task = 1,
    .columns = tasks_columns,
    .rows = tasks_rows,
};

/* -- cells -------------------------------------------------------------------
 */

/* Columns of the table cells: the stage if there is one, the cell, the axes,
 * then these. Stage and cell are left out. */
enum { ESTIMAND, MEASURE, VALUE, MCSE, N_USED, N_MISSING, CELLS_LAST };

static void cells_columns(const struct ens_tables *t, struct ens_columns *c)
{
    axis_columns(t, c);
    ens_columns_add(c, "estimand", ENS_DATUM_TEXT, "", "what is measured");
    ens_columns_add(c, "measure", ENS_DATUM_TEXT, "", "by which measure");
    ens_columns_add(c, "value", ENS_DATUM_NUM, "", "of the measure");
    ens_columns_add(c, "mcse", ENS_DATUM_NUM, "",
                    "Monte Carlo standard error of the value");
    ens_columns_add(c, "n_sim", ENS_DATUM_INT, "", "tasks that contribute");
}

struct cells {
    struct ens_row *row;
    size_t skip; /* columns before the axes */
    size_t n_axes;
    int varies; /* truths of this estimand do, by its row error_sd */
};

static int is_text(const struct ens_datum *d, const char *text)
{
    return d->as.text.n == strlen(text) &&
           memcmp(d->as.text.p, text, d->as.text.n) == 0;
}

/* Rows of an estimand follow each other: mean first, error_sd before those
 * of errors. */
static void put_measure(struct cells *a, const struct ens_datum *measure)
{
    if (is_text(measure, "mean")) /* the first row of each */
        a->varies = 0;
    a->varies |= is_text(measure, "error_sd");
    if (is_text(measure, "sd"))
        ens_row_string(a->row, "emp_se");
    else if (a->varies && is_text(measure, "bias"))
        ens_row_string(a->row, "mean_error");
    else if (a->varies && is_text(measure, "mse"))
        ens_row_string(a->row, "error_mse");
    else
        ens_row_datum(a->row, measure);
}

static enum ens_status cells_row(void *arg, const struct ens_datum *d,
                                 struct ens_error *err)
{
    struct cells *a = arg;
    const struct ens_datum *last = d + a->skip + a->n_axes;

    for (size_t i = 0; i < a->n_axes; i++)
        ens_row_datum(a->row, &d[a->skip + i]);
    for (size_t i = ESTIMAND; i <= N_USED; i++)
        if (i == MEASURE)
            put_measure(a, &last[i]);
        else
            ens_row_datum(a->row, &last[i]);
    return ens_row_end(a->row, err);
}

static enum ens_status cells_rows(const struct ens_tables *t,
                                  struct ens_row *row, struct ens_error *err)
{
    const struct ens_table *cells = ens_table_find("cells");
    struct ens_columns c = {.arena = ENS_ARENA_INIT};
    struct cells a = {.row = row, .n_axes = ens_study_n_axis_columns(t->study)};
    struct ens_row inner = {.fn = cells_row, .arg = &a};
    enum ens_status s = ENS_OK;

    cells->columns(t, &c);
    inner.n = c.n;
    inner.d = ens_arena_alloc(&c.arena, c.n, sizeof(*inner.d));
    if (c.failed || inner.d == NULL) {
        s = ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    } else {
        ENS_BUG_ON(c.n < a.n_axes + CELLS_LAST);
        a.skip = c.n - a.n_axes - CELLS_LAST;
        s = cells->rows(t, &inner, err);
    }
    ens_columns_fini(&c);
    return s;
}

static const struct ens_table bayesim_cells = {
    .name = "cells",
    .help = "performance measures under the names of bayesim",
    .columns = cells_columns,
    .rows = cells_rows,
};

const struct ens_table *ens_table_renamed(const struct ens_table *table,
                                          const char *names)
{
    static const struct ens_table *const all[] = {&bayesim_tasks,
                                                  &bayesim_cells};

    for (size_t i = 0; strcmp(names, "bayesim") == 0 && i < ENS_COUNT(all); i++)
        if (strcmp(all[i]->name, table->name) == 0)
            return all[i];
    return NULL;
}
