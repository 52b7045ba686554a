/* tasks, timings, failures: tables with a row per task. */
#include "export/table.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_BYTES 256

static void identity_columns(struct ens_columns *c, const struct ens_tables *t)
{
    ens_columns_stage(c, t);
    ens_columns_add(c, "task", ENS_DATUM_TEXT, "",
                    "label: position in the present study");
    ens_columns_cell(c);
    ens_columns_add(c, "replicate", ENS_DATUM_INT, "",
                    "number of the task within its cell");
}

/* The label is lent by the caller until the row's end. */
static void put_identity(struct ens_row *row, const struct ens_tables *t,
                         const struct ens_table_task *task, char *label)
{
    ens_row_stage(row, t, task->stage);
    ens_plan_label(t->rq.plan, &task->task, label, LABEL_BYTES);
    ens_row_string(row, label);
    ens_row_text(row, task->cell->id, 16);
    ens_row_int(row, task->task.replicate);
}

static void status_columns(struct ens_columns *c)
{
    ens_columns_add(c, "seed", ENS_DATUM_WORD, "",
                    "number derived from the task's identity");
    ens_columns_add(c, "status", ENS_DATUM_TEXT, "",
                    "ok, failed, timeout or crashed");
}

static void put_status(struct ens_row *row, const struct ens_table_task *task)
{
    ens_row_word(row, task->task.seed);
    ens_row_string(row, ens_outcome_text(task->record->status));
}

static void put_error(struct ens_row *row, const struct ens_record *r)
{
    size_t n;
    const char *p = ens_record_error(r, &n);

    if (p == NULL)
        ens_row_none(row);
    else
        ens_row_text(row, p, n);
}

/* -- tasks ----------------------------------------------------------------- */

struct tasks {
    const struct ens_tables *t;
    struct ens_row *row;
    const struct ens_fields_map *map; /* of the last record */
    struct ens_buf warnings;
};

static void tasks_columns(const struct ens_tables *t, struct ens_columns *c)
{
    identity_columns(c, t);
    status_columns(c);
    ens_columns_axes(c, t);
    for (size_t i = 0; i < t->fields.n; i++) {
        const struct ens_table_column *f = &t->fields.column[i];

        ens_columns_add(c, f->name, f->type, f->unit, f->help);
    }
    ens_columns_add(c, "warnings", ENS_DATUM_TEXT, "",
                    "what the method warned of, separated by \"; \"");
    ens_columns_add(c, "error", ENS_DATUM_TEXT, "", "why the task is not ok");
}

static void put_fields(struct tasks *a, const struct ens_record *r)
{
    const struct ens_tables *t = a->t;
    struct ens_datum *first = a->row->d + a->row->at;

    for (size_t i = 0; i < t->fields.n; i++)
        ens_row_none(a->row);
    if (r->status != ENS_TASK_OK && r->status != ENS_TASK_FAILED)
        return;
    if (a->map == NULL || a->map->hash != r->schema)
        a->map = ens_fields_find(&t->fields, r->schema);
    for (size_t i = 0; a->map != NULL && i < a->map->schema->n; i++)
        ens_fields_value(r, a->map->schema, i, &first[a->map->column[i]]);
}

static void put_warnings(struct tasks *a, const struct ens_record *r)
{
    struct ens_item_view item;
    size_t at = 0;

    ens_buf_clear(&a->warnings);
    while (r->items_bytes > 0 && ens_item_next(r, &at, &item)) {
        if (item.type != ENS_ITEM_WARNING)
            continue;
        if (a->warnings.len > 0)
            ens_buf_puts(&a->warnings, "; ");
        ens_buf_put(&a->warnings, item.bytes, item.length);
    }
    if (a->warnings.len == 0)
        ens_row_none(a->row);
    else
        ens_row_text(a->row, (const char *)a->warnings.data, a->warnings.len);
}

static enum ens_status tasks_row(void *arg, const struct ens_table_task *task,
                                 struct ens_error *err)
{
    struct tasks *a = arg;
    char label[LABEL_BYTES];

