/* Generator `linear`: y = intercept + x'slope + N(0, sigma).
 *
 * Stream "data", row by row: x1 .. xp, then the error. Predictors are
 * independent, so a model that leaves one out is biased in no other. */
#include "kinds/simulation/generators.h"

#include "fit/formula.h"
#include "math/rng.h"

#include <stdio.h>

#define NAME_BYTES 24 /* "x" and a 64-bit number */

const struct ens_setting ens_generator_linear_settings[] = {
    {.section = "data",
     .key = "n",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "100",
     .min = 1,
     .max = 1e8,
     .unit = "rows",
     .help = "rows of a data set"},
    {.section = "data",
     .key = "intercept",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "0",
     .help = "true intercept"},
    {.section = "data",
     .key = "slope",
     .type = ENS_T_VECTOR,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "1",
     .help = "true coefficients of x1, x2 ..., separated by blanks"},
    {.section = "data",
     .key = "sigma",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "1",
     .min = 0,
     .max = 1e300,
     .help = "standard deviation of the errors"},
};

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    const struct ens_value *slope = ens_cell_value(cell, "data", "slope");
    size_t p = slope->n_vec;
    const char **name = setup->alloc(setup, p + 1, sizeof(*name));
    const char **truth = setup->alloc(setup, p + 2, sizeof(*truth));
    double *value = setup->alloc(setup, p + 2, sizeof(*value));
    char(*text)[NAME_BYTES] = setup->alloc(setup, p, sizeof(*text));

    if (!name || !truth || !value || !text)
        return ens_fail(err, ENS_ENOMEMORY, "names of %zu columns", p + 1);
    for (size_t j = 0; j < p; j++) {
        snprintf(text[j], NAME_BYTES, "x%zu", j + 1);
        name[j] = truth[j + 1] = text[j];
        value[j + 1] = slope->vec[j];
    }
    name[p] = "y";
    truth[0] = ENS_FORMULA_INTERCEPT;
    value[0] = ens_cell_value(cell, "data", "intercept")->d;
    truth[p + 1] = "sigma";
    value[p + 1] = ens_cell_value(cell, "data", "sigma")->d;
    *out = (struct ens_data_shape){
        .data = {.n = (size_t)ens_cell_value(cell, "data", "n")->i,
                 .n_columns = p + 1,
                 .name = name},
        .response = "y",
        .n_truth = p + 2,
        .truth = truth,
        .truth_value = value,
        .family = ENS_FAMILY_GAUSSIAN,
    };
    return ENS_OK;
}

static void draw(struct ens_rng *g, const struct ens_cell *cell, size_t n,
                 double *x)
{
    const struct ens_value *slope = ens_cell_value(cell, "data", "slope");
    double intercept = ens_cell_value(cell, "data", "intercept")->d;
    double sigma = ens_cell_value(cell, "data", "sigma")->d;
    size_t p = slope->n_vec;

    for (size_t i = 0; i < n; i++) {
        double y = intercept;

        for (size_t j = 0; j < p; j++) {
            double v = ens_rng_normal(g);

            x[i + j * n] = v;
            y += slope->vec[j] * v;
        }
        x[i + p * n] = y + sigma * ens_rng_normal(g);
    }
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    size_t n = shape->data.n;
    size_t columns = shape->data.n_columns;
    struct ens_data_column *column =
        job->host->alloc(job->result, columns, sizeof(*column));
    double *all = NULL;

    if (n <= SIZE_MAX / sizeof(*all) / columns)
        all = job->host->alloc(job->result, n * columns, sizeof(*all));
    if (!column || !all)
        return ens_fail(err, ENS_ENOMEMORY, "data of %zu rows, %zu columns", n,
                        columns);
    draw(job->host->rng(job->result, "data"), &job->task->cell, n, all);
    for (size_t j = 0; j < columns; j++)
        column[j].values = all + j * n;
    out->data = shape->data;
    out->data.column = column;
    return ENS_OK;
}

const struct ens_generator ens_generator_linear = {
    .shape = shape,
    .generate = generate,
};
