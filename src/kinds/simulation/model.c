#include "kinds/simulation/model.h"

#include "config/study.h"

#include <stdio.h>
#include <string.h>

void ens_simulation_row(const struct ens_cell *cell, const char *role,
                        const char *key, char to[ENS_SIMULATION_ROW])
{
    const char *row = ens_cell_row(cell, role);
    char section[160];
    char where[320];

    snprintf(section, sizeof(section), "%s%s%.120s", role, *row ? " " : "",
             row);
    ens_study_where(cell->study, section, key, where, sizeof(where));
    if (strcmp(where, "default") == 0) /* set for all rows of the role */
        ens_study_where(cell->study, role, key, where, sizeof(where));
    if (strcmp(where, "default") == 0)
        snprintf(to, ENS_SIMULATION_ROW, "[%s]", section);
    else
        snprintf(to, ENS_SIMULATION_ROW, "%s: [%s]", where, section);
}

static enum ens_status wrap_row(struct ens_error *err, enum ens_status s,
                                const struct ens_cell *cell, const char *role,
                                const char *key)
{
    char row[ENS_SIMULATION_ROW];

    ens_simulation_row(cell, role, key, row);
    return ens_wrap(err, s, "%s", row);
}

enum ens_status ens_simulation_fit(struct ens_simulation_fit *f,
                                   const struct ens_cell *cell,
                                   const struct ens_data *shape,
                                   struct ens_arena *arena,
                                   struct ens_error *err)
{
    struct ens_simulation_fit g;
    const char *of = ens_cell_row(cell, "data");
    char row[ENS_SIMULATION_ROW];
    enum ens_status s;

    g.fitter = ens_cell_impl(cell, "fit")->ops;
    s = g.fitter->options(cell, "fit", &g.options, err);
    if (s != ENS_OK)
        return wrap_row(err, s, cell, "fit", "level");
    g.formula = ens_arena_alloc(arena, 1, sizeof(*g.formula));
    if (!g.formula)
        return ens_fail(err, ENS_ENOMEMORY, "formula");
    s = ens_formula_parse(g.formula,
                          ens_cell_value(cell, "fit", "formula")->text,
                          shape->name, shape->n_columns, arena, err);
    if (s != ENS_OK)
        return wrap_row(err, s, cell, "fit", "formula");
    s = ens_design_plan(&g.design, g.formula, shape, arena, err);
    if (s != ENS_OK) {
        ens_simulation_row(cell, "fit", "formula", row);
        return ens_wrap(err, s, "%s over [data%s%.100s]", row, *of ? " " : "",
                        of);
    }
    *f = g;
    return ENS_OK;
}

enum ens_status ens_simulation_shape(
    struct ens_data *shape, const struct ens_cell *cell,
    const struct ens_input *(*input)(const void *arg, const char *name),
    const void *arg, struct ens_arena *arena, struct ens_error *err)
{
    const struct ens_generator *g = ens_cell_impl(cell, "data")->ops;
    enum ens_status s = g->shape(cell, input, arg, arena, shape, err);

    return s == ENS_OK ? s : wrap_row(err, s, cell, "data", "input");
}

const struct ens_field *ens_simulation_fields(const struct ens_design *d,
                                              struct ens_arena *arena)
{
    static const char *const part[][2] = {
#define PART(name, text, help) {text, help},
        ENS_SIMULATION_PARTS(PART)
#undef PART
    };
    struct ens_field *field =
        ens_arena_alloc(arena, ENS_SIM_PARTS * d->n_columns, sizeof(*field));

    for (size_t k = 0; field && k < ENS_SIM_PARTS * d->n_columns; k++) {
        const char *const *words = part[k / d->n_columns];
        const char *term = d->column[k % d->n_columns].name;

        field[k].name = ens_arena_printf(arena, "%s__%s", words[0], term);
        field[k].help = ens_arena_printf(arena, "%s %s", words[1], term);
        field[k].type = ENS_F64;
        field[k].unit = "";
        if (!field[k].name || !field[k].help)
            return NULL;
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
