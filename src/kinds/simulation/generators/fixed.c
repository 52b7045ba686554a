/* Generator `fixed`: an input as it is; with `test`, without the rows held
 * out. */
#include "kinds/simulation/generators/table.h"

const struct ens_setting ens_generator_fixed_settings[] = {
    ENS_TABLE_SETTINGS,
};

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    struct ens_table *t;

    return ens_table_shape(setup, cell, &t, out, err);
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    const struct ens_table *t = shape->own;
    const uint64_t *pool = NULL;
    enum ens_status s = ens_table_hold_out(job, shape, out, &pool, err);

    out->data.n = t->n_taken;
    out->data.index = pool;
    return s;
}

const struct ens_generator ens_generator_fixed = {
    .shape = shape,
    .generate = generate,
};
