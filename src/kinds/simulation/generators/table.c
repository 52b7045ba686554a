#include "kinds/simulation/generators/table.h"

#include "kinds/simulation/generators/truths.h"
#include "math/rng.h"

#include <math.h>
#include <string.h>

static enum ens_status find_input(const struct ens_setup *setup,
                                  const char *wanted,
                                  const struct ens_input **in,
                                  struct ens_error *err)
{
    *in = setup->input(setup, wanted);
    if (!*in)
        return ens_fail(err, ENS_EINPUT, "input '%s' is not open", wanted);
    if (!(*in)->columns)
        return ens_fail(err, ENS_EINPUT,
                        "input '%s' (%s) has no columns: rows of a table or a "
                        "two-dimensional array are needed",
                        wanted, (*in)->path);
    if ((*in)->n_rows == 0)
        return ens_fail(err, ENS_EINPUT, "input '%s' (%s) has no rows", wanted,
                        (*in)->path);
    return ENS_OK;
}

enum ens_status ens_table_of_input(const struct ens_setup *setup,
                                   const struct ens_cell *cell,
                                   struct ens_data *out, struct ens_error *err)
{
    const struct ens_input *in;
    struct ens_data_column *column;
    const char **name;
    size_t n;
    enum ens_status s = find_input(
        setup, ens_cell_value(cell, "data", "input")->text, &in, err);

    if (s != ENS_OK)
        return s;
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
    *out = (struct ens_data){
        .n = (size_t)in->n_rows,
        .n_columns = n,
        .name = name,
        .column = column,
    };
    return ENS_OK;
}

enum ens_status ens_table_rows(const char *key, double wanted, size_t n,
                               size_t *rows, struct ens_error *err)
{
    double m = wanted < 1 ? floor(wanted * (double)n + 0.5) : wanted;

    if (m != floor(m) || !(m >= 1) || !(m <= (double)n))
        return ens_fail(err, ENS_ESTUDY,
                        "%s: %.15g is no number of rows, or share of them, "
                        "between 1 and %zu",
                        key, wanted, n);
    *rows = (size_t)m;
    return ENS_OK;
}

enum ens_status ens_table_shape(const struct ens_setup *setup,
                                const struct ens_cell *cell,
                                struct ens_table **own,
                                struct ens_data_shape *out,
                                struct ens_error *err)
{
    double test = ens_cell_value(cell, "data", "test")->d;
    struct ens_table *t = setup->alloc(setup, 1, sizeof(*t));
    enum ens_status s;

    if (!t)
        return ens_fail(err, ENS_ENOMEMORY, "settings");
    s = ens_table_of_input(setup, cell, &out->data, err);
    if (s == ENS_OK)
        s = ens_truths_read(setup, cell, 0, out, err);
    t->n = out->data.n;
    if (s == ENS_OK && test > 0)
        s = ens_table_rows("test", test, t->n - 1, &t->n_test, err);
    if (s != ENS_OK)
        return s;
    t->n_taken = t->n - t->n_test;
    out->own = t;
    *own = t;
    return ENS_OK;
}

/* -- rows -------------------------------------------------------------------
 */

static int is_set(const uint64_t *bits, uint64_t i)
{
    return (int)(bits[i / 64] >> (i % 64) & 1);
}

static void mark(struct ens_rng *g, size_t n, size_t m, uint64_t *bits)
{
    for (size_t j = n - m; j < n; j++) {
        uint64_t i = ens_rng_below(g, j + 1);

        if (is_set(bits, i))
            i = j;
        bits[i / 64] |= (uint64_t)1 << (i % 64);
    }
}

/* Rows whose bit is `want`. */
static uint64_t *list(const struct ens_job *job, const uint64_t *bits, size_t n,
                      size_t m, int want)
{
    uint64_t *to = job->host->alloc(job->result, m, sizeof(*to));
    size_t k = 0;

    for (size_t i = 0; to && i < n; i++)
        if (is_set(bits, i) == want)
            to[k++] = i;
    return to;
}

enum ens_status ens_table_pick(const struct ens_job *job, size_t n, size_t m,
                               uint64_t **chosen, uint64_t **rest,
                               struct ens_error *err)
{
    uint64_t *bits = job->host->alloc(job->result, n / 64 + 1, sizeof(*bits));
    int marked = m <= n / 2; /* the smaller part */

    if (!bits)
        return ens_fail(err, ENS_ENOMEMORY, "index of %zu rows", n);
    memset(bits, 0, (n / 64 + 1) * sizeof(*bits));
    mark(job->host->rng(job->result, "data"), n, marked ? m : n - m, bits);
    *chosen = list(job, bits, n, m, marked);
    if (rest)
        *rest = list(job, bits, n, n - m, !marked);
    return *chosen && (!rest || *rest)
               ? ENS_OK
               : ens_fail(err, ENS_ENOMEMORY, "index of %zu rows", n);
}

enum ens_status ens_table_hold_out(const struct ens_job *job,
                                   const struct ens_data_shape *shape,
                                   struct ens_generated *out,
                                   const uint64_t **pool, struct ens_error *err)
{
    const struct ens_table *t = shape->own;
    uint64_t *test, *rest;
    enum ens_status s;

    out->data = shape->data;
    *pool = NULL;
    if (t->n_test == 0)
        return ENS_OK;
    s = ens_table_pick(job, t->n, t->n_test, &test, &rest, err);
    if (s != ENS_OK)
        return s;
    out->test = shape->data;
    out->test.n = t->n_test;
    out->test.index = test;
    *pool = rest;
    return ENS_OK;
}