    put_identity(a->row, a->t, task, label);
    put_status(a->row, task);
    ens_row_axes(a->row, a->t, task->cell);
    put_fields(a, task->record);
    put_warnings(a, task->record);
    put_error(a->row, task->record);
    if (a->warnings.failed)
        return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    a->row->task = task;
    return ens_row_end(a->row, err);
}

static enum ens_status tasks_rows(const struct ens_tables *t,
                                  struct ens_row *row, struct ens_error *err)
{
    struct tasks a = {t, row, NULL, ENS_BUF_INIT};
    enum ens_status s = ens_tables_walk(t, tasks_row, &a, err);

    ens_buf_fini(&a.warnings);
    return s;
}

const struct ens_table ens_table_tasks = {
    .name = "tasks",
    .help = "a row per task: identity, status, axes, fields",
    .per_task = 1,
    .written = 1,
    .columns = tasks_columns,
    .rows = tasks_rows,
};

/* -- timings --------------------------------------------------------------- */

struct plain {
    const struct ens_tables *t;
    struct ens_row *row;
};

static void timings_columns(const struct ens_tables *t, struct ens_columns *c)
{
    const struct ens_kind *kind = t->rq.plan->kind;
    char name[128];

    identity_columns(c, t);
    ens_columns_add(c, "seconds", ENS_DATUM_NUM, "s", "wall time of the task");
    for (size_t i = 0; i < kind->n_laps; i++) {
        snprintf(name, sizeof(name), "%s_seconds", kind->laps[i].name);
        ens_columns_add(c, name, ENS_DATUM_NUM, "s", kind->laps[i].help);
    }
    ens_columns_add(c, "worker", ENS_DATUM_INT, "", "slot that ran it");
    ens_columns_add(c, "attempts", ENS_DATUM_INT, "",
                    "times it was begun, the last included");
}

static enum ens_status timings_row(void *arg, const struct ens_table_task *task,
                                   struct ens_error *err)
{
    struct plain *a = arg;
    char label[LABEL_BYTES];

    put_identity(a->row, a->t, task, label);
    ens_row_num(a->row, task->record->seconds);
    for (size_t i = 0; i < a->t->rq.plan->kind->n_laps; i++)
        ens_row_num(a->row, ens_record_lap(task->record, i));
    if (task->record->worker == UINT16_MAX)
        ens_row_none(a->row); /* nobody's: the coordinator wrote it */
    else
        ens_row_int(a->row, task->record->worker);
    ens_row_int(a->row, task->record->attempts);
    return ens_row_end(a->row, err);
}

static enum ens_status timings_rows(const struct ens_tables *t,
                                    struct ens_row *row, struct ens_error *err)
{
    struct plain a = {t, row};

    return ens_tables_walk(t, timings_row, &a, err);
}

const struct ens_table ens_table_timings = {
    .name = "timings",
    .help = "a row per task: its times, worker, attempts (facts of the run)",
    .per_task = 1,
    .written = 1,
    .columns = timings_columns,
    .rows = timings_rows,
};

/* -- failures -------------------------------------------------------------- */

static void failures_columns(const struct ens_tables *t, struct ens_columns *c)
{
    identity_columns(c, t);
    status_columns(c);
    ens_columns_axes(c, t);
    ens_columns_add(c, "error", ENS_DATUM_TEXT, "", "why the task is not ok");
}

static enum ens_status failures_row(void *arg,
                                    const struct ens_table_task *task,
                                    struct ens_error *err)
{
    struct plain *a = arg;
    char label[LABEL_BYTES];

    if (task->record->status == ENS_TASK_OK)
        return ENS_OK;
    put_identity(a->row, a->t, task, label);
    put_status(a->row, task);
    ens_row_axes(a->row, a->t, task->cell);
    put_error(a->row, task->record);
    return ens_row_end(a->row, err);
}

static enum ens_status failures_rows(const struct ens_tables *t,
                                     struct ens_row *row, struct ens_error *err)
{
    struct plain a = {t, row};

    return ens_tables_walk(t, failures_row, &a, err);
}

const struct ens_table ens_table_failures = {
    .name = "failures",
    .help = "a row per task that is not ok, with its error",
    .per_task = 1,
    .columns = failures_columns,
    .rows = failures_rows,
};
