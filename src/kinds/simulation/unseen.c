#include "kinds/simulation/unseen.h"

#include "math/sums.h"
#include "mcmc/chains.h"
#include "mcmc/loo.h"
#include "mcmc/psis.h"

#include <math.h>

/* Rows whose draws are in memory at a time: 256 kB of 4,000 draws. */
#define ROWS 8

static size_t block(size_t i, size_t n)
{
    return n - i < ROWS ? n - i : ROWS;
}

static double *room(const struct ens_fitted *f, size_t n)
{
    return f->job->host->alloc(f->job->result, n, sizeof(double));
}

static enum ens_status no_room(const struct ens_fitted *f, size_t n,
                               struct ens_error *err)
{
    return ens_fail(err, ENS_ENOMEMORY, "predictions: %zu rows, %zu draws", n,
                    f->n_draws);
}

/* to[n] = the mean over draws of each row. */
static enum ens_status mean_rows(const struct ens_fitted *f,
                                 const struct ens_fit_problem *at, double *draw,
                                 double *to, struct ens_error *err)
{
    size_t s = f->n_draws;

    for (size_t i = 0; i < at->n; i += ROWS) {
        size_t n = block(i, at->n);
        enum ens_status st = ens_fitted_predict(f, at, i, n, draw, err);

        if (st != ENS_OK)
            return st;
        for (size_t k = 0; k < n; k++)
            to[i + k] = ens_sum(draw + k * s, s) / (double)s;
    }
    return ENS_OK;
}

static enum ens_status elpd_rows(const struct ens_fitted *f,
                                 const struct ens_fit_problem *at, double *draw,
                                 double *to, struct ens_error *err)
{
    size_t s = f->n_draws;

    for (size_t i = 0; i < at->n; i += ROWS) {
        size_t n = block(i, at->n);
        enum ens_status st = ens_fitted_log_lik(f, at, i, n, draw, err);

        if (st != ENS_OK)
            return st;
        for (size_t k = 0; k < n; k++)
            to[i + k] = ens_log_sum_exp(draw + k * s, s) - log((double)s);
    }
    return ENS_OK;
}

enum ens_status ens_unseen_test(const struct ens_fitted *f,
                                const struct ens_fit_problem *test,
                                unsigned needs, struct ens_predicted *out,
                                struct ens_error *err)
{
    double *draw = room(f, ROWS * f->n_draws);
    double *mean = room(f, test->n), *elpd = room(f, test->n);
    enum ens_status s = ENS_OK;

    if (draw == NULL || mean == NULL || elpd == NULL)
        return no_room(f, test->n, err);
    *out = (struct ens_predicted){.n = test->n, .y = test->y};
    if (needs & ENS_NEEDS_PREDICTIONS && ens_fitted_has_predictions(f)) {
        s = mean_rows(f, test, draw, mean, err);
        out->mean = mean;
    }
    if (s == ENS_OK && needs & ENS_NEEDS_LOG_LIK && ens_fitted_has_log_lik(f)) {
        s = elpd_rows(f, test, draw, elpd, err);
        out->elpd = elpd;
    }
    return s;
}

/* -- leave-one-out -----------------------------------------------------------
 */

struct left_out {
    const struct ens_fitted *f;
    const struct ens_fit_problem *problem;
    struct ens_chains chains;
    double *ll, *mu; /* ROWS x draws; mu NULL: not needed */
    double *lw, *work;
    double *elpd, *p_loo, *k, *mean; /* n */
};

static enum ens_status take_room(struct left_out *o, int needs_mean,
                                 struct ens_error *err)
{
    const struct ens_draws *d = &o->f->result->draws;
    size_t s = o->f->n_draws, n = o->problem->n;
    double *own = room(o->f, ens_chains_work(d->n_draws, d->n_chains));

    o->ll = room(o->f, ROWS * s);
    o->mu = needs_mean ? room(o->f, ROWS * s) : NULL;
    o->lw = room(o->f, s);
    o->work = room(o->f, ens_loo_work(s));
    o->elpd = room(o->f, 4 * n);
    if (own == NULL || o->ll == NULL || (needs_mean && o->mu == NULL) ||
        o->lw == NULL || o->work == NULL || o->elpd == NULL)
        return no_room(o->f, n, err);
    o->p_loo = o->elpd + n;
    o->k = o->p_loo + n;
    o->mean = o->k + n;
    ens_chains_init(&o->chains, d->n_draws, d->n_chains, own);
    return ENS_OK;
}

/* Row i, of which ll and mu are the draws. */
static void leave_out(struct left_out *o, size_t i, const double *ll,
                      const double *mu)
{
    size_t s = o->f->n_draws;
    struct ens_loo_point point;
    double r_eff = 1;

    if (!o->f->result->draws.independent)
        r_eff = ens_loo_r_eff(&o->chains, ll, o->work);
    ens_loo_point(ll, s, r_eff, o->lw, &point, o->work);
    o->elpd[i] = point.elpd;
    o->p_loo[i] = point.p;
    o->k[i] = point.k;
    if (mu != NULL)
        o->mean[i] = ens_weighted_mean(mu, o->lw, s);
}

static enum ens_status leave_out_rows(struct left_out *o, struct ens_error *err)
{
    size_t s = o->f->n_draws, all = o->problem->n;

    for (size_t i = 0; i < all; i += ROWS) {
        size_t n = block(i, all);
        enum ens_status st =
            ens_fitted_log_lik(o->f, o->problem, i, n, o->ll, err);

        if (st == ENS_OK && o->mu != NULL)
            st = ens_fitted_predict(o->f, o->problem, i, n, o->mu, err);
        if (st != ENS_OK)
            return st;
        for (size_t k = 0; k < n; k++)
            leave_out(o, i + k, o->ll + k * s,
                      o->mu != NULL ? o->mu + k * s : NULL);
    }
    return ENS_OK;
}

enum ens_status ens_unseen_loo(const struct ens_fitted *f,
                               const struct ens_fit_problem *problem,
                               unsigned needs, struct ens_loo *out, int *has,
                               struct ens_error *err)
{
    struct left_out o = {.f = f, .problem = problem};
    int needs_mean =
        (needs & ENS_NEEDS_EPRED) != 0 && ens_fitted_has_predictions(f);
    enum ens_status s;

    *has = f->result->draws.n_chains > 0 && ens_fitted_has_log_lik(f);
    if (!*has)
        return ENS_OK;
    s = take_room(&o, needs_mean, err);
    if (s == ENS_OK)
        s = leave_out_rows(&o, err);
    if (s != ENS_OK)
        return s;
    *out = (struct ens_loo){.n = problem->n,
                            .elpd = o.elpd,
                            .p_loo = o.p_loo,
                            .pareto_k = o.k,
                            .mean = needs_mean ? o.mean : NULL};
    return ENS_OK;
}
