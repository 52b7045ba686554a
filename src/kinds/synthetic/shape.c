#include "kinds/synthetic/shape.h"

#include "config/study.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 24u

struct ens_synthetic_shape
ens_synthetic_shape(const struct ens_synthetic_params *p)
{
    struct ens_synthetic_shape s = {
        .fields = p->fields,
        .has_rows = p->rows > 0,
        .has_array = p->array_rows > 0,
        .has_chain = p->array_rows == 0 && p->stages > 1,
        .has_text = p->text_bytes > 0,
    };

    return s;
}

static void add(struct ens_synthetic_fields *f, const char *name,
                enum ens_field_type type, const char *help)
{
    char *to = f->names + f->n * NAME_BYTES;

    snprintf(to, NAME_BYTES, "%s", name);
    f->field[f->n++] = (struct ens_field){to, type, "", help};
}

static void add_values(struct ens_synthetic_fields *f, uint32_t n,
                       uint32_t variant)
{
    static const char *const stem[] = {"value", "other", "third"};
    char name[NAME_BYTES];
    uint32_t i;

    for (i = 1; i <= n; i++) {
        snprintf(name, sizeof(name), "%s%u", stem[variant], i);
        add(f, name, ENS_F64, "uniform draw");
    }
}

enum ens_status ens_synthetic_fields_new(struct ens_synthetic_fields *f,
                                         const struct ens_synthetic_shape *s,
                                         uint32_t variant,
                                         struct ens_error *err)
{
    size_t cap = (size_t)s->fields + 5;

    f->n = 0;
    f->field = calloc(cap, sizeof(*f->field));
    f->names = calloc(cap, NAME_BYTES);
    if (f->field == NULL || f->names == NULL) {
        ens_synthetic_fields_free(f);
        return ens_fail(err, ENS_ENOMEMORY, "fields of a synthetic task");
    }
    if (variant > 0)
        add(f, "variant", ENS_I64, "which other schema the task found");
    add_values(f, s->fields, variant);
    if (s->has_rows)
        add(f, "rows_sum", ENS_F64, "sum over the rows read from input X");
    if (s->has_array)
        add(f, "block_sum", ENS_F64, "sum over the task's block");
    if (s->has_chain)
        add(f, "chain", ENS_F64,
            "uniform draw + sum over the cell's tasks of the stage before");
    if (s->has_text)
        add(f, "note", ENS_TEXT, "random text");
    return ENS_OK;
}

void ens_synthetic_fields_free(struct ens_synthetic_fields *f)
{
    free(f->field);
    free(f->names);
    *f = (struct ens_synthetic_fields){0};
}

/* 1 when no setting that matters here differs between cells: then one cell
 * stands for all, and a study of 10^7 cells is not walked at every start. */
static int all_alike(const struct ens_study *study)
{
    static const char *const keys[] = {"rows",       "fields", "text_bytes",
                                       "stages",     "decide", "alone",
                                       "array_rows", "scratch"};
    const struct ens_axis_column *c;
    size_t i, k;

    for (i = 0; i < ens_study_n_axis_columns(study); i++) {
        c = ens_study_axis_column(study, i);
        if (c->key == NULL)
            return 0; /* rows: each may say anything */
        for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
            if (strcmp(c->key, keys[k]) == 0)
                return 0;
    }
    return 1;
}

uint32_t ens_synthetic_survey_find(const struct ens_synthetic_survey *s,
                                   const struct ens_synthetic_shape *shape)
{
    size_t i;

    for (i = 0; i < s->n_shapes; i++)
        if (memcmp(&s->shape[i], shape, sizeof(*shape)) == 0)
            break;
    return (uint32_t)i;
}

static enum ens_status add_shape(struct ens_synthetic_survey *s,
                                 const struct ens_synthetic_shape *shape,
                                 struct ens_error *err)
{
    struct ens_synthetic_shape *more;

    if (ens_synthetic_survey_find(s, shape) < s->n_shapes)
        return ENS_OK;
    more = realloc(s->shape, (s->n_shapes + 1) * sizeof(*more));
    if (more == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "shapes of synthetic tasks");
    s->shape = more;
    more[s->n_shapes++] = *shape;
    return ENS_OK;
}

static enum ens_status add_cell(struct ens_synthetic_survey *s,
                                const struct ens_cell *cell,
                                struct ens_error *err)
{
    struct ens_synthetic_params p;
    struct ens_synthetic_shape shape;

    ens_synthetic_read(&p, cell);
    shape = ens_synthetic_shape(&p);
    if (s->n_shapes == 0) {
        s->has_arrays = p.array_rows > 0;
        s->scratch = p.scratch;
        s->n_tasks = ens_synthetic_blocks(&p);
        s->one_size = 1;
    }
    if (s->has_arrays != (p.array_rows > 0))
        return ens_fail(err, ENS_ESTUDY,
                        "[synthetic] array_rows: 0 in some cells and not in "
                        "others; use one or the other");
    if (s->scratch != p.scratch)
        return ens_fail(err, ENS_ESTUDY,
                        "[synthetic] scratch: yes in some cells and no in "
                        "others; use one or the other");
    if (s->n_tasks != ens_synthetic_blocks(&p) || p.alone == 1)
        s->one_size = 0;
    if (p.stages > s->max_stages)
        s->max_stages = p.stages;
    if (p.rows > s->max_rows)
        s->max_rows = p.rows;
    return add_shape(s, &shape, err);
}

enum ens_status ens_synthetic_survey_new(struct ens_synthetic_survey *s,
                                         const struct ens_host *host,
                                         const struct ens_plan *plan,
                                         struct ens_error *err)
{
    uint64_t i, n = host->plan_n_cells(plan);
    struct ens_cell cell;
    enum ens_status status;

    *s = (struct ens_synthetic_survey){0};
    if (all_alike(host->plan_study(plan)) && n > 1)
        n = 1;
    for (i = 0; i < n; i++) {
        host->plan_cell(plan, i, &cell);
        status = add_cell(s, &cell, err);
        if (status != ENS_OK) {
            ens_synthetic_survey_free(s);
            return status;
        }
    }
    return ENS_OK;
}

void ens_synthetic_survey_free(struct ens_synthetic_survey *s)
{
    free(s->shape);
    *s = (struct ens_synthetic_survey){0};
}
