/* Generator `prior_predictive`: parameters drawn from a model's prior, the
 * response from its likelihood: for simulation-based calibration. The model
 * has keys of its own, as those of the fit, so that data are a function of
 * this row alone.
 *
 * Predictors are those of an input, or generated as by `linear`, and groups as
 * by `hierarchical`. Stream "data": predictors row by row; parameters in their
 * order; responses row by row; the test set of an input. */
#include "kinds/simulation/generators/prior_predictive.h"

#include "kinds/simulation/generators/setup.h"
#include "kinds/simulation/generators/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 24

#define ROW(key_, type_, def_, min_, max_, choices_, text)                     \
    {                                                                          \
        .section = "data", .key = key_, .type = type_, .shape = ENS_AXIS,      \
        .cls = ENS_C_DATA, .def = def_, .min = min_, .max = max_,              \
        .choices = choices_, .help = text                                      \
    }

const struct ens_setting ens_generator_prior_predictive_settings[] = {
    ROW("formula", ENS_T_FORMULA, NULL, 0, 0, NULL,
        "the model, as of a fit; its response is a plain name"),
    ROW("family", ENS_T_CHOICE, "gaussian", 0, 0,
        "gaussian|student|binomial|poisson|negbinomial|gamma",
        "as of the fitter nuts"),
    ROW("nu", ENS_T_NUM, "", 0, 1e6, NULL,
        "degrees of freedom of family student; not set: drawn"),
    ROW("n", ENS_T_INT, "100", 1, 1e8, NULL,
        "rows of a data set, where no input has them"),
    ROW("predictors", ENS_T_INT, "1", 0, 1000, NULL,
        "number of generated predictors x1, x2 ..."),
    ROW("x", ENS_T_CHOICE, "normal", 0, 0, "normal|uniform|binary",
        "distribution of generated predictors, as of linear"),
    ROW("rho", ENS_T_NUM, "0", -1, 1, NULL, "their correlation, as of linear"),
    ROW("groups", ENS_T_INT, "0", 0, 1000, NULL,
        "groups in a generated column g, as of hierarchical; 0: no column"),
    ROW("test", ENS_T_NUM, "0", 0, 1e15, NULL,
        "further rows to predict; of an input rows held out: a share when "
        "below 1, else their number"),
    {.section = "data",
     .key = "input",
     .type = ENS_T_INPUT,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "",
     .help = "input that has the predictors; its column of the response's "
             "name, if any, is not looked at"},
    ENS_PRIOR_SETTINGS_OF("data", ENS_C_DATA),
};

struct fit_setup {
    struct ens_fit_setup shown; /* first */
    const struct ens_setup *of;
};

static void *fit_alloc(const struct ens_fit_setup *setup, size_t n, size_t size)
{
    const struct ens_setup *of = ((const struct fit_setup *)setup)->of;

    return of->alloc(of, n, size);
}

/* The name before '~' or '|'. */
static enum ens_status find_response(const struct ens_setup *setup,
                                     const char *formula, char **name,
                                     struct ens_error *err)
{
    size_t first = strspn(formula, " "), n = strcspn(formula + first, " ~|");

    *name = setup->alloc(setup, n + 1, 1);
    if (!*name)
        return ens_fail(err, ENS_ENOMEMORY, "formula");
    memcpy(*name, formula + first, n);
    return ENS_OK;
}

/* Columns of the input, and the response where it is not among them. */
static enum ens_status
shape_input(const struct ens_setup *setup, const struct ens_cell *cell,
            const char *response, struct ens_predictive *m,
            struct ens_data_shape *out, struct ens_error *err)
{
    double test = ens_cell_value(cell, "data", "test")->d;
    struct ens_data_column *column;
    const char **name;
    size_t n;
    enum ens_status s = ens_table_of_input(setup, cell, &out->data, err);

    if (s != ENS_OK)
        return s;
    n = out->data.n_columns;
    name = setup->alloc(setup, n + 1, sizeof(*name));
    column = setup->alloc(setup, n + 1, sizeof(*column));
    if (!name || !column)
        return ens_fail(err, ENS_ENOMEMORY, "names of %zu columns", n + 1);
    memcpy(name, out->data.name, n * sizeof(*name));
    memcpy(column, out->data.column, n * sizeof(*column));
    for (m->response = 0; m->response < n; m->response++)
        if (strcmp(name[m->response], response) == 0)
            break;
    name[m->response] = response;
    column[m->response] = (struct ens_data_column){.values = NULL};
    out->data.n_columns = m->response < n ? n : n + 1;
    out->data.name = name;
    out->data.column = column;
    m->n_rows = out->data.n;
    return test > 0
               ? ens_table_rows("test", test, m->n_rows - 1, &m->r.n_test, err)
               : ENS_OK;
}

