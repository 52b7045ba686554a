/* Generator `subsample`: rows of an input, drawn without replacement, in the
 * order of the input.
 *
 * Stream "data": that of the test set, if any, then of the rows (table.h). */
#include "kinds/simulation/generators/table.h"

const struct ens_setting ens_generator_subsample_settings[] = {
    ENS_TABLE_SETTINGS,
    {.section = "data",
     .key = "rows",
     .type = ENS_T_NUM,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "0.5",
     .min = 0,
     .max = 1e15,
     .help = "rows to draw of those not held out: a share when below 1, else "
             "their number"},
};

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    double rows = ens_cell_value(cell, "data", "rows")->d;
    struct ens_table *t;
    enum ens_status s = ens_table_shape(setup, cell, &t, out, err);

    return s == ENS_OK
               ? ens_table_rows("rows", rows, t->n_taken, &t->n_taken, err)
               : s;
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    const struct ens_table *t = shape->own;
    const uint64_t *pool;
    uint64_t *index;
    enum ens_status s = ens_table_hold_out(job, shape, out, &pool, err);

    if (s == ENS_OK)
        s = ens_table_pick(job, t->n - t->n_test, t->n_taken, &index, NULL,
                           err);
    if (s != ENS_OK)
        return s;
    for (size_t i = 0; pool && i < t->n_taken; i++)
        index[i] = pool[index[i]];
    out->data.n = t->n_taken;
    out->data.index = index;
    return ENS_OK;
}

const struct ens_generator ens_generator_subsample = {
    .shape = shape,
    .generate = generate,
};
