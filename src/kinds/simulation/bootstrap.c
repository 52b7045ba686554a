/* Generator `bootstrap`: rows of an input, drawn with replacement.
 *
 * A data set is an index into the mapped input, whose columns stay where they
 * are. Stream "data": one uniform integer per row. */
#include "kinds/simulation/generators.h"

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

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    const char *wanted = ens_cell_value(cell, "data", "input")->text;
    const struct ens_input *in = setup->input(setup, wanted);
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
    name = setup->alloc(setup, n, sizeof(*name));
    column = setup->alloc(setup, n, sizeof(*column));
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
    out->data = (struct ens_data){
        .n = (size_t)in->n_rows,
        .n_columns = n,
        .name = name,
        .column = column,
    };
    return ENS_OK;
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    uint64_t *index =
        job->host->alloc(job->result, shape->data.n, sizeof(*index));
    struct ens_rng *g = job->host->rng(job->result, "data");

    if (!index)
        return ens_fail(err, ENS_ENOMEMORY, "index of %zu rows", shape->data.n);
    for (size_t i = 0; i < shape->data.n; i++)
        index[i] = ens_rng_below(g, shape->data.n);
    out->data = shape->data;
    out->data.index = index;
    return ENS_OK;
}

const struct ens_generator ens_generator_bootstrap = {
    .shape = shape,
    .generate = generate,
};