static enum ens_status name_levels(const struct ens_setup *setup,
                                   struct ens_predictive *m,
                                   struct ens_data_shape *out,
                                   struct ens_error *err)
{
    struct ens_data_column *column =
        setup->alloc(setup, out->data.n_columns, sizeof(*column));
    const char **level = setup->alloc(setup, m->n_groups, sizeof(*level));
    char(*text)[NAME_BYTES] = setup->alloc(setup, m->n_groups, sizeof(*text));

    if (!column || !level || !text)
        return ens_fail(err, ENS_ENOMEMORY, "%zu groups", m->n_groups);
    for (size_t j = 0; j < m->n_groups; j++) {
        snprintf(text[j], NAME_BYTES, "%zu", j + 1);
        level[j] = text[j];
    }
    column[m->r.p].level = level;
    column[m->r.p].n_levels = (uint32_t)m->n_groups;
    out->data.column = column;
    return ENS_OK;
}

static enum ens_status
shape_generated(const struct ens_setup *setup, const struct ens_cell *cell,
                const char *response, struct ens_predictive *m,
                struct ens_data_shape *out, struct ens_error *err)
{
    static const char *const g[] = {"g"};
    double test = ens_cell_value(cell, "data", "test")->d;
    size_t p = (size_t)ens_cell_value(cell, "data", "predictors")->i;
    struct ens_regression_kind kind = {.column = g};
    double *slope = setup->alloc(setup, p + 1, sizeof(*slope)); /* zeros */
    enum ens_status s;

    m->n_groups = (size_t)ens_cell_value(cell, "data", "groups")->i;
    m->r.p = p;
    m->r.slope = slope;
    m->r.n = (size_t)ens_cell_value(cell, "data", "n")->i;
    m->r.n_test = (size_t)test;
    m->r.x = (enum ens_regression_x)ens_cell_value(cell, "data", "x")->i;
    m->r.rho = ens_cell_value(cell, "data", "rho")->d;
    m->r.rest = sqrt(1 - m->r.rho * m->r.rho);
    m->n_rows = m->r.n + m->r.n_test;
    kind.n_columns = m->n_groups > 0 ? 1 : 0;
    if (!slope)
        return ens_fail(err, ENS_ENOMEMORY, "%zu predictors", p);
    if (test != floor(test) || test > 1e8)
        return ens_fail(err, ENS_ESTUDY, "test: %.15g is no number of rows",
                        test);
    if (strcmp(response, "y") != 0)
        return ens_fail(err, ENS_ESTUDY,
                        "formula: the response of generated data is y");
    if (m->n_groups == 1)
        return ens_fail(err, ENS_ESTUDY, "groups: 1 is none; 0 or from 2 on");
    s = ens_regression_names(setup, &kind, &m->r, out, err);
    m->response = out->data.n_columns - 1;
    return s == ENS_OK && m->n_groups > 0 ? name_levels(setup, m, out, err) : s;
}

/* The prior of a term, or of "sd_GROUP" (prior.sd). */
static const struct ens_prior *find_prior(const struct ens_bayes_options *o,
                                          const char *name, int is_sd)
{
    for (size_t i = 0; i < o->n_named; i++)
        if (strcmp(o->name[i], name) == 0)
            return &o->named[i];
    if (is_sd)
        return &o->sd;
    return strcmp(name, ENS_FORMULA_INTERCEPT) == 0 ? &o->intercept : &o->b;
}

/* Terms, sigma ..., per group its sd and its levels, which have none. */
static enum ens_status take_priors(struct ens_predictive *m,
                                   const char *const *name,
                                   struct ens_error *err)
{
    static const char *const aux[] = {
        [ENS_BAYES_SIGMA] = "sigma",
        [ENS_BAYES_NU] = "nu",
        [ENS_BAYES_PHI] = "phi",
        [ENS_BAYES_SHAPE] = "shape",
    };
    size_t p = m->design.n_columns, at = 0;

    for (size_t k = m->design.n_groups; k-- > 0;) /* where groups begin */
        at += 1 + m->design.group[k].n_levels;
    at = m->n_parameters - at;
    for (size_t j = 0; j < at; j++) {
        m->prior[j] = *find_prior(&m->o, name[j], 0);
        for (size_t k = 0; j >= p && k < ENS_BAYES_N_PRIORS; k++)
            if (strcmp(name[j], aux[k]) == 0)
                m->prior[j] = m->o.prior[k];
        m->is_positive[j] = j >= p;
        if (m->prior[j].kind == ENS_PRIOR_FLAT)
            return ens_fail(err, ENS_ESTUDY,
                            "prior.%s: nothing can be drawn of a flat prior, "
                            "and none is set",
                            name[j]);
    }
    for (size_t k = 0; k < m->design.n_groups; k++) {
        m->prior[at] = *find_prior(&m->o, name[at], 1);
        m->is_positive[at] = 1;
        if (m->prior[at].kind == ENS_PRIOR_FLAT)
            return ens_fail(err, ENS_ESTUDY,
                            "prior.sd: nothing can be drawn of a flat prior, "
                            "and none is set");
        at += 1 + m->design.group[k].n_levels;
    }
    return ENS_OK;
}

