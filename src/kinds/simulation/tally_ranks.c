#include "kinds/simulation/tally_ranks.h"

#include "mcmc/sbc.h"

#include <math.h>
#include <stdlib.h>

#define MAX_BINS 20

enum ens_status ens_tally_ranks_init(struct ens_tally_ranks *r,
                                     const char *metric, const char *term,
                                     size_t rank, size_t n_ranks,
                                     struct ens_arena *arena,
                                     struct ens_error *err)
{
    *r = (struct ens_tally_ranks){
        .term = term, .rank = rank, .n_ranks = n_ranks};
    r->ecdf_p = ens_arena_printf(arena, "%s__ecdf_p", metric);
    r->ecdf_diff = ens_arena_printf(arena, "%s__ecdf_diff", metric);
    r->chi2_p = ens_arena_printf(arena, "%s__chi2_p", metric);
    r->count = ens_arena_alloc(arena, ENS_TALLY_RANKS, sizeof(*r->count));
    return r->ecdf_p && r->ecdf_diff && r->chi2_p && r->count
               ? ENS_OK
               : ens_fail(err, ENS_ENOMEMORY, "ranks of %s", term);
}

void ens_tally_ranks_add(struct ens_tally_ranks *r, double rank, double n_ranks,
                         double u)
{
    if (!(rank >= 0 && rank < n_ranks))
        return;
    r->n++;
    r->count[ens_sbc_rescale((size_t)rank, (size_t)n_ranks, ENS_TALLY_RANKS,
                             u)]++;
}

enum ens_status ens_tally_ranks_rows(const struct ens_tally_ranks *r,
                                     uint64_t n_records, ens_measure_fn *sink,
                                     void *arg, struct ens_error *err)
{
    struct ens_measure m = {.estimand = r->term,
                            .mcse = NAN,
                            .n_used = r->n,
                            .n_missing = n_records - r->n};
    struct ens_sbc_ecdf ecdf;
    struct ens_sbc_chi2 chi2;
    double *work =
        malloc(ens_sbc_work((size_t)r->n, ENS_TALLY_RANKS) * sizeof(*work));
    enum ens_status s;

    if (work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "ranks of %s", r->term);
    ens_sbc_ecdf(r->count, ENS_TALLY_RANKS, &ecdf, work);
    ens_sbc_chi2(r->count, ENS_TALLY_RANKS, MAX_BINS, &chi2);
    free(work);
    m.measure = r->ecdf_p;
    m.value = ecdf.p;
    s = sink(arg, &m, err);
    m.measure = r->ecdf_diff;
    m.value = ecdf.max_diff;
    if (s == ENS_OK)
        s = sink(arg, &m, err);
    m.measure = r->chi2_p;
    m.value = chi2.p;
    return s == ENS_OK ? sink(arg, &m, err) : s;
}
