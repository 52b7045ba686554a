#include "export/table.h"

#include "base/bug.h"
#include "base/hash.h"
#include "base/number.h"
#include "plan/task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ens_columns_fini(struct ens_columns *c)
{
    free(c->item);
    ens_arena_fini(&c->arena);
    memset(c, 0, sizeof(*c));
}

static int grow(struct ens_columns *c)
{
    size_t cap = c->cap == 0 ? 32 : c->cap * 2;
    struct ens_table_column *item = realloc(c->item, cap * sizeof(*item));

    if (item == NULL)
        return -1;
    c->item = item;
    c->cap = cap;
    return 0;
}

void ens_columns_add(struct ens_columns *c, const char *name,
                     enum ens_datum_type type, const char *unit,
                     const char *help)
{
    struct ens_table_column *to;

    if (c->failed || (c->n == c->cap && grow(c) != 0)) {
        c->failed = 1;
        return;
    }
    to = &c->item[c->n];
    to->name = ens_arena_strdup(&c->arena, name);
    to->type = type;
    to->unit = ens_arena_strdup(&c->arena, unit == NULL ? "" : unit);
    to->help = ens_arena_strdup(&c->arena, help == NULL ? "" : help);
    if (to->name == NULL || to->unit == NULL || to->help == NULL)
        c->failed = 1;
    else
        c->n++;
}

/* -- rows ------------------------------------------------------------------ */

void ens_row_datum(struct ens_row *r, const struct ens_datum *d)
{
    ENS_BUG_ON(r->at >= r->n);
    r->d[r->at++] = *d;
}

void ens_row_text(struct ens_row *r, const char *p, size_t n)
{
    struct ens_datum d = {ENS_DATUM_TEXT, {.text = {p, n}}};

    ens_row_datum(r, &d);
}

void ens_row_string(struct ens_row *r, const char *s)
{
    ens_row_text(r, s, strlen(s));
}

void ens_row_num(struct ens_row *r, double v)
{
    struct ens_datum d = {isnan(v) ? ENS_DATUM_NONE : ENS_DATUM_NUM,
                          {.num = v}};

    ens_row_datum(r, &d);
}

void ens_row_int(struct ens_row *r, int64_t v)
{
    struct ens_datum d = {ENS_DATUM_INT, {.integer = v}};

    ens_row_datum(r, &d);
}

void ens_row_word(struct ens_row *r, uint64_t v)
{
    struct ens_datum d = {ENS_DATUM_WORD, {.word = v}};

    ens_row_datum(r, &d);
}

void ens_row_none(struct ens_row *r)
{
    struct ens_datum d = {ENS_DATUM_NONE, {.num = 0}};

    ens_row_datum(r, &d);
}

enum ens_status ens_row_end(struct ens_row *r, struct ens_error *err)
{
    ENS_BUG_ON(r->at != r->n);
    r->at = 0;
    return r->fn(r->arg, r->d, err);
}

/* -- stage, cell and axes -------------------------------------------------- */

void ens_columns_stage(struct ens_columns *c, const struct ens_tables *t)
{
    if (t->rq.n_stages > 1)
        ens_columns_add(c, "stage", ENS_DATUM_TEXT, "", "key of the stage");
}

void ens_row_stage(struct ens_row *r, const struct ens_tables *t,
                   const struct ens_stage *stage)
{
    if (t->rq.n_stages > 1)
        ens_row_string(r, stage->key);
}

void ens_columns_cell(struct ens_columns *c)
{
    ens_columns_add(c, "cell", ENS_DATUM_TEXT, "",
                    "id of the cell: a hash of its settings");
}

static enum ens_datum_type axis_type(const struct ens_setting *s)
{
    if (s == NULL || s->shape == ENS_LIST)
        return ENS_DATUM_TEXT;
    if (s->type == ENS_T_INT || s->type == ENS_T_BYTES)
        return ENS_DATUM_INT;
    if (s->type == ENS_T_NUM || s->type == ENS_T_SECONDS)
        return ENS_DATUM_NUM;
    return ENS_DATUM_TEXT;
}

void ens_columns_axes(struct ens_columns *c, const struct ens_tables *t)
{
    for (size_t i = 0; i < ens_study_n_axis_columns(t->study); i++) {
        const struct ens_axis_column *a = ens_study_axis_column(t->study, i);
        const struct ens_setting *s = a->setting;

        ens_columns_add(c, a->name, axis_type(s), s == NULL ? "" : s->unit,
                        s == NULL ? "name of the row" : s->help);
    }
}

