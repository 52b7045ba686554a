/* Generator `bootstrap`: rows of an input, drawn with replacement.
 *
 * Stream "data": that of the test set, if any; one uniform integer per row. */
#include "kinds/simulation/generators/table.h"

#include "math/rng.h"

#include <string.h>

const struct ens_setting ens_generator_bootstrap_settings[] = {
    ENS_TABLE_SETTINGS,
    {.section = "data",
     .key = "rows",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "0",
     .min = 0,
     .max = 1e9,
     .help = "rows to draw; 0: as many as there are"},
    {.section = "data",
     .key = "oob",
     .type = ENS_T_BOOL,
     .shape = ENS_ONE,
     .cls = ENS_C_DATA,
     .def = "no",
     .help = "yes: rows that were not drawn (out of bag) are the test set"},
};

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    static const char *const meta[] = {"distinct"};
    size_t rows = (size_t)ens_cell_value(cell, "data", "rows")->i;
    int oob = ens_cell_value(cell, "data", "oob")->i != 0;
    struct ens_table *t;
    enum ens_status s = ens_table_shape(setup, cell, &t, out, err);

    if (s != ENS_OK)
        return s;
    if (oob && t->n_test > 0)
        return ens_fail(err, ENS_ESTUDY,
                        "test, oob: only one of them can be the test set");
    if (rows > 0)
        t->n_taken = rows;
    t->more = oob ? t : NULL;
    out->n_meta = 1;
    out->meta = meta;
    return ENS_OK;
}

/* How many of the rows were drawn; in *left, when wanted, the others. */
static enum ens_status count(const struct ens_job *job, size_t n,
                             const struct ens_data *data, size_t *distinct,
                             uint64_t **left, struct ens_error *err)
{
    unsigned char *drawn = job->host->alloc(job->result, n, 1);
    size_t k = 0;

    if (!drawn)
        return ens_fail(err, ENS_ENOMEMORY, "index of %zu rows", n);
    memset(drawn, 0, n);
    for (size_t i = 0; i < data->n; i++)
        drawn[data->index[i]] = 1;
    *distinct = 0;
    for (size_t i = 0; i < n; i++)
        *distinct += drawn[i];
    if (!left)
        return ENS_OK;
    *left = job->host->alloc(job->result, n - *distinct + 1, sizeof(**left));
    if (!*left)
        return ens_fail(err, ENS_ENOMEMORY, "index of %zu rows", n);
    for (size_t i = 0; i < n; i++)
        if (!drawn[i])
            (*left)[k++] = i;
    return ENS_OK;
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    const struct ens_table *t = shape->own;
    size_t n = t->n - t->n_test, distinct = 0;
    uint64_t *index = job->host->alloc(job->result, t->n_taken, sizeof(*index));
    struct ens_rng *g = job->host->rng(job->result, "data");
    const uint64_t *pool;
    uint64_t *left;
    enum ens_status s = ens_table_hold_out(job, shape, out, &pool, err);

    if (s != ENS_OK)
        return s;
    if (!index)
        return ens_fail(err, ENS_ENOMEMORY, "index of %zu rows", t->n_taken);
    for (size_t i = 0; i < t->n_taken; i++) {
        uint64_t k = ens_rng_below(g, n);

        index[i] = pool ? pool[k] : k;
    }
    out->data.n = t->n_taken;
    out->data.index = index;
    s = count(job, t->n, &out->data, &distinct, t->more ? &left : NULL, err);
    if (s != ENS_OK)
        return s;
    out->meta[0] = (double)distinct;
    if (t->more && distinct < t->n) {
        out->test = shape->data;
        out->test.n = t->n - distinct;
        out->test.index = left;
    }
    return ENS_OK;
}

const struct ens_generator ens_generator_bootstrap = {
    .shape = shape,
    .generate = generate,
};
