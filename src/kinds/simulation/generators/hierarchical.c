/* Generator `hierarchical`: y about intercept + x'slope + g[j], g[j] ~ N(0,
 * sd_g) the intercept of group j, drawn anew in each data set.
 *
 * Rows belong to groups 1 .. J in turn, those to predict too. Stream "data":
 * g[1] .. g[J], then row by row as regression.h. */
#include "kinds/simulation/generators/regression.h"

#include "kinds/simulation/generators/response.h"
#include "math/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 24

const struct ens_setting ens_generator_hierarchical_settings[] = {
    ENS_REGRESSION_SETTINGS,
    {.section = "data",
     .key = "groups",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "10",
     .min = 2,
     .max = 1000,
     .help = "number of groups; row i is of group (i - 1) mod groups + 1"},
    ENS_REGRESSION_NUMBER("sd_g", "1", 0,
                          "standard deviation of the groups' intercepts"),
    ENS_REGRESSION_NUMBER("sigma", "1", 0,
                          "standard deviation of the errors (gaussian)"),
    {.section = "data",
     .key = "group",
     .type = ENS_T_CHOICE,
     .shape = ENS_ONE,
     .cls = ENS_C_DATA,
     .def = "text",
     .choices = "text|number",
     .help = "column g: text, \"1\" to the number of groups, or that number"},
    {.section = "data",
     .key = "family",
     .type = ENS_T_CHOICE,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "gaussian",
     .choices = "gaussian|binomial|poisson",
     .help = "of the response: gaussian, binomial (logit link, 0 or 1) or "
             "poisson (log link)"},
};

struct groups {
    size_t n;
    double sd;
    const double *of; /* n + n_test rows: 1 .. n, or 0 .. n - 1 of text */
};

/* Columns x1 .. xp, g, y: of g the values, or of text the levels. */
static enum ens_status name_groups(const struct ens_setup *setup,
                                   const struct ens_cell *cell,
                                   struct ens_regression *r, struct groups *own,
                                   struct ens_data_shape *out,
                                   struct ens_error *err)
{
    int is_text = ens_cell_value(cell, "data", "group")->i == 0;
    size_t rows = r->n + r->n_test;
    const char **truth = r->truth + out->n_truth - own->n;
    char(*text)[NAME_BYTES] = setup->alloc(setup, own->n, sizeof(*text));
    char(*level)[NAME_BYTES] = setup->alloc(setup, own->n, sizeof(*level));
    const char **levels = setup->alloc(setup, own->n, sizeof(*levels));
    double *of = setup->alloc(setup, rows, sizeof(*of));
    struct ens_data_column *column =
        setup->alloc(setup, out->data.n_columns, sizeof(*column));

    if (!text || !level || !levels || !of || !column)
        return ens_fail(err, ENS_ENOMEMORY, "%zu groups", own->n);
    for (size_t j = 0; j < own->n; j++) {
        snprintf(text[j], NAME_BYTES, "g[%zu]", j + 1);
        snprintf(level[j], NAME_BYTES, "%zu", j + 1);
        truth[j] = text[j];
        levels[j] = level[j];
    }
    for (size_t i = 0; i < rows; i++)
        of[i] = (double)(i % own->n) + (is_text ? 0 : 1);
    column[r->p].values = of;
    if (is_text) {
        column[r->p].level = levels;
        column[r->p].n_levels = (uint32_t)own->n;
    }
    own->of = of;
    out->data.column = column;
    return ENS_OK;
}

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    static const enum ens_family family[] = {
        ENS_FAMILY_GAUSSIAN, ENS_FAMILY_BINOMIAL, ENS_FAMILY_POISSON};
    static const char *const keys[] = {"sigma", "sd_g"};
    static const char *const column[] = {"g"};
    size_t n = (size_t)ens_cell_value(cell, "data", "groups")->i;
    struct ens_regression_kind kind = {
        .family = family[ens_cell_value(cell, "data", "family")->i],
        .n_own = 2,
        .own = keys,
        .n_columns = 1,
        .column = column};
    int is_gaussian = kind.family == ENS_FAMILY_GAUSSIAN;
    const char **truth = setup->alloc(setup, n + 2, sizeof(*truth));
    struct groups *own = setup->alloc(setup, 1, sizeof(*own));
    struct ens_regression *r;
    enum ens_status s;

    if (!truth || !own)
        return ens_fail(err, ENS_ENOMEMORY, "%zu groups", n);
    kind.n_truth = n + 1 + (is_gaussian ? 1 : 0);
    kind.truth = truth;
    for (size_t k = 0; k < kind.n_truth; k++)
        truth[k] = k == 0 ? "sd_g" : k == 1 && is_gaussian ? "sigma" : "";
    s = ens_regression_shape(setup, cell, &kind, &r, out, err);
    if (s != ENS_OK)
        return s;
    own->n = n;
    own->sd = r->own[1];
    r->more = own;
    return name_groups(setup, cell, r, own, out, err);
}

struct drawing {
    const struct ens_regression *r;
    enum ens_family family;
    const double *u; /* of the groups */
    size_t n;
};

static double draw(struct ens_rng *g, double eta, size_t i, void *arg)
{
    const struct drawing *d = arg;

    return ens_response_draw(g, d->family, eta + d->u[i % d->n], d->r->own);
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    const struct ens_regression *r = shape->own;
    const struct groups *own = r->more;
    struct ens_rng *g = job->host->rng(job->result, "data");
    double *u = out->truth + shape->n_truth - own->n, *x;
    struct drawing d = {r, shape->family, u, own->n};
    enum ens_status s;

    for (size_t j = 0; j < own->n; j++)
        u[j] = own->sd * ens_rng_normal(g);
    s = ens_regression_rows(job, shape, draw, &d, out, &x, err);
    if (s == ENS_OK)
        memcpy(x + r->p * (r->n + r->n_test), own->of,
               (r->n + r->n_test) * sizeof(*x));
    return s;
}

const struct ens_generator ens_generator_hierarchical = {
    .shape = shape,
    .generate = generate,
};
