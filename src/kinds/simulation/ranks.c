#include "kinds/simulation/ranks.h"

#include <math.h>
#include <string.h>

#define MAX_BINS 20   /* of the chi-squared test, as bayesim's histogram */
#define LEVEL    0.95 /* of the simultaneous band */

static struct ens_pair never(const struct ens_sample *s)
{
    (void)s;
    return (struct ens_pair){NAN, NAN};
}

enum { CHI2_P, ECDF_DIFF, ECDF_P, INSIDE };

static const struct ens_measure_def rows[] = {
    [CHI2_P] = {"chi2_p", "p-value of the chi-squared test of uniform ranks",
                ENS_MEASURE_RANKS, never, NULL},
    [ECDF_DIFF] = {"ecdf_diff",
                   "largest difference of their ECDF from the uniform one",
                   ENS_MEASURE_RANKS, never, NULL},
    [ECDF_P] = {"ecdf_p", "p-value of an ECDF as unlikely somewhere",
                ENS_MEASURE_RANKS, never, NULL},
    [INSIDE] = {"ecdf_inside",
                "1: the ECDF is within its simultaneous 95 % band",
                ENS_MEASURE_RANKS, never, NULL},
};

const struct ens_measure_def *ens_ranks_row(size_t i)
{
    return i < sizeof(rows) / sizeof(*rows) ? &rows[i] : NULL;
}

/* Whole numbers, and one within the other. */
static int is_rank(double rank, double n_ranks)
{
    return n_ranks >= 2 && rank >= 0 && rank < n_ranks;
}

void ens_ranks_look(struct ens_ranks *r, double rank, double n_ranks)
{
    if (!is_rank(rank, n_ranks))
        return;
    r->n++;
    if (n_ranks > (double)r->to)
        r->to = n_ranks < ENS_RANKS_MAX ? (size_t)n_ranks : ENS_RANKS_MAX;
}

enum ens_status ens_ranks_begin(struct ens_ranks *r, struct ens_arena *arena,
                                struct ens_error *err)
{
    r->count = ens_arena_alloc(arena, r->to + 1, sizeof(*r->count));
    return r->count != NULL
               ? ENS_OK
               : ens_fail(err, ENS_ENOMEMORY, "counts of %zu ranks", r->to);
}

/* A uniform rank among n is a uniform number when a uniform part of a rank is
 * added to it, so it is a uniform rank among any other number. */
void ens_ranks_add(struct ens_ranks *r, double rank, double n_ranks, double u)
{
    double to = (double)r->to;
    size_t at;

    if (!is_rank(rank, n_ranks))
        return;
    at = n_ranks == to ? (size_t)rank : (size_t)((rank + u) / n_ranks * to);
    r->count[at < r->to ? at : r->to - 1]++;
}

static enum ens_status test(struct ens_ranks *r, struct ens_arena *arena,
                            struct ens_error *err)
{
    size_t size = ens_sbc_work((size_t)r->n, r->to);
    double *work = ens_arena_alloc(arena, size, sizeof(*work));

    if (work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "ECDF of %zu ranks", (size_t)r->n);
    ens_sbc_chi2(r->count, r->to, MAX_BINS, &r->chi2);
    ens_sbc_ecdf(r->count, r->to, &r->ecdf, work);
    r->done = 1;
    return ENS_OK;
}

enum ens_status ens_ranks_value(struct ens_ranks *r,
                                const struct ens_measure_def *row,
                                struct ens_arena *arena, double *value,
                                struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    *value = NAN;
    if (r->n == 0 || r->count == NULL)
        return ENS_OK;
    if (!r->done)
        s = test(r, arena, err);
    if (s != ENS_OK)
        return s;
    *value = row == &rows[CHI2_P]      ? r->chi2.p
             : row == &rows[ECDF_DIFF] ? r->ecdf.max_diff
             : row == &rows[ECDF_P]    ? r->ecdf.p
             : isnan(r->ecdf.p)        ? NAN
             : r->ecdf.p > 1 - LEVEL   ? 1
                                       : 0;
    return ENS_OK;
}
