/* Generator `ar1`: a series y[t] = intercept + phi y[t-1] + N(0, sigma), as a
 * regression of y on lag1, the value before; the rows to predict go on from
 * its end.
 *
 * Stream "data": the value before the first, from the distribution the series
 * settles in (0 when |phi| >= 1: it does not), then the errors. */
#include "kinds/simulation/generators/regression.h"

#include "fit/formula.h"
#include "math/rng.h"

#include <math.h>

const struct ens_setting ens_generator_ar1_settings[] = {
    {.section = "data",
     .key = "n",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "100",
     .min = 1,
     .max = 1e8,
     .unit = "rows",
     .help = "values of the series"},
    {.section = "data",
     .key = "intercept",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "0",
     .help = "true intercept"},
    {.section = "data",
     .key = "phi",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "0.5",
     .help = "true coefficient of lag1"},
    ENS_REGRESSION_NUMBER("sigma", "1", 0, "standard deviation of the errors"),
    {.section = "data",
     .key = "test",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "0",
     .min = 0,
     .max = 1e8,
     .unit = "rows",
     .help = "further values, to predict"},
};

enum { T, LAG, Y, COLUMNS };

struct series {
    double truth[3]; /* intercept, phi, sigma */
    size_t n_test;
};

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    static const char *const name[COLUMNS] = {"t", "lag1", "y"};
    static const char *const truth[] = {ENS_FORMULA_INTERCEPT, "lag1", "sigma"};
    struct series *own = setup->alloc(setup, 1, sizeof(*own));

    if (!own)
        return ens_fail(err, ENS_ENOMEMORY, "settings");
    own->truth[0] = ens_cell_value(cell, "data", "intercept")->d;
    own->truth[1] = ens_cell_value(cell, "data", "phi")->d;
    own->truth[2] = ens_cell_value(cell, "data", "sigma")->d;
    own->n_test = (size_t)ens_cell_value(cell, "data", "test")->i;
    *out = (struct ens_data_shape){
        .data = {.n = (size_t)ens_cell_value(cell, "data", "n")->i,
                 .n_columns = COLUMNS,
                 .name = name},
        .response = "y",
        .n_truth = 3,
        .truth = truth,
        .truth_value = own->truth,
        .family = ENS_FAMILY_GAUSSIAN,
        .own = own,
    };
    return ENS_OK;
}

static double draw_first(struct ens_rng *g, const struct series *own)
{
    double phi = own->truth[1], z = ens_rng_normal(g);

    if (!(fabs(phi) < 1))
        return 0;
    return own->truth[0] / (1 - phi) + own->truth[2] / sqrt(1 - phi * phi) * z;
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    const struct series *own = shape->own;
    size_t n = shape->data.n + own->n_test;
    struct ens_rng *g = job->host->rng(job->result, "data");
    struct ens_data_column *column =
        job->host->alloc(job->result, 2 * COLUMNS, sizeof(*column));
    double *x = job->host->alloc(job->result, n * COLUMNS, sizeof(*x));
    double last;

    if (!column || !x)
        return ens_fail(err, ENS_ENOMEMORY, "a series of %zu values", n);
    last = draw_first(g, own);
    for (size_t i = 0; i < n; i++) {
        x[T * n + i] = (double)(i + 1);
        x[LAG * n + i] = last;
        last = own->truth[0] + own->truth[1] * last +
               own->truth[2] * ens_rng_normal(g);
        x[Y * n + i] = last;
    }
    for (size_t j = 0; j < COLUMNS; j++) {
        column[j].values = x + j * n;
        column[COLUMNS + j].values = x + j * n + shape->data.n;
    }
    out->data = out->test = shape->data;
    out->data.column = column;
    out->test.n = own->n_test;
    out->test.column = column + COLUMNS;
    return ENS_OK;
}

const struct ens_generator ens_generator_ar1 = {
    .shape = shape,
    .generate = generate,
};
