/* columns: what the columns of tasks mean. outputs: the output arrays. */
#include "export/table.h"

#include "base/bug.h"
#include "store/array.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const struct ens_table ens_table_tasks;

static void columns_columns(const struct ens_tables *t, struct ens_columns *c)
{
    (void)t;
    ens_columns_add(c, "name", ENS_DATUM_TEXT, "",
                    "column of tasks, or of another table as TABLE.COLUMN");
    ens_columns_add(c, "type", ENS_DATUM_TEXT, "", "text, integer or number");
    ens_columns_add(c, "unit", ENS_DATUM_TEXT, "", "unit of its values");
    ens_columns_add(c, "meaning", ENS_DATUM_TEXT, "", "what it says");
}

static void put_optional(struct ens_row *row, const char *s)
{
    if (*s == '\0')
        ens_row_none(row);
    else
        ens_row_string(row, s);
}

static enum ens_status explain(const struct ens_tables *t,
                               const struct ens_table *table,
                               struct ens_row *row, struct ens_error *err)
{
    struct ens_columns c = {ENS_ARENA_INIT, 0, 0, NULL, 0};
    struct ens_buf name = ENS_BUF_INIT;
    enum ens_status s = ens_table_declare(t, table, &c, err);

    for (size_t i = 0; i < c.n && s == ENS_OK; i++) {
        ens_buf_clear(&name);
        ens_buf_printf(&name, "%s%s%s", table->def == NULL ? "" : table->name,
                       table->def == NULL ? "" : ".", c.item[i].name);
        ens_row_string(row, ens_buf_text(&name));
        ens_row_string(row, ens_datum_type_text(c.item[i].type));
        put_optional(row, c.item[i].unit);
        put_optional(row, c.item[i].help);
        s = ens_row_end(row, err);
    }
    ens_buf_fini(&name);
    ens_columns_fini(&c);
    return s;
}

static enum ens_status columns_rows(const struct ens_tables *t,
                                    struct ens_row *row, struct ens_error *err)
{
    enum ens_status s = explain(t, &ens_table_tasks, row, err);

    for (size_t i = 0; i < t->n_own && s == ENS_OK; i++)
        if (t->own[i].written)
            s = explain(t, &t->own[i], row, err);
    return s;
}

const struct ens_table ens_table_columns = {
    .name = "columns",
    .help = "what the columns of tasks mean: type, unit",
    .written = 1,
    .columns = columns_columns,
    .rows = columns_rows,
};

/* -- outputs --------------------------------------------------------------- */

static void outputs_columns(const struct ens_tables *t, struct ens_columns *c)
{
    ens_columns_add(c, "name", ENS_DATUM_TEXT, "", "array");
    ens_columns_cell(c);
    ens_columns_axes(c, t);
    ens_columns_add(c, "shape", ENS_DATUM_TEXT, "", "lengths, e.g. 100x3");
    ens_columns_add(c, "dtype", ENS_DATUM_TEXT, "", "numpy's name: f8, i8");
    ens_columns_add(c, "file", ENS_DATUM_TEXT, "", "within the results folder");
}

static void shape_text(char *to, size_t cap, uint32_t ndim,
                       const uint64_t *shape)
{
    size_t at = 0;

    to[0] = '\0';
    for (uint32_t i = 0; i < ndim && at < cap; i++)
        at += (size_t)snprintf(to + at, cap - at, "%s%llu", i == 0 ? "" : "x",
                               (unsigned long long)shape[i]);
}

static enum ens_status put_output(const struct ens_tables *t,
                                  struct ens_row *row,
                                  const struct ens_array_def *def,
                                  const struct ens_table_cell *cell,
                                  struct ens_error *err)
{
    uint64_t shape[ENS_MAX_NDIM];
    uint64_t n;
    uint32_t ndim;
    char text[ENS_MAX_NDIM * 21];
    char path[4096];
    size_t dir = strlen(t->rq.dir) + 1; /* and the slash */
    enum ens_status s;

    ens_array_path(path, sizeof(path), t->rq.dir, def->name,
                   cell->cell.hash[0]);
    if (access(path, F_OK) != 0)
        return ENS_OK; /* the study has not come so far */
    s = ens_plan_array_shape(t->rq.plan, def->name, &cell->cell, &ndim, shape,
                             &n, err);
    if (s != ENS_OK)
        return s;
    shape_text(text, sizeof(text), ndim, shape);
    ens_row_string(row, def->name);
    ens_row_text(row, cell->id, 16);
    ens_row_axes(row, t, cell);
    ens_row_string(row, text);
    ens_row_string(row, ens_dtype_code(def->dtype));
    ens_row_string(row, strlen(path) > dir ? path + dir : path);
    return ens_row_end(row, err);
}

static enum ens_status outputs_rows(const struct ens_tables *t,
                                    struct ens_row *row, struct ens_error *err)
{
    const struct ens_plan *plan = t->rq.plan;
    uint64_t n_cells = ens_study_n_cells(t->study);
    struct ens_table_cell cell;
    enum ens_status s = ens_table_cell_init(&cell, t, err);

    for (size_t i = 0; i < plan->n_arrays && s == ENS_OK; i++) {
        if (!plan->array[i].keep)
            continue;
        for (uint64_t c = 0; c < n_cells && s == ENS_OK; c++) {
            ens_table_cell_set(&cell, t, c);
            s = put_output(t, row, &plan->array[i], &cell, err);
        }
    }
    ens_table_cell_fini(&cell);
    return s;
}

const struct ens_table ens_table_outputs = {
    .name = "outputs",
    .help = "a row per output array: shape, dtype, file",
    .columns = outputs_columns,
    .rows = outputs_rows,
};
