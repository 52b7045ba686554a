/* Generator `permute`: an input some of whose columns are shuffled: what they
 * have to do with the others is broken, so that true coefficients are 0.
 *
 * The columns named move together: their rows keep what they have to do with
 * each other. Stream "data": that of the test set, if any; then a uniform
 * integer per row (Fisher and Yates). */
#include "kinds/simulation/generators/table.h"

#include "fit/formula.h"
#include "math/rng.h"

#include <stdio.h>
#include <string.h>

const struct ens_setting ens_generator_permute_settings[] = {
    ENS_TABLE_SETTINGS,
    {.section = "data",
     .key = "columns",
     .type = ENS_T_TEXT,
     .shape = ENS_LIST,
     .cls = ENS_C_DATA,
     .def = "",
     .help = "predictors to shuffle, their rows together: their coefficients "
             "are 0"},
    {.section = "data",
     .key = "response",
     .type = ENS_T_TEXT,
     .shape = ENS_AXIS,
     .cls = ENS_C_DATA,
     .def = "",
     .help = "response to shuffle: the coefficients of all columns are 0"},
};

struct permute {
    const char *is_shuffled; /* per column */
};

static enum ens_status find(const struct ens_data *data, const char *key,
                            const char *name, size_t *place,
                            struct ens_error *err)
{
    for (size_t j = 0; j < data->n_columns; j++)
        if (strcmp(data->name[j], name) == 0) {
            *place = j;
            return ENS_OK;
        }
    return ens_fail(err, ENS_ESTUDY, "%s: the input has no column '%.60s'", key,
                    name);
}

static enum ens_status mark(const struct ens_cell *cell,
                            const struct ens_data *data, char *is_shuffled,
                            struct ens_error *err)
{
    const struct ens_value *columns = ens_cell_value(cell, "data", "columns");
    const char *response = ens_cell_value(cell, "data", "response")->text;
    enum ens_status s = ENS_OK;
    size_t at = 0;

    for (size_t i = 0; s == ENS_OK && i < columns->n_list; i++) {
        s = find(data, "columns", columns->list[i].text, &at, err);
        if (s == ENS_OK)
            is_shuffled[at] = 1;
    }
    if (s == ENS_OK && *response != '\0') {
        s = find(data, "response", response, &at, err);
        if (s == ENS_OK && is_shuffled[at])
            return ens_fail(err, ENS_ESTUDY,
                            "response: '%.60s' is among columns", response);
        if (s == ENS_OK)
            is_shuffled[at] = 1;
    }
    if (s == ENS_OK && columns->n_list == 0 && *response == '\0')
        return ens_fail(err, ENS_ESTUDY,
                        "columns, response: nothing to shuffle is named");
    return s;
}

/* Names of a column's terms: its own, of text one per level. */
static size_t count_terms(const struct ens_data_column *c)
{
    return c->level ? c->n_levels : 1;
}

static int put_terms(const struct ens_setup *setup, const char *name,
                     const struct ens_data_column *c, const char **to)
{
    for (size_t k = 0; k < count_terms(c); k++) {
        const char *level = c->level ? c->level[k] : "";
        size_t bytes = strlen(name) + strlen(level) + 1;
        char *term = setup->alloc(setup, bytes, 1);

        if (!term)
            return -1;
        snprintf(term, bytes, "%s%s", name, level);
        to[k] = term;
    }
    return 0;
}

/* Zeros, of the columns shuffled or, when that is the response, of all. What
 * the user says is true is kept and comes last: it prevails. */
static enum ens_status put_truths(const struct ens_setup *setup,
                                  const struct ens_cell *cell,
                                  const char *is_shuffled,
                                  struct ens_data_shape *out,
                                  struct ens_error *err)
{
    const char *response = ens_cell_value(cell, "data", "response")->text;
    const struct ens_data *d = &out->data;
    size_t n = out->n_truth, k = 0;
    const char **name;
    double *value;

    for (size_t j = 0; j < d->n_columns; j++)
        n += count_terms(&d->column[j]);
    name = setup->alloc(setup, n + 1, sizeof(*name));
    value = setup->alloc(setup, n + 1, sizeof(*value)); /* zeros */
    if (!name || !value)
        return ens_fail(err, ENS_ENOMEMORY, "%zu truths", n);
    for (size_t j = 0; j < d->n_columns; j++) {
        if (*response == '\0' && !is_shuffled[j])
            continue;
        if (put_terms(setup, d->name[j], &d->column[j], name + k) != 0)
            return ens_fail(err, ENS_ENOMEMORY, "%zu truths", n);
        k += count_terms(&d->column[j]);
    }
    for (size_t i = 0; i < out->n_truth; i++, k++) {
        name[k] = out->truth[i];
        value[k] = out->truth_value[i];
    }
    out->n_truth = k;
    out->truth = name;
    out->truth_value = value;
    if (*response != '\0')
        out->response = response;
    return ENS_OK;
}

static enum ens_status shape(const struct ens_setup *setup,
                             const struct ens_cell *cell,
                             struct ens_data_shape *out, struct ens_error *err)
{
    struct permute *own = setup->alloc(setup, 1, sizeof(*own));
    struct ens_table *t;
    char *is_shuffled;
    enum ens_status s = ens_table_shape(setup, cell, &t, out, err);

    if (s != ENS_OK)
        return s;
    is_shuffled = setup->alloc(setup, out->data.n_columns, 1);
    if (!own || !is_shuffled)
        return ens_fail(err, ENS_ENOMEMORY, "settings");
    s = mark(cell, &out->data, is_shuffled, err);
    if (s != ENS_OK)
        return s;
    own->is_shuffled = is_shuffled;
    t->more = own;
    return put_truths(setup, cell, is_shuffled, out, err);
}

static void shuffle(struct ens_rng *g, uint64_t *index, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        uint64_t k = ens_rng_below(g, i), last = index[i - 1];

        index[i - 1] = index[k];
        index[k] = last;
    }
}

static enum ens_status generate(const struct ens_job *job,
                                const struct ens_data_shape *shape,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    const struct ens_table *t = shape->own;
    const struct permute *own = t->more;
    size_t n = t->n_taken, columns = shape->data.n_columns;
    uint64_t *index = job->host->alloc(job->result, n, sizeof(*index));
    struct ens_data_column *column =
        job->host->alloc(job->result, columns, sizeof(*column));
    const uint64_t *pool;
    enum ens_status s = ens_table_hold_out(job, shape, out, &pool, err);

    if (s != ENS_OK)
        return s;
    if (!index || !column)
        return ens_fail(err, ENS_ENOMEMORY, "index of %zu rows", n);
    for (size_t i = 0; i < n; i++)
        index[i] = pool ? pool[i] : i;
    shuffle(job->host->rng(job->result, "data"), index, n);
    for (size_t j = 0; j < columns; j++) {
        column[j] = shape->data.column[j];
        if (own->is_shuffled[j])
            column[j].index = index;
    }
    out->data.n = n;
    out->data.index = pool;
    out->data.column = column;
    return ENS_OK;
}

const struct ens_generator ens_generator_permute = {
    .shape = shape,
    .generate = generate,
};
