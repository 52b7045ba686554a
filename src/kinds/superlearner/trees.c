#include "kinds/superlearner/trees.h"

#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/moments.h"
#include "learn/bins.h"

#include <math.h>

/* All rows of the source, in its order. */
static enum ens_status open_all(const struct ens_sl_job *job,
                                struct ens_sl_data *data, struct ens_rows *all,
                                struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    struct ens_span *span = ens_arena_alloc(&st->arena, 1, sizeof(*span));
    struct ens_rowset set;
    enum ens_status s = ens_sl_data(job, &st->layer, 0, st->texts, data, err);

    if (s == ENS_OK && span == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (s == ENS_OK)
        s = ens_sl_shared_ignored(job, 1, &data->source, err);
    if (s != ENS_OK)
        return s;
    set = ens_rowset_one(span, NULL, 0, st->layer.n_in);
    return ens_sl_case_open(NULL, data, &set, all, err);
}

enum ens_status ens_sl_run_edges(const struct ens_sl_job *job,
                                 struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    struct ens_sl_data data;
    struct ens_rows all;
    char name[ENS_SL_KEY];
    double *work;
    uint64_t n;
    void *to;
    enum ens_status s = open_all(job, &data, &all, err);

    ens_sl_array(name, "edges", &st->layer);
    if (s == ENS_OK)
        s = st->host->block(job->result, name, &to, &n, err);
    if (s != ENS_OK)
        return s;
    work = ens_arena_alloc(&st->arena, ens_bins_make_work(all.n, all.p),
                           sizeof(*work));
    if (work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_bins_make(&all, work, to);
    return ens_sl_refuse(&st->sl, &all, &data.response, err);
}

enum ens_status ens_sl_run_bins(const struct ens_sl_job *job,
                                struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    uint64_t lanes = ens_sl_lanes(st->layer.n_in, 0);
    uint64_t i = job->task->replicate - 1;
    uint64_t first = st->layer.n_in * i / lanes;
    uint64_t last = st->layer.n_in * (i + 1) / lanes;
    struct ens_sl_data data;
    struct ens_rows all;
    struct ens_view edges;
    char name[ENS_SL_KEY];
    double *work;
    uint64_t n;
    void *to;
    enum ens_status s = open_all(job, &data, &all, err);

    if (s == ENS_OK)
        s = ens_sl_array_of(job, "edges", &st->layer, job->task->cell.ordinal,
                            &edges, err);
    ens_sl_array(name, "bins", &st->layer);
    if (s == ENS_OK)
        s = st->host->block(job->result, name, &to, &n, err);
    if (s != ENS_OK)
        return s;
    work =
        ens_arena_alloc(&st->arena, ens_bins_encode_work(all.p), sizeof(*work));
    if (work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_bins_encode(&all, edges.data, first, last - first, work, to);
    return ens_sl_refuse(&st->sl, &all, &data.response, err);
}

enum ens_status ens_sl_shared_bins(const struct ens_sl_job *job,
                                   const struct ens_sl_layer *layer,
                                   const struct ens_sl_data *data,
                                   const struct ens_bins **bins,
                                   struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    struct ens_bins *made = ens_arena_alloc(&st->arena, 1, sizeof(*made));
    struct ens_view edges, codes;
    enum ens_status s;

    *bins = NULL;
    if (!st->has_bins || data->texts != st->texts ||
        (st->learner->uses & ENS_LEARN_BINS) == 0)
        return ENS_OK;
    if (made == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = ens_sl_array_of(job, "edges", layer, st->leader, &edges, err);
    if (s == ENS_OK)
        s = ens_sl_array_of(job, "bins", layer, st->leader, &codes, err);
    if (s != ENS_OK || isnan(*(const double *)edges.data))
        return s;
    *made = ens_bins_of(layer->n_in, data->source.p, codes.data, edges.data);
    *bins = made;
    return ENS_OK;
}
