#include "learn/trees/data.h"

#include "base/bug.h"
#include "learn/bins.h"

static enum ens_status make_bins(struct ens_tree_data *d,
                                 const struct ens_learn_job *job,
                                 const struct ens_rows *rows,
                                 struct ens_error *err)
{
    size_t p = rows->p, n = d->n, bytes = ens_bins_bytes(n, p);
    size_t make = ens_bins_make_work(n, p), encode = ens_bins_encode_work(p);
    double *table = job->alloc(job, ens_bins_table_size(p), sizeof(*table));
    double *work =
        job->alloc(job, make > encode ? make : encode, sizeof(*work));
    uint8_t *code = job->alloc(job, bytes, 1);

    if (table == NULL || work == NULL || code == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "bins of %zu x %zu values",
                               n, p);
    ens_bins_make(rows, work, table);
    ens_bins_encode(rows, table, 0, n, work, code);
    d->bins = ens_bins_of(n, p, code, table);
    return ENS_OK;
}

static enum ens_status list_sources(struct ens_tree_data *d,
                                    const struct ens_learn_job *job,
                                    const struct ens_rows *rows,
                                    struct ens_error *err)
{
    uint64_t at[256];
    uint32_t *source = job->alloc(job, d->n, sizeof(*source));

    if (source == NULL)
        return job->host->fail(err, ENS_ENOMEMORY, "row numbers");
    for (uint32_t i = 0; i < d->n;) {
        uint32_t n = d->n - i < 256 ? d->n - i : 256;

        rows->source(rows, i, n, at);
        for (uint32_t k = 0; k < n; k++)
            source[i + k] = (uint32_t)at[k];
        i += n;
    }
    d->source = source;
    return ENS_OK;
}

enum ens_status ens_tree_data_init(struct ens_tree_data *d,
                                   const struct ens_learn_job *job,
                                   const struct ens_rows *rows,
                                   struct ens_error *err)
{
    uint64_t most = rows->n;

    if (rows->n == 0 || rows->p == 0)
        return job->host->fail(err, ENS_EDOMAIN, "no %s to learn from",
                               rows->n == 0 ? "rows" : "columns");
    if (rows->bins != NULL && rows->first_row == UINT64_MAX)
        most = rows->bins->n_rows;
    if (most >= UINT32_MAX)
        return job->host->fail(err, ENS_EDOMAIN,
                               "%llu rows: trees take fewer than 2^32 - 1",
                               (unsigned long long)most);
    *d = (struct ens_tree_data){.n = (uint32_t)rows->n, .p = rows->p};
    if (rows->bins == NULL)
        return make_bins(d, job, rows, err);
    ENS_BUG_ON(rows->bins->p != rows->p);
    d->bins = *rows->bins;
    d->first = rows->first_row;
    if (rows->first_row != UINT64_MAX)
        return ENS_OK;
    return list_sources(d, job, rows, err);
}
