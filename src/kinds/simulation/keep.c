#include "kinds/simulation/keep.h"

#include "fit/design.h"
#include "kinds/simulation/npy.h"

#include <string.h>

struct array { /* column-major; columns, depth 0: fewer dimensions */
    const char *item, *descr;
    size_t rows, columns, depth;
    const double *values; /* NULL: filled by the caller */
};

static size_t count(const struct array *a)
{
    size_t n = a->rows;

    if (a->columns && n <= (SIZE_MAX >> 8) / a->columns)
        n *= a->columns;
    if (a->depth && n <= (SIZE_MAX >> 8) / a->depth)
        n *= a->depth;
    return n;
}

/* Memory for the file, its head written; *values is where numbers go. */
static void *begin(const struct ens_job *job, const struct array *a,
                   double **values, struct ens_error *err)
{
    size_t bytes = ENS_NPY_HEAD + count(a) * sizeof(double);
    char *all = job->host->alloc(job->result, bytes, 1);

    if (all == NULL) {
        ens_fail(err, ENS_ENOMEMORY, "artifact %s of %zu bytes", a->item,
                 bytes);
        return NULL;
    }
    ens_npy_head(all, a->descr, a->rows, a->columns, a->depth);
    *values = (double *)(void *)(all + ENS_NPY_HEAD);
    return all;
}

static enum ens_status end(const struct ens_job *job, const struct array *a,
                           const void *all, struct ens_error *err)
{
    return job->host->artifact(job->result, a->item, all,
                               ENS_NPY_HEAD + count(a) * sizeof(double), err);
}

static enum ens_status keep(const struct ens_job *job, const struct array *a,
                            struct ens_error *err)
{
    double *to;
    void *all;

    if (!job->host->keeps(job->result, a->item))
        return ENS_OK;
    all = begin(job, a, &to, err);
    if (all == NULL)
        return ENS_ENOMEMORY;
    memcpy(to, a->values, count(a) * sizeof(*to));
    return end(job, a, all, err);
}

/* Is a data set rows of an input? Not when columns are of other rows. */
static int is_drawn(const struct ens_data *data)
{
    for (size_t j = 0; j < data->n_columns; j++)
        if (data->column[j].index)
            return 0;
    return data->index != NULL;
}

enum ens_status ens_keep_data(const struct ens_job *job,
                              const struct ens_data *data,
                              struct ens_error *err)
{
    int drawn = is_drawn(data);
    const struct array a = {.item = "data",
                            .descr = drawn ? "<u8" : "<f8",
                            .rows = data->n,
                            .columns = drawn ? 0 : data->n_columns};
    double *to;
    void *all;

    if (!job->host->keeps(job->result, a.item))
        return ENS_OK;
    all = begin(job, &a, &to, err);
    if (all == NULL)
        return ENS_ENOMEMORY;
    if (drawn)
        memcpy(to, data->index, data->n * sizeof(*data->index));
    for (size_t j = 0; j < a.columns; j++, to += data->n) {
        const double *from = ens_data_rows(data, (uint32_t)j, 0, data->n, to);

        if (from != to)
            memcpy(to, from, data->n * sizeof(*to));
    }
    return end(job, &a, all, err);
}

enum ens_status ens_keep_fit(const struct ens_job *job,
                             const struct ens_fit_result *r, size_t p,
                             struct ens_error *err)
{
    const struct array a = {
        .item = "fit", .descr = "<f8", .rows = p, .columns = p + 1};
    double *to;
    void *all;

    if (p == 0 || !job->host->keeps(job->result, a.item))
        return ENS_OK;
    all = begin(job, &a, &to, err);
    if (all == NULL)
        return ENS_ENOMEMORY;
    memcpy(to, r->estimate, p * sizeof(*to));
    memcpy(to + p, r->cov, p * p * sizeof(*to));
    return end(job, &a, all, err);
}

enum ens_status ens_keep_draws(const struct ens_job *job,
                               const struct ens_fit_result *r,
                               struct ens_error *err)
{
    const struct ens_draws *d = &r->draws;
    const struct array draws = {.item = "draws",
                                .descr = "<f8",
                                .rows = d->n_draws,
                                .columns = d->n_chains,
                                .depth = r->n_parameters,
                                .values = d->value};
    const struct array sampler = {.item = "sampler",
                                  .descr = "<f8",
                                  .rows = d->n_draws,
                                  .columns = d->n_chains,
                                  .depth = ENS_N_SAMPLER,
                                  .values = d->sampler};
    enum ens_status s = ENS_OK;

    if (d->n_chains > 0)
        s = keep(job, &draws, err);
    if (s == ENS_OK && d->n_chains > 0 && d->sampler != NULL)
        s = keep(job, &sampler, err);
    return s;
}
