/* A generator: a straight line whose errors depend on the one before,
 * e_t = rho e_(t-1) + N(0, sqrt(1 - rho^2)), so that each has variance 1.
 *
 *   cc -std=c11 -O2 -shared -fPIC -I include -o ar1.so ar1.c -lm
 *   ensrun ar1.ini */
#include <ensrun/plugin.h>
#include <math.h>

static const struct ens_host *host; /* set when this file is loaded */

static const struct ens_setting settings[] = {
    ENS_SETTING("data", "n", INT, AXIS, DATA, "100", 2, 1e7, "rows"),
    ENS_SETTING("data", "slope", NUM, AXIS, DATA, "1", 0, 0, "true slope"),
    ENS_SETTING("data", "rho", NUM, AXIS, DATA, "0.5", -0.999, 0.999,
                "correlation of an error with the one before"),
};

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *to, struct ens_error *err)
{
    static const char *const names[] = {"x", "y"};
    static const char *const truth[] = {"intercept", "x"};
    double *value = setup->alloc(setup, 2, sizeof(*value)); /* zeros */

    if (value == NULL)
        return host->fail(err, ENS_ENOMEMORY, "truth");
    value[1] = host->cell_value(cell, "data", "slope")->d;
    to->data.n = (size_t)host->cell_value(cell, "data", "n")->i;
    to->data.n_columns = 2;
    to->data.name = names;
    to->response = "y"; /* of models of y, these are true: */
    to->n_truth = 2;
    to->truth = truth;
    to->truth_value = value;
    return ENS_OK;
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    const struct ens_cell *cell = &job->task->cell;
    size_t n = shape->data.n;
    double slope = host->cell_value(cell, "data", "slope")->d;
    double rho = host->cell_value(cell, "data", "rho")->d;
    double *x = host->alloc(job->result, 2 * n, sizeof(*x));
    struct ens_data_column *column =
        host->alloc(job->result, 2, sizeof(*column));
    struct ens_rng *rng = host->rng(job->result, "data");
    double e = 0;

    if (x == NULL || column == NULL)
        return host->fail(err, ENS_ENOMEMORY, "data of %zu rows", n);
    for (size_t i = 0; i < n; i++) {
        double z = host->normal(rng);

        e = i == 0 ? z : rho * e + sqrt(1 - rho * rho) * z;
        x[i] = (double)i / (double)(n - 1);
        x[n + i] = slope * x[i] + e;
    }
    column[0].values = x;
    column[1].values = x + n;
    out->data = shape->data; /* its rows, columns and names */
    out->data.column = column;
    return ENS_OK;
}

static const struct ens_generator ar1 = {.shape = shape, .generate = generate};
static const struct ens_plugin_part parts[] = {
    {"generator",
     {"ar1", "a straight line with AR(1) errors", settings, 3, &ar1, 0, 0}}};
const struct ens_plugin ensrun_plugin = {ENS_PLUGIN_HEAD, .host = &host,
                                         .parts = parts, .n_parts = 1};