/* Their names, which are the truths. */
static enum ens_status take_parameters(const struct ens_setup *setup,
                                       struct ens_predictive *m,
                                       struct ens_data_shape *out,
                                       struct ens_error *err)
{
    static const double some = 1; /* there are standard errors */
    const struct fit_setup fit = {{fit_alloc}, setup};
    const struct ens_design *d = &m->design;
    size_t p = d->n_columns, more = 0;
    const char **term = setup->alloc(setup, p, sizeof(*term)), **name;
    struct ens_fit_group *group =
        setup->alloc(setup, d->n_groups + 1, sizeof(*group));
    struct ens_parameter *list = NULL;
    double *value;
    enum ens_status s;

    if (!term || !group)
        return ens_fail(err, ENS_ENOMEMORY, "parameters");
    for (size_t j = 0; j < p; j++)
        term[j] = d->column[j].name;
    for (size_t k = 0; k < d->n_groups; k++)
        group[k] = (struct ens_fit_group){.name = m->formula.group[k].name,
                                          .n_levels = d->group[k].n_levels,
                                          .level = d->group[k].level};
    s = ens_bayes_parameters(
        &fit.shown, &m->o,
        &(struct ens_fit_problem){.p = p,
                                  .term = term,
                                  .n_groups = d->n_groups,
                                  .group = group,
                                  .se = d->has_se ? &some : NULL,
                                  .response = m->formula.response.name},
        &list, &more, err);
    if (s != ENS_OK)
        return s;
    m->n_parameters = p + more;
    name = setup->alloc(setup, m->n_parameters, sizeof(*name));
    value = setup->alloc(setup, m->n_parameters, sizeof(*value));
    m->prior = setup->alloc(setup, m->n_parameters, sizeof(*m->prior));
    m->is_positive = setup->alloc(setup, m->n_parameters, 1);
    if (!name || !value || !m->prior || !m->is_positive)
        return ens_fail(err, ENS_ENOMEMORY, "%zu parameters", m->n_parameters);
    for (size_t j = 0; j < m->n_parameters; j++) {
        name[j] = j < p ? term[j] : list[j - p].name;
        value[j] = NAN;
    }
    out->n_truth = m->n_parameters;
    out->truth = name;
    out->truth_value = value;
    return take_priors(m, name, err);
}

static enum ens_status
plan_model(const struct ens_setup *setup, const struct ens_cell *cell,
           const char *response, struct ens_predictive *m,
           struct ens_data_shape *out, struct ens_error *err)
{
    struct ens_arena *arena =
        ((const struct ens_generator_setup *)setup)->arena;
    const struct fit_setup fit = {{fit_alloc}, setup};
    const struct ens_formula *f = &m->formula;
    enum ens_status s = ens_formula_parse(
        &m->formula, ens_cell_value(cell, "data", "formula")->text,
        out->data.name, out->data.n_columns, arena, err);

    if (s == ENS_OK &&
        (f->response.n_ops != 1 || strcmp(f->response.name, response) != 0))
        s = ens_fail(err, ENS_ESTUDY, "formula: response '%.60s' is no name",
                     f->response.name);
    if (s == ENS_OK)
        s = ens_design_plan(&m->design, f, &out->data, arena, err);
    if (s == ENS_OK)
        s = ens_bayes_options(&m->o, &fit.shown, cell, "data", err);
    return s == ENS_OK ? take_parameters(setup, m, out, err) : s;
}

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    const char *formula = ens_cell_value(cell, "data", "formula")->text;
    struct ens_predictive *m = setup->alloc(setup, 1, sizeof(*m));
    char *response;
    enum ens_status s;

    if (!m)
        return ens_fail(err, ENS_ENOMEMORY, "settings");
    m->is_input = ens_cell_value(cell, "data", "input")->set;
    s = find_response(setup, formula, &response, err);
    if (s == ENS_OK)
        s = m->is_input ? shape_input(setup, cell, response, m, out, err)
                        : shape_generated(setup, cell, response, m, out, err);
    if (s == ENS_OK)
        s = plan_model(setup, cell, response, m, out, err);
    if (s != ENS_OK)
        return s;
    out->response = response;
    out->family = m->o.family;
    out->own = m;
    return ENS_OK;
}

const struct ens_generator ens_generator_prior_predictive = {
    .shape = shape,
    .generate = ens_predictive_generate,
};
