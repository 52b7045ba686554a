#include "kinds/simulation/model.h"

#include "config/study.h"

#include <stdio.h>
#include <string.h>

static enum ens_status wrap_row(struct ens_error *err, enum ens_status s,
                                const struct ens_cell *cell, const char *role,
                                const char *key)
{
    char row[ENS_CELL_PLACE];

    ens_cell_place(cell, role, key, row);
    return ens_wrap(err, s, "%s", row);
}

/* Names of what is estimated, where no formula says it. */
static enum ens_status take_terms(struct ens_simulation_fit *f,
                                  const struct ens_value *list,
                                  struct ens_arena *arena,
                                  struct ens_error *err)
{
    size_t n = list->n_list;
    struct ens_design_column *column =
        ens_arena_alloc(arena, n, sizeof(*column));

    if (column == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%zu terms", n);
    *f->formula =
        (struct ens_formula){.text = list->text, .response = {.name = ""}};
    f->design =
        (struct ens_design){.f = f->formula, .n_columns = n, .column = column};
    for (size_t j = 0; j < n; j++) {
        column[j].name = list->list[j].text;
        for (size_t k = 0; k < j; k++)
            if (strcmp(column[k].name, column[j].name) == 0)
                return ens_fail(err, ENS_ESTUDY, "terms: %.60s is given twice",
                                column[j].name);
    }
    return ENS_OK;
}

enum ens_status ens_simulation_fit(struct ens_simulation_fit *f,
                                   const struct ens_cell *cell,
                                   const struct ens_data *shape,
                                   struct ens_arena *arena,
                                   struct ens_error *err)
{
    struct ens_simulation_fit g;
    const char *of = ens_cell_row(cell, "data");
    char row[ENS_CELL_PLACE];
    enum ens_status s;

    g.fitter = ens_cell_impl(cell, "fit")->ops;
    memset(&g.options, 0, sizeof(g.options));
    g.options.is_normal = 1;
    s = g.fitter->options != NULL
            ? g.fitter->options(cell, "fit", &g.options, err)
            : ens_fit_level(cell, "fit", &g.options.level, err);
    if (s != ENS_OK)
        return wrap_row(err, s, cell, "fit", "level");
    g.formula = ens_arena_alloc(arena, 1, sizeof(*g.formula));
    if (!g.formula)
        return ens_fail(err, ENS_ENOMEMORY, "formula");
    g.has_formula = ens_cell_value(cell, "fit", "formula")->set;
    if (!g.has_formula) {
        s = take_terms(&g, ens_cell_value(cell, "fit", "terms"), arena, err);
        *f = g;
        return s == ENS_OK ? s : wrap_row(err, s, cell, "fit", "terms");
    }
    s = ens_formula_parse(g.formula,
                          ens_cell_value(cell, "fit", "formula")->text,
                          shape->name, shape->n_columns, arena, err);
    if (s != ENS_OK)
        return wrap_row(err, s, cell, "fit", "formula");
    s = ens_design_plan(&g.design, g.formula, shape, arena, err);
    if (s != ENS_OK) {
        ens_cell_place(cell, "fit", "formula", row);
        return ens_wrap(err, s, "%s over [data%s%.100s]", row, *of ? " " : "",
                        of);
    }
    *f = g;
    return ENS_OK;
}

struct setup {
    struct ens_setup shown; /* first: what generators are given */
    const struct ens_host *host;
    const struct ens_plan *plan;
    struct ens_arena *arena;
};

static const struct ens_input *find_input(const struct ens_setup *setup,
                                          const char *name)
{
    const struct setup *s = (const struct setup *)setup;

    return s->host->plan_input(s->plan, name);
}

static void *alloc(const struct ens_setup *setup, size_t n, size_t size)
{
    return ens_arena_alloc(((const struct setup *)setup)->arena, n, size);
}

/* Names and, where they are known, columns: of a plugin, say. */
static enum ens_status check_shape(const struct ens_data *shape,
                                   const char *generator, struct ens_error *err)
{
    if (shape->n == 0 || shape->n_columns == 0 || shape->name == NULL)
        return ens_fail(err, ENS_ESTUDY,
                        "generator %s gives %zu rows, %zu columns", generator,
                        shape->n, shape->n_columns);
    for (size_t j = 0; j < shape->n_columns; j++)
        if (shape->name[j] == NULL || shape->name[j][0] == '\0')
            return ens_fail(err, ENS_ESTUDY,
                            "generator %s: column %zu has no name", generator,
                            j + 1);
    return ENS_OK;
}

enum ens_status
ens_simulation_shape(struct ens_data *shape, const struct ens_cell *cell,
                     const struct ens_host *host, const struct ens_plan *plan,
                     struct ens_arena *arena, struct ens_error *err)
{
    const struct ens_impl *impl = ens_cell_impl(cell, "data");
    const struct ens_generator *g = impl->ops;
    const struct setup setup = {{find_input, alloc}, host, plan, arena};
    struct ens_data d = {0};
    enum ens_status s = g->shape(&setup.shown, cell, &d, err);