/* The study's text as a value of its column's type; text when it is none. */
static void axis_datum(struct ens_datum *d, const struct ens_setting *s,
                       const char *text)
{
    size_t n = strlen(text);

    d->type = n == 0 ? ENS_DATUM_NONE : axis_type(s);
    if (d->type == ENS_DATUM_INT &&
        ens_number_parse_i64(text, n, &d->as.integer) == 0)
        return;
    if (d->type == ENS_DATUM_NUM && ens_number_parse(text, n, &d->as.num) == 0)
        return;
    if (d->type == ENS_DATUM_NONE)
        return;
    d->type = ENS_DATUM_TEXT;
    d->as.text.p = text;
    d->as.text.n = n;
}

enum ens_status ens_table_cell_init(struct ens_table_cell *c,
                                    const struct ens_tables *t,
                                    struct ens_error *err)
{
    memset(c, 0, sizeof(*c));
    c->axis = calloc(ens_study_n_axis_columns(t->study) + 1, sizeof(*c->axis));
    return c->axis == NULL
               ? ens_fail(err, ENS_ENOMEMORY, "tables: out of memory")
               : ENS_OK;
}

void ens_table_cell_set(struct ens_table_cell *c, const struct ens_tables *t,
                        uint64_t ordinal)
{
    ens_study_cell(t->study, ordinal, &c->cell);
    ens_hex64(c->id, c->cell.hash[0]);
    for (size_t i = 0; i < ens_study_n_axis_columns(t->study); i++)
        axis_datum(&c->axis[i], ens_study_axis_column(t->study, i)->setting,
                   ens_cell_axis_text(&c->cell, i));
}

void ens_table_cell_fini(struct ens_table_cell *c)
{
    free(c->axis);
    c->axis = NULL;
}

void ens_row_axes(struct ens_row *r, const struct ens_tables *t,
                  const struct ens_table_cell *c)
{
    for (size_t i = 0; i < ens_study_n_axis_columns(t->study); i++)
        ens_row_datum(r, &c->axis[i]);
}

/* -- tasks ----------------------------------------------------------------- */

struct walk {
    const struct ens_tables *t;
    struct ens_table_cell cell;
    ens_task_fn *fn;
    void *arg;
    int planned; /* those without a record, too */
};

static enum ens_status walk_cell(struct walk *w, const struct ens_places *p,
                                 uint64_t first, uint32_t n,
                                 struct ens_error *err)
{
    struct ens_record record;
    struct ens_table_task task = {
        ens_places_stage(p), &w->cell, {0}, &record, 0};
    int fixed = (task.stage->flags & ENS_STAGE_FIXED) != 0;
    uint32_t all = w->planned && !fixed ? ens_study_replicates(w->t->study) : n;
    enum ens_status s = ENS_OK;

    task.task.stage = task.stage->key;
    task.task.stage_index = task.stage->index;
    task.task.cell = w->cell.cell;
    for (uint32_t r = 1; r <= (all > n ? all : n) && s == ENS_OK; r++) {
        int has =
            r <= n && ens_places_get(p, first + r - 1, &record, &task.epoch);

        if (!has && !w->planned)
            continue;
        task.record = has ? &record : NULL;
        task.task.replicate = r;
        task.task.seed =
            ens_task_seed(w->t->rq.plan, task.stage->key, &w->cell.cell, r);
        s = w->fn(w->arg, &task, err);
    }
    return s;
}

static enum ens_status walk_stage(struct walk *w, const struct ens_places *p,
                                  struct ens_error *err)
{
    const struct ens_stage *stage = ens_places_stage(p);
    uint64_t place = 0;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < stage->n_runs; i++) {
        const struct ens_stage_run *run = &stage->run[i];

        for (uint64_t c = 0; c < run->n_cells && s == ENS_OK; c++) {
            ens_table_cell_set(&w->cell, w->t, run->first_cell + c);
            s = walk_cell(w, p, place, run->n_replicates, err);
            place += run->n_replicates;
        }
    }
    return s;
}

static enum ens_status walk_all(struct walk *w, struct ens_error *err)
{
    enum ens_status s = ens_table_cell_init(&w->cell, w->t, err);

    for (size_t i = 0; i < w->t->rq.n_stages && s == ENS_OK; i++)
        s = walk_stage(w, w->t->rq.stage[i], err);
    ens_table_cell_fini(&w->cell);
    return s;
}

enum ens_status ens_tables_walk(const struct ens_tables *t, ens_task_fn *fn,
                                void *arg, struct ens_error *err)
{
    return walk_all(&(struct walk){.t = t, .fn = fn, .arg = arg}, err);
}

enum ens_status ens_tables_walk_planned(const struct ens_tables *t,
                                        ens_task_fn *fn, void *arg,
                                        struct ens_error *err)
{
    return walk_all(&(struct walk){.t = t, .fn = fn, .arg = arg, .planned = 1},
                    err);
}

const char *ens_record_error(const struct ens_record *r, size_t *n)
{
    struct ens_item_view item;

    if (r->status == ENS_TASK_OK || !ens_item_find(r, ENS_ITEM_ERROR, &item))
        return NULL;
    *n = item.length;
    return (const char *)item.bytes;
}
