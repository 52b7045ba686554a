#include "kinds/simulation/generators/regression.h"

#include "fit/formula.h"
#include "kinds/simulation/generators/response.h"
#include "math/rng.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 24 /* "x" and a 64-bit number */

static enum ens_status read_settings(struct ens_regression *r,
                                     const struct ens_cell *cell,
                                     const struct ens_regression_kind *kind,
                                     struct ens_error *err)
{
    const struct ens_value *slope = ens_cell_value(cell, "data", "slope");

    r->n = (size_t)ens_cell_value(cell, "data", "n")->i;
    r->n_test = (size_t)ens_cell_value(cell, "data", "test")->i;
    r->x = (enum ens_regression_x)ens_cell_value(cell, "data", "x")->i;
    r->rho = ens_cell_value(cell, "data", "rho")->d;
    r->rest = sqrt(1 - r->rho * r->rho);
    r->intercept = ens_cell_value(cell, "data", "intercept")->d;
    r->p = slope->n_vec;
    r->slope = slope->vec;
    for (size_t k = 0; k < kind->n_own; k++)
        r->own[k] = ens_cell_value(cell, "data", kind->own[k])->d;
    if (fabs(r->rho) == 1 && r->p > 1)
        return ens_fail(err, ENS_ESTUDY,
                        "rho: 1 and -1 make all predictors the same one");
    return ENS_OK;
}

enum ens_status ens_regression_names(const struct ens_setup *setup,
                                     const struct ens_regression_kind *kind,
                                     struct ens_regression *r,
                                     struct ens_data_shape *out,
                                     struct ens_error *err)
{
    size_t p = r->p;
    size_t columns = p + kind->n_columns + 1, truths = 1 + p + kind->n_truth;
    const char **name = setup->alloc(setup, columns, sizeof(*name));
    char(*text)[NAME_BYTES] = setup->alloc(setup, p + 1, sizeof(*text));

    r->truth = setup->alloc(setup, truths, sizeof(*r->truth));
    r->truth_value = setup->alloc(setup, truths, sizeof(*r->truth_value));
    if (!name || !text || !r->truth || !r->truth_value)
        return ens_fail(err, ENS_ENOMEMORY, "names of %zu columns", columns);
    r->truth[0] = ENS_FORMULA_INTERCEPT;
    r->truth_value[0] = r->intercept;
    for (size_t j = 0; j < p; j++) {
        snprintf(text[j], NAME_BYTES, "x%zu", j + 1);
        name[j] = r->truth[j + 1] = text[j];
        r->truth_value[j + 1] = r->slope[j];
    }
    for (size_t k = 0; k < kind->n_columns; k++)
        name[p + k] = kind->column[k];
    name[columns - 1] = "y";
    for (size_t k = 0; k < kind->n_truth; k++) {
        r->truth[1 + p + k] = kind->truth[k];
        r->truth_value[1 + p + k] = NAN;
        for (size_t i = 0; i < kind->n_own; i++)
            if (strcmp(kind->own[i], kind->truth[k]) == 0)
                r->truth_value[1 + p + k] = r->own[i];
    }
    out->data =
        (struct ens_data){.n = r->n, .n_columns = columns, .name = name};
    out->n_truth = truths;
    out->truth = r->truth;
    out->truth_value = r->truth_value;
    return ENS_OK;
}

enum ens_status ens_regression_shape(const struct ens_setup *setup,
                                     const struct ens_cell *cell,
                                     const struct ens_regression_kind *kind,
                                     struct ens_regression **own,
                                     struct ens_data_shape *out,
                                     struct ens_error *err)
{
    struct ens_regression *r = setup->alloc(setup, 1, sizeof(*r));
    enum ens_status s;

    if (!r)
        return ens_fail(err, ENS_ENOMEMORY, "settings");
    s = read_settings(r, cell, kind, err);
    if (s == ENS_OK)
        s = ens_regression_names(setup, kind, r, out, err);
    if (s != ENS_OK)
        return s;
    out->response = "y";
    out->family = kind->family;
    out->n_meta = kind->n_meta;
    out->meta = kind->meta;
    out->own = r;
    if (own)
        *own = r;
    return ENS_OK;
}

