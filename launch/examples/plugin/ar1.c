/* A generator: a straight line whose errors depend on the one before,
 * e_t = rho e_(t-1) + N(0, sqrt(1 - rho^2)), so that each has variance 1.
 *
 *   cc -std=c11 -O2 -shared -fPIC -I include -o ar1.so ar1.c -lm
 *   ensrun ar1.ini */
#include <ensrun/plugin.h>
#include <math.h>
#include <string.h>

static const struct ens_host *host; /* set when this file is loaded */

static const struct ens_setting settings[] = {
    ENS_SETTING("data", "n", INT, AXIS, DATA, "100", 2, 1e7, "rows"),
    ENS_SETTING("data", "slope", NUM, AXIS, DATA, "1", 0, 0, "true slope"),
    ENS_SETTING("data", "rho", NUM, AXIS, DATA, "0.5", -0.999, 0.999,
                "correlation of an error with the one before"),
};

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell, struct ens_data *d,
                             struct ens_error *err)
{
    static const char *const names[] = {"x", "y"};

    (void)setup; /* finds inputs, gives memory: not needed here */
    (void)err;
    d->n = (size_t)host->cell_value(cell, "data", "n")->i;
    d->n_columns = 2;
    d->name = names;
    return ENS_OK;
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    const struct ens_cell *cell = &job->task->cell;
    double slope = host->cell_value(cell, "data", "slope")->d;
    double rho = host->cell_value(cell, "data", "rho")->d;
    double *x = host->alloc(job->result, 2 * shape->n, sizeof(*x));
    struct ens_data_column *column =
        host->alloc(job->result, 2, sizeof(*column));
    struct ens_rng *rng = host->rng(job->result, "data");
    double e = 0;

    if (x == NULL || column == NULL)
        return host->fail(err, ENS_ENOMEMORY, "data of %zu rows", shape->n);
    for (size_t i = 0; i < shape->n; i++) {
        double z = host->normal(rng);

        e = i == 0 ? z : rho * e + sqrt(1 - rho * rho) * z;
        x[i] = (double)i / (double)(shape->n - 1);
        x[shape->n + i] = slope * x[i] + e;
    }
    column[0].values = x;
    column[1].values = x + shape->n;
    out->data = *shape; /* its rows, columns and names */
    out->data.column = column;
    return ENS_OK;
}

static int truth(const struct ens_cell *cell, const char *response,
                 const char *term, double *value)
{
    int is_x = strcmp(term, "x") == 0;

    *value = is_x ? host->cell_value(cell, "data", "slope")->d : 0;
    return strcmp(response, "y") == 0 &&
           (is_x || strcmp(term, "intercept") == 0);
}

static const struct ens_generator ar1 = {
    .shape = shape, .generate = generate, .truth = truth};
static const struct ens_plugin_part parts[] = {
    {"generator",
     {"ar1", "a straight line with AR(1) errors", settings, 3, &ar1, 0, 0}}};
const struct ens_plugin ensrun_plugin = {ENS_PLUGIN_HEAD, .host = &host,
                                         .parts = parts, .n_parts = 1};
