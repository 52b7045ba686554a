/* Generator `bootstrap`: rows of an input, drawn with replacement.
 *
 * A data set is an index into the mapped input, whose columns stay where they
 * are. Stream "data": one uniform integer per row. */
#include "kinds/simulation/generator.h"

#include "kinds/simulation/npy.h"
#include "math/rng.h"

const struct ens_setting ens_generator_bootstrap_settings[] = {
    {.section = "data",
     .key = "input",
     .type = ENS_T_INPUT,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = NULL,
     .help = "input whose rows are drawn"},
};

static enum ens_status shape(const struct ens_cell *cell,
                             const struct ens_input *(*input)(const void *arg,
                                                              const char *name),
                             const void *arg, struct ens_arena *arena,
                             struct ens_data *out, struct ens_error *err)
{
    const char *wanted = ens_cell_value(cell, "data", "input")->text;
    const struct ens_input *in = input(arg, wanted);
    struct ens_data_column *column;
    const char **name;
    size_t n;

    if (!in)
        return ens_fail(err, ENS_EINPUT, "input '%s' is not open", wanted);
    if (!in->columns)
        return ens_fail(err, ENS_EINPUT,
                        "input '%s' (%s) has no columns: bootstrap needs a "
                        "table or a two-dimensional array",
                        wanted, in->path);
    if (in->n_rows == 0)
        return ens_fail(err, ENS_EINPUT, "input '%s' (%s) has no rows", wanted,
                        in->path);
    n = (size_t)in->n_columns;
    name = ens_arena_alloc(arena, n, sizeof(*name));
    column = ens_arena_alloc(arena, n, sizeof(*column));
    if (!name || !column)
        return ens_fail(err, ENS_ENOMEMORY, "names of %zu columns", n);
    for (size_t j = 0; j < n; j++) {
        name[j] = in->columns[j].name;
        column[j].values = ens_view_pointer_f64(&in->columns[j].view);
        if (!column[j].values)
            column[j].view = &in->columns[j].view;
        column[j].level = in->columns[j].levels;
        column[j].n_levels = in->columns[j].n_levels;
    }
    *out = (struct ens_data){
        .n = (size_t)in->n_rows,
        .n_columns = n,
        .name = name,
        .column = column,
    };
    return ENS_OK;
}

static enum ens_status
generate(const struct ens_host *host, struct ens_result *result,
         const struct ens_cell *cell, const struct ens_data *shape,
         struct ens_generated *out, struct ens_error *err)
{
    size_t head = ENS_NPY_HEAD / sizeof(uint64_t);
    uint64_t *all = host->alloc(result, head + shape->n, sizeof(*all));
    struct ens_rng *g = host->rng(result, "data");

    (void)cell;
    if (!all)
        return ens_fail(err, ENS_ENOMEMORY, "index of %zu rows", shape->n);
    ens_npy_head((char *)all, "<u8", shape->n, 0);
    for (size_t i = 0; i < shape->n; i++)
        all[head + i] = ens_rng_below(g, shape->n);
    out->data = *shape;
    out->data.index = all + head;
    out->npy = all;
    out->npy_bytes = (head + shape->n) * sizeof(*all);
    return ENS_OK;
}

const struct ens_generator ens_generator_bootstrap = {
    .shape = shape,
    .generate = generate,
};