/* A normal as a predictor: uniform of sd 1, or 0 or 1. */
static double transform(enum ens_regression_x x, double z)
{
    switch (x) {
    case ENS_REGRESSION_NORMAL:
        return z;
    case ENS_REGRESSION_UNIFORM:
        return sqrt(12) * (gsl_cdf_ugaussian_P(z) - 0.5);
    case ENS_REGRESSION_BINARY:
        return z > 0 ? 1 : 0;
    }
    return NAN;
}

/* Row i of n; returns its predictor. */
static double draw_row(const struct ens_regression *r, struct ens_rng *g,
                       double *x, size_t n)
{
    double eta = r->intercept, z = 0;

    for (size_t j = 0; j < r->p; j++) {
        double v = ens_rng_normal(g);

        z = j > 0 && r->rho != 0 ? r->rho * z + r->rest * v : v;
        v = transform(r->x, z);
        x[j * n] = v;
        eta += r->slope[j] * v;
    }
    return eta;
}

static enum ens_status draw_rows(const struct ens_regression *r,
                                 struct ens_rng *g, ens_regression_fn *draw,
                                 void *arg, double *x, double *y,
                                 struct ens_error *err)
{
    size_t n = r->n + r->n_test;

    for (size_t i = 0; i < n; i++) {
        double eta = draw_row(r, g, x + i, n);

        y[i] = draw(g, eta, i, arg);
        if (isnan(y[i]))
            return ens_fail(err, ENS_EDOMAIN,
                            "row %zu: no count is drawn of a mean above 1e9; "
                            "the predictor is %.15g",
                            i + 1, eta);
    }
    return ENS_OK;
}

enum ens_status ens_regression_rows(const struct ens_job *job,
                                    const struct ens_data_shape *shape,
                                    ens_regression_fn *draw, void *arg,
                                    struct ens_generated *out, double **x,
                                    struct ens_error *err)
{
    const struct ens_regression *r = shape->own;
    size_t columns = shape->data.n_columns, n = r->n + r->n_test;
    struct ens_data_column *column =
        job->host->alloc(job->result, 2 * columns, sizeof(*column));
    double *all = NULL;
    enum ens_status s;

    if (n <= SIZE_MAX / sizeof(*all) / columns)
        all = job->host->alloc(job->result, n * columns, sizeof(*all));
    if (!column || !all)
        return ens_fail(err, ENS_ENOMEMORY, "data of %zu rows, %zu columns", n,
                        columns);
    s = draw_rows(r, job->host->rng(job->result, "data"), draw, arg, all,
                  all + (columns - 1) * n, err);
    if (s != ENS_OK)
        return s;
    for (size_t j = 0; j < columns; j++) {
        if (shape->data.column) /* levels */
            column[j] = column[columns + j] = shape->data.column[j];
        column[j].values = all + j * n;
        column[columns + j].values = all + j * n + r->n;
    }
    out->data = shape->data;
    out->data.column = column;
    out->test = out->data;
    out->test.n = r->n_test;
    out->test.column = column + columns;
    if (x)
        *x = all;
    return ENS_OK;
}

struct family {
    enum ens_family family;
    const double *parameter;
};

static double draw_family(struct ens_rng *g, double eta, size_t i, void *arg)
{
    const struct family *f = arg;

    (void)i;
    return ens_response_draw(g, f->family, eta, f->parameter);
}

enum ens_status ens_regression_generate(const struct ens_job *job,
                                        const struct ens_data_shape *shape,
                                        struct ens_generated *out,
                                        struct ens_error *err)
{
    const struct ens_regression *r = shape->own;
    struct family f = {shape->family, r->own};

    return ens_regression_rows(job, shape, draw_family, &f, out, NULL, err);
}
