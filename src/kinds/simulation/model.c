#include "kinds/simulation/model.h"
#include "kinds/simulation/metrics/metrics.h"

#include "config/study.h"
#include "kinds/simulation/generators/setup.h"

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

/* What a fitter says of a setting begins with its key: then the place is that
 * key's. */
static enum ens_status wrap_fit(struct ens_error *err, enum ens_status s,
                                const struct ens_cell *cell,
                                const char *by_default)
{
    size_t n = err == NULL ? 0 : strcspn(err->text, ":");
    const char *key = NULL;

    for (size_t i = 0; s == ENS_ESTUDY && n > 0; i++) {
        key = ens_cell_key(cell, "fit", i, NULL);
        if (key == NULL || (strlen(key) == n && memcmp(key, err->text, n) == 0))
            break;
    }
    return wrap_row(err, s, cell, "fit", key == NULL ? by_default : key);
}

/* Names of what is estimated, where no formula says it. */
static enum ens_status take_terms(struct ens_simulation_model *f,
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

static enum ens_status take_formula(struct ens_simulation_model *m,
                                    const struct ens_cell *cell,
                                    const struct ens_data *data,
                                    struct ens_arena *arena,
                                    struct ens_error *err)
{
    const char *of = ens_cell_row(cell, "data");
    char row[ENS_CELL_PLACE];
    enum ens_status s;

    m->formula = ens_arena_alloc(arena, 1, sizeof(*m->formula));
    if (!m->formula)
        return ens_fail(err, ENS_ENOMEMORY, "formula");
    m->has_formula = ens_cell_value(cell, "fit", "formula")->set;
    if (!m->has_formula) {
        s = take_terms(m, ens_cell_value(cell, "fit", "terms"), arena, err);
        return s == ENS_OK ? s : wrap_row(err, s, cell, "fit", "terms");
    }
    s = ens_formula_parse(m->formula,
                          ens_cell_value(cell, "fit", "formula")->text,
                          data->name, data->n_columns, arena, err);
    if (s != ENS_OK)
        return wrap_row(err, s, cell, "fit", "formula");
    s = ens_design_plan(&m->design, m->formula, data, arena, err);
    if (s == ENS_OK)
        return s;
    ens_cell_place(cell, "fit", "formula", row);
    return ens_wrap(err, s, "%s over [data%s%.100s]", row, *of ? " " : "", of);
}

struct fit_setup {
    struct ens_fit_setup shown; /* first: what fitters are given */
    struct ens_arena *arena;
};

static void *fit_alloc(const struct ens_fit_setup *setup, size_t n, size_t size)
{
    return ens_arena_alloc(((const struct fit_setup *)setup)->arena, n, size);
}

/* Terms, then what the fitter adds; columns for those it does not hide. */
static enum ens_status name_parameters(struct ens_simulation_model *m,
                                       const struct ens_parameter *more,
                                       size_t n_more, struct ens_arena *arena,
                                       struct ens_error *err)
{
    size_t p = m->design.n_columns, n = p + n_more;

    m->parameter = ens_arena_alloc(arena, n, sizeof(*m->parameter));
    m->shown = ens_arena_alloc(arena, n, sizeof(*m->shown));
    m->place = ens_arena_alloc(arena, n, sizeof(*m->place));
    m->truth_of = ens_arena_alloc(arena, n, sizeof(*m->truth_of));
    if (!m->parameter || !m->shown || !m->place || !m->truth_of)
        return ens_fail(err, ENS_ENOMEMORY, "%zu parameters", n);
    m->n_parameters = n;
    m->n_shown = 0;
    for (size_t j = 0; j < n; j++) {
        m->parameter[j] = j < p ? m->design.column[j].name : more[j - p].name;
        if (j >= p && more[j - p].hidden)
            continue;
        m->place[m->n_shown] = j;
        m->shown[m->n_shown++] = m->parameter[j];
    }
    m->term = m->parameter;
    return ENS_OK;
}

/* The design's groups, as fitters are given them; what a fitter has no model
 * for is refused. */
static enum ens_status take_groups(struct ens_simulation_model *m,
                                   const char *fitter, struct ens_arena *arena,
                                   struct ens_error *err)
{
    const struct ens_design *d = &m->design;

    if (d->n_groups > 0 && !(m->fitter->takes & ENS_TAKES_GROUPS))
        return ens_fail(err, ENS_ESTUDY,
                        "fitter %s has no model for groups, (1 | %s)", fitter,
                        m->formula->group[0].name);
    if (d->has_se && !(m->fitter->takes & ENS_TAKES_SE))
        return ens_fail(err, ENS_ESTUDY,
                        "fitter %s takes no standard errors, %s | se%s", fitter,
                        m->formula->response.name, m->formula->se.name);
    m->group = ens_arena_alloc(arena, d->n_groups + 1, sizeof(*m->group));
    if (!m->group)
        return ens_fail(err, ENS_ENOMEMORY, "%zu groups", d->n_groups);
    for (size_t k = 0; k < d->n_groups; k++)
        m->group[k] = (struct ens_fit_group){.name = m->formula->group[k].name,
                                             .n_levels = d->group[k].n_levels,
                                             .level = d->group[k].level};
    return ENS_OK;
}

/* Which truths of the data are those of this model. */
static void match_truths(struct ens_simulation_model *m,
                         const struct ens_data_shape *shape)
{
    int response = !m->has_formula || shape->response == NULL ||
                   strcmp(shape->response, m->formula->response.name) == 0;
    int link =
        shape->any_family || ens_family_link(shape->family) == m->options.link;
    int family = shape->any_family || shape->family == m->options.family;

    m->n_truths = 0;
    for (size_t j = 0; j < m->n_shown; j++) {
        int holds =
            response && (m->place[j] < m->design.n_columns ? link : family);

        m->truth_of[j] = SIZE_MAX;
        for (size_t k = 0; holds && k < shape->n_truth; k++)
            if (strcmp(shape->truth[k], m->shown[j]) == 0)
                m->truth_of[j] = k;
        m->n_truths += m->truth_of[j] != SIZE_MAX ? 1 : 0;
    }
}

enum ens_status ens_simulation_model(struct ens_simulation_model *m,
                                     const struct ens_cell *cell,
                                     const struct ens_data_shape *shape,
                                     struct ens_arena *arena,
                                     struct ens_error *err)
{
    const struct fit_setup setup = {{fit_alloc}, arena};
    struct ens_simulation_model made = {0};
    static const double some = 1; /* there are standard errors */
    struct ens_parameter *more = NULL;
    size_t n_more = 0;
    enum ens_status s;

    made.fitter = ens_cell_impl(cell, "fit")->ops;
    s = made.fitter->options != NULL
            ? made.fitter->options(&setup.shown, cell, "fit", &made.options,
                                   err)
            : ens_fit_level(cell, "fit", &made.options.level, err);
    if (s != ENS_OK)
        return wrap_fit(err, s, cell, "level");
    s = take_formula(&made, cell, &shape->data, arena, err);
    if (s == ENS_OK) {
        s = take_groups(&made, ens_cell_impl(cell, "fit")->name, arena, err);
        if (s != ENS_OK)
            return wrap_row(err, s, cell, "fit", "formula");
        s = name_parameters(&made, NULL, 0, arena, err);
    }
    if (s == ENS_OK && made.fitter->parameters != NULL) {
        const struct ens_fit_problem terms = {
            .p = made.design.n_columns,
            .term = made.term,
            .n_groups = made.design.n_groups,
            .group = made.group,
            .se = made.design.has_se ? &some : NULL,
            .response = made.formula->response.name};

        s = made.fitter->parameters(&setup.shown, &made.options, &terms, &more,
                                    &n_more, err);
        if (s != ENS_OK)
            return wrap_fit(err, s, cell, "formula");
        s = name_parameters(&made, more, n_more, arena, err);
    }
    if (s != ENS_OK)
        return s;
    match_truths(&made, shape);
    *m = made;
    return ENS_OK;
}

struct setup {
    struct ens_generator_setup of; /* first: what generators are given */
    const struct ens_host *host;
    const struct ens_plan *plan;
};

static const struct ens_input *find_input(const struct ens_setup *setup,
                                          const char *name)
{
    const struct setup *s = (const struct setup *)setup;

    return s->host->plan_input(s->plan, name);
}

static void *alloc(const struct ens_setup *setup, size_t n, size_t size)
{
    return ens_arena_alloc(((const struct ens_generator_setup *)setup)->arena,
                           n, size);
}

/* Names and, where they are known, columns: of a plugin, say. */
static enum ens_status check_data(const struct ens_data *shape,
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
ens_simulation_shape(struct ens_data_shape *shape, const struct ens_cell *cell,
                     const struct ens_host *host, const struct ens_plan *plan,
                     struct ens_arena *arena, struct ens_error *err)
{
    const struct ens_impl *impl = ens_cell_impl(cell, "data");
    const struct ens_generator *g = impl->ops;
    const struct setup setup = {{{find_input, alloc}, arena}, host, plan};
    struct ens_data_shape d = {0};
    enum ens_status s = g->shape(&setup.of.shown, cell, &d, err);

    if (s == ENS_OK)
        s = check_data(&d.data, impl->name, err);
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

/* Where the next field goes; out of memory is sticky. */
struct fields {
    struct ens_field *next;
    struct ens_arena *arena;
    int failed;
};

static void add(struct fields *f, const char *part, const char *name,
                const char *unit, const char *help)
{
    *f->next = (struct ens_field){.name = part == NULL || name == NULL
                                              ? NULL
                                              : join(f->arena, part, name),
                                  .type = ENS_F64,
                                  .unit = unit,
                                  .help = help};
    f->failed |= f->next->name == NULL || help == NULL;
    f->next++;
}

static void add_parameters(struct fields *f,
                           const struct ens_simulation_model *m)
{
    static const char *const part[][2] = {
#define PART(name, text, help) {text, help},
        ENS_SIMULATION_PARTS(PART)
#undef PART
    };

    for (size_t k = 0; k < ENS_SIM_PARTS; k++)
        for (size_t j = 0; j < m->n_shown; j++)
            add(f, part[k][0], m->shown[j], "",
                ens_arena_printf(f->arena, "%s %s", part[k][1], m->shown[j]));
    for (size_t j = 0; j < m->n_shown; j++)
        if (m->truth_of[j] != SIZE_MAX)
            add(f, "truth", m->shown[j], "",
                ens_arena_printf(f->arena, "true value of %s", m->shown[j]));
}

static void add_metric(struct fields *f, const struct ens_simulation_metric *m,
                       const struct ens_simulation_model *model)
{
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct ens_metric_field *of = &m->field[i];
        const char *name = join(f->arena, m->name, of->name);
        size_t n = ens_simulation_field_columns(of, model->n_shown);

        for (size_t j = 0; j < n; j++) {
            const char *term = of->per_term ? model->shown[j] : "";

            add(f, name, term, of->unit,
                ens_arena_printf(f->arena, "%s%s%s", of->help,
                                 of->per_term ? ", " : "", term));
        }
    }
}

enum ens_status
ens_simulation_layout(struct ens_simulation_layout *l,
                      const struct ens_simulation_model *m,
                      const struct ens_data_shape *shape,
                      const struct ens_simulation_metrics *metrics,
                      struct ens_arena *arena, struct ens_error *err)
{
    struct fields f = {.arena = arena};
    struct ens_field *all;
    size_t n;

    l->truth = (uint32_t)(ENS_SIM_PARTS * m->n_shown);
    l->meta = l->truth + (uint32_t)m->n_truths;
    l->diagnostics = l->meta + (uint32_t)shape->n_meta;
    l->metrics = l->diagnostics;
    if (m->fitter->delivers & ENS_DELIVERS_DIAGNOSTICS)
        l->metrics += (uint32_t)ens_metric_diagnostics.n_fields;
    n = l->metrics;
    for (size_t i = 0; i < metrics->n; i++)
        n += ens_simulation_metric_columns(&metrics->item[i], m->n_shown);
    l->errors = (uint32_t)n;
    n += metrics->n > 0;
    all = f.next = ens_arena_alloc(arena, n, sizeof(*all));
    if (!all)
        return ens_fail(err, ENS_ENOMEMORY, "%zu columns", n);
    add_parameters(&f, m);
    for (size_t k = 0; k < shape->n_meta; k++)
        add(&f, "meta", shape->meta[k], "",
            ens_arena_printf(arena, "%s of the data", shape->meta[k]));
    for (size_t k = 0; k < l->metrics - l->diagnostics; k++)
        add(&f, "", ens_metric_diagnostics.field[k].name,
            ens_metric_diagnostics.field[k].unit,
            ens_metric_diagnostics.field[k].help);
    for (size_t i = 0; i < metrics->n; i++)
        add_metric(&f, &metrics->item[i], m);
    if (metrics->n > 0) {
        add(&f, "", "metric_error", "", "metrics that failed: name and class");
        f.next[-1].type = ENS_TEXT;
    }
    if (f.failed)
        return ens_fail(err, ENS_ENOMEMORY, "%zu columns", n);
    l->n = n;
    l->field = all;
    return ENS_OK;
}