    if (s == ENS_OK)
        s = check_shape(&d, impl->name, err);
    if (s != ENS_OK)
        return wrap_row(err, s, cell, "data", "input");
    *shape = d;
    return ENS_OK;
}

/* "A__B", or one of them when the other is empty; NULL when out of memory. */
static const char *join(struct ens_arena *arena, const char *a, const char *b)
{
    if (*a == '\0')
        return b;
    return *b == '\0' ? a : ens_arena_printf(arena, "%s__%s", a, b);
}

static int add_term_fields(struct ens_field *field, const struct ens_design *d,
                           struct ens_arena *arena)
{
    static const char *const part[][2] = {
#define PART(name, text, help) {text, help},
        ENS_SIMULATION_PARTS(PART)
#undef PART
    };

    for (size_t k = 0; k < ENS_SIM_PARTS * d->n_columns; k++) {
        const char *const *words = part[k / d->n_columns];
        const char *term = d->column[k % d->n_columns].name;

        field[k].name = join(arena, words[0], term);
        field[k].help = ens_arena_printf(arena, "%s %s", words[1], term);
        field[k].type = ENS_F64;
        field[k].unit = "";
        if (!field[k].name || !field[k].help)
            return -1;
    }
    return 0;
}

static int add_metric_fields(struct ens_field *field,
                             const struct ens_simulation_metric *m,
                             const struct ens_design *d,
                             struct ens_arena *arena)
{
    for (size_t i = 0; i < m->ops->n_fields; i++) {
        const struct ens_metric_field *f = &m->ops->field[i];
        const char *name = join(arena, m->name, f->name);

        for (size_t j = 0; j < (f->per_term ? d->n_columns : 1); j++) {
            const char *term = f->per_term ? d->column[j].name : "";

            *field = (struct ens_field){
                .name = name == NULL ? NULL : join(arena, name, term),
                .type = ENS_F64,
                .unit = f->unit,
                .help = ens_arena_printf(arena, "%s%s%s", f->help,
                                         f->per_term ? ", " : "", term)};
            if (!field->name || !field->help)
                return -1;
            field++;
        }
    }
    return 0;
}

const struct ens_field *
ens_simulation_fields(const struct ens_design *d,
                      const struct ens_simulation_metrics *metrics,
                      struct ens_arena *arena, size_t *n)
{
    size_t at = ENS_SIM_PARTS * d->n_columns;
    struct ens_field *field;

    *n = at;
    for (size_t i = 0; i < metrics->n; i++)
        *n += ens_simulation_metric_values(metrics->item[i].ops, d->n_columns);
    field = ens_arena_alloc(arena, *n, sizeof(*field));
    if (!field || add_term_fields(field, d, arena) != 0)
        return NULL;
    for (size_t i = 0; i < metrics->n; i++) {
        if (add_metric_fields(field + at, &metrics->item[i], d, arena) != 0)
            return NULL;
        at += ens_simulation_metric_values(metrics->item[i].ops, d->n_columns);
    }
    return field;
}

int ens_simulation_truth(const struct ens_simulation_fit *f,
                         const struct ens_cell *cell, const char *term,
                         double *value)
{
    const struct ens_generator *g = ens_cell_impl(cell, "data")->ops;

    return g->truth && f->options.is_normal &&
           g->truth(cell, f->formula->response.name, term, value);
}
