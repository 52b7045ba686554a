/* Generator `linear`: y = intercept + x'slope + N(0, sigma).
 *
 * Stream "data", row by row: x1 .. xp, then the error. */
#include "kinds/simulation/generator.h"

#include "base/number.h"
#include "kinds/simulation/npy.h"
#include "math/rng.h"

#include <string.h>

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

static enum ens_status shape(const struct ens_cell *cell,
                             const struct ens_input *(*input)(const void *arg,
                                                              const char *name),
                             const void *arg, struct ens_arena *arena,
                             struct ens_data *out, struct ens_error *err)
{
    size_t p = ens_cell_value(cell, "data", "slope")->n_vec;
    const char **name = ens_arena_alloc(arena, p + 1, sizeof(*name));

    (void)input;
    (void)arg;
    if (!name)
        return ens_fail(err, ENS_ENOMEMORY, "names of %zu columns", p + 1);
    for (size_t j = 0; j < p; j++)
        name[j] = ens_arena_printf(arena, "x%zu", j + 1);
    name[p] = "y";
    for (size_t j = 0; j < p; j++)
        if (!name[j])
            return ens_fail(err, ENS_ENOMEMORY, "names of %zu columns", p + 1);
    *out = (struct ens_data){
        .n = (size_t)ens_cell_value(cell, "data", "n")->i,
        .n_columns = p + 1,
        .name = name,
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

static enum ens_status
generate(const struct ens_host *host, struct ens_result *result,
         const struct ens_cell *cell, const struct ens_data *shape,
         struct ens_generated *out, struct ens_error *err)
{
    size_t n = shape->n;
    size_t columns = shape->n_columns;
    size_t head = ENS_NPY_HEAD / sizeof(double);
    struct ens_data_column *column =
        host->alloc(result, columns, sizeof(*column));
    double *all = NULL;

    if (n <= (SIZE_MAX / sizeof(*all) - head) / columns)
        all = host->alloc(result, head + n * columns, sizeof(*all));
    if (!column || !all)
        return ens_fail(err, ENS_ENOMEMORY, "data of %zu rows, %zu columns", n,
                        columns);
    ens_npy_head((char *)all, "<f8", n, columns);
    draw(host->rng(result, "data"), cell, n, all + head);
    for (size_t j = 0; j < columns; j++)
        column[j].values = all + head + j * n;
    out->data = *shape;
    out->data.column = column;
    out->npy = all;
    out->npy_bytes = (head + n * columns) * sizeof(*all);
    return ENS_OK;
}

/* Terms of `y ~ ...`: the intercept and the columns as they are. Predictors
 * are independent, so leaving one out biases no other. */
static int truth(const struct ens_cell *cell, const char *response,
                 const char *term, double *value)
{
    const struct ens_value *slope = ens_cell_value(cell, "data", "slope");
    uint64_t j;

    if (strcmp(response, "y") != 0)
        return 0;
    if (strcmp(term, ENS_FORMULA_INTERCEPT) == 0) {
        *value = ens_cell_value(cell, "data", "intercept")->d;
        return 1;
    }
    if (term[0] != 'x' ||
        ens_number_parse_u64(term + 1, strlen(term + 1), &j) != 0 || j < 1 ||
        j > slope->n_vec)
        return 0;
    *value = slope->vec[j - 1];
    return 1;
}

const struct ens_generator ens_generator_linear = {
    .shape = shape,
    .generate = generate,
    .truth = truth,
};
