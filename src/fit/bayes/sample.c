#include "fit/bayes/sample.h"

#include "fit/fitter.h"
#include "math/rng.h"
#include "mcmc/adapt.h"
#include "mcmc/chain.h"
#include "mcmc/gradient.h"
#include "mcmc/mode.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Beyond, the products with a factor cost more than correlations gain. */
#define MOST_WHITENED 200
/* Points where a gradient may be checked: as chains, within 2 of the origin. */
#define MOST_POINTS 10
/* The item of the kind under which a chain is kept. */
#define CHAIN_ITEM "chain"

struct sampler {
    const struct ens_job *job;
    const struct ens_sampled *of;
    struct ens_fit_result *result;
    struct ens_error *err;
    struct ens_chain_options o;
    struct ens_mode mode;
    size_t n_chains, n;
    double *work;
    double *parameter;       /* n, scratch */
    struct ens_chain chain;  /* the present one */
    double *value, *columns; /* of the result's draws */
    uint64_t n_divergent, n_cut;
};

/* What a chain that is a task keeps, then its draws, parameter by parameter,
 * and its numbers of the sampler; or, of 0 draws, why there are none. */
struct kept {
    uint64_t n_draws, n_parameters;
    uint64_t n_divergent, n_cut;
};

static const struct ens_value *setting(const struct sampler *s, const char *key)
{
    return ens_cell_value(&s->job->task->cell, "fit", key);
}

static void *take(const struct sampler *s, size_t n, size_t size)
{
    return s->job->host->alloc(s->job->result, n, size);
}

static enum ens_status find_mode(struct sampler *s)
{
    double *work = take(s, ens_mode_work(s->of->density->dim), sizeof(*work));

    if (!work)
        return ens_fail(s->err, ENS_ENOMEMORY, "mode of %zu parameters",
                        s->of->density->dim);
    ens_mode_find(s->of->density, NULL, work, &s->mode);
    return ENS_OK;
}

static const char *best_adaptation(const struct sampler *s)
{
    if (s->of->density->dim > MOST_WHITENED)
        return "fisher";
    return s->of->best ? s->of->best : "fisher_dense";
}

static enum ens_status choose_adaptation(struct sampler *s,
                                         const struct ens_adaptation **chosen)
{
    const char *name = setting(s, "adaptation")->text;
    int is_auto = strcmp(name, "auto") == 0;
    enum ens_status st = ENS_OK;

    if (is_auto)
        name = best_adaptation(s);
    *chosen = ens_adaptation_find(name);
    if (!(*chosen)->needs_mode)
        return ENS_OK;
    st = find_mode(s);
    if (st != ENS_OK || s->mode.status == ENS_MODE_FOUND)
        return st;
    *chosen = &ens_adapt_fisher_dense;
    return is_auto ? ENS_OK : ens_mode_explain(&s->mode, NULL, s->err);
}

static enum ens_status read_settings(struct sampler *s)
{
    const struct ens_adaptation *adaptation;
    enum ens_status st = choose_adaptation(s, &adaptation);

    if (st != ENS_OK)
        return st;
    ens_chain_defaults(&s->o, adaptation);
    if (setting(s, "warmup")->set)
        s->o.warmup = (size_t)setting(s, "warmup")->i;
    s->o.draws = (size_t)setting(s, "draws")->i;
    s->o.thin = (size_t)setting(s, "thin")->i;
    s->o.adapt_delta = setting(s, "adapt_delta")->d;
    s->o.max_depth = (unsigned)setting(s, "max_treedepth")->i;
    s->n_chains = (size_t)setting(s, "chains")->i;
    return ENS_OK;
}

/* One after the other: memory is filled with zeros, and where a part is not
 * to be had the rest must not be touched. */
static int allocate_all(struct sampler *s, size_t all, size_t dim)
{
    if (all > SIZE_MAX / 64 / (s->n + ENS_N_SAMPLER) ||
        s->o.draws > SIZE_MAX / 64 / dim)
        return 0;
    s->value = take(s, all * s->n, sizeof(*s->value));
    if (s->value)
        s->columns = take(s, all * ENS_N_SAMPLER, sizeof(*s->columns));
    if (s->columns)
        s->chain.q = take(s, s->o.draws * dim, sizeof(*s->chain.q));
    if (s->chain.q)
        s->chain.stats = take(s, s->o.draws, sizeof(*s->chain.stats));
    if (s->chain.stats)
        s->parameter = take(s, s->n, sizeof(*s->parameter));
    if (s->parameter)
        s->work = take(s, ens_chain_work(dim, &s->o), sizeof(*s->work));
    return s->work != NULL;
}

static enum ens_status allocate(struct sampler *s)
{
    if (allocate_all(s, s->n_chains * s->o.draws, s->of->density->dim))
        return ENS_OK;
    return ens_fail(s->err, ENS_ENOMEMORY,
                    "%zu chains of %zu draws of %zu parameters", s->n_chains,
                    s->o.draws, s->n);
}

/* A chain's draws become columns of the result. */
static void keep(struct sampler *s, size_t at)
{
    size_t n = s->o.draws, all = s->n_chains * n;

    for (size_t i = 0; i < n; i++) {
        const struct ens_draw_stats *t = &s->chain.stats[i];
        double *column = s->columns + at * n + i;
        double *value = s->value + at * n + i;
        const double *q = s->chain.q + i * s->of->density->dim;

        if (s->of->constrain) {
            s->of->constrain(s->of->density->model, q, s->parameter);
            q = s->parameter;
        }
        for (size_t j = 0; j < s->n; j++)
            value[j * all] = q[j];
        column[ENS_SAMPLER_LP * all] = t->lp;
        column[ENS_SAMPLER_ACCEPT * all] = t->accept;
        column[ENS_SAMPLER_STEPSIZE * all] = s->chain.step_size;
        column[ENS_SAMPLER_TREEDEPTH * all] = t->depth;
        column[ENS_SAMPLER_N_LEAPFROG * all] = t->n_leapfrog;
        column[ENS_SAMPLER_DIVERGENT * all] = t->divergent;
        column[ENS_SAMPLER_ENERGY * all] = t->energy;
    }
}

/* Draw a chain; it becomes number `at` of the result. */
static enum ens_status run_chain(struct sampler *s, size_t chain, size_t at)
{
    char stream[32];
    enum ens_status st;

    snprintf(stream, sizeof(stream), "chain.%zu", chain + 1);
    st = ens_chain_run(
        s->of->density, &s->o, s->o.adaptation->needs_mode ? &s->mode : NULL,
        s->job->host->rng(s->job->result, stream), s->work, &s->chain, s->err);
    if (st != ENS_OK)
        return ens_wrap(s->err, st, "chain %zu", chain + 1);
    keep(s, at);
    s->n_divergent += s->chain.n_divergent;
    s->n_cut += s->chain.n_max_depth;
    return ENS_OK;
}

/* -- chains that are tasks --------------------------------------------------
 */

static enum ens_status put_parts(const struct sampler *s,
                                 const struct kept *head, const void *a,
                                 size_t n_a, const void *b, size_t n_b)
{
    const struct ens_host *host = s->job->host;
    struct ens_result *r = s->job->result;
    enum ens_status st = host->artifact_begin(r, CHAIN_ITEM, s->err);

    if (st == ENS_OK)
        st = host->artifact_part(r, head, sizeof(*head), s->err);
    if (st == ENS_OK)
        st = host->artifact_part(r, a, n_a, s->err);
    if (st == ENS_OK)
        st = host->artifact_part(r, b, n_b, s->err);
    return st == ENS_OK ? host->artifact_end(r, s->err) : st;
}

/* A chain that fails is an outcome of the fit, not of this task. */
static enum ens_status keep_one(struct sampler *s, size_t chain)
{
    size_t n = s->o.draws;
    enum ens_status st = run_chain(s, chain, 0);
    struct kept head = {n, s->n, s->n_divergent, s->n_cut};

    if (st == ENS_OK)
        return put_parts(s, &head, s->value, s->n * n * sizeof(double),
                         s->columns, ENS_N_SAMPLER * n * sizeof(double));
    if (st != ENS_EDOMAIN)
        return st;
    head.n_draws = 0;
    return put_parts(s, &head, s->err->text, strlen(s->err->text), NULL, 0);
}

static void spread(double *to, const double *from, size_t n_rows, size_t n,
                   size_t step)
{
    for (size_t j = 0; j < n_rows; j++)
        memcpy(to + j * step, from + j * n, n * sizeof(*to));
}

/* The chain as its task kept it; *found 0: it did not. */
static enum ens_status take_kept(struct sampler *s, size_t chain, int *found)
{
    size_t n = s->o.draws, all = s->n_chains * n, bytes;
    uint64_t task = (s->job->task->replicate - 1ull) * s->n_chains + chain + 1;
    struct kept head;
    const void *data = NULL;
    const double *from;
    enum ens_status st = ENS_OK;

    if (task <= UINT32_MAX)
        st = s->job->host->kept_by(s->job->result, (uint32_t)task, &data,
                                   &bytes, s->err);
    *found = st == ENS_OK && data != NULL && bytes >= sizeof(head);
    if (!*found)
        return st;
    memcpy(&head, data, sizeof(head));
    bytes -= sizeof(head);
    if (head.n_draws == 0)
        return ens_fail(s->err, ENS_EDOMAIN, "%.*s", (int)bytes,
                        (const char *)data + sizeof(head));
    *found = head.n_draws == n && head.n_parameters == s->n &&
             bytes == (s->n + ENS_N_SAMPLER) * n * sizeof(*from);
    if (!*found)
        return ENS_OK;
    from = (const double *)(const void *)((const char *)data + sizeof(head));
    spread(s->value + chain * n, from, s->n, n, all);
    spread(s->columns + chain * n, from + s->n * n, ENS_N_SAMPLER, n, all);
    s->n_divergent += head.n_divergent;
    s->n_cut += head.n_cut;
    return ENS_OK;
}

static enum ens_status get_chain(struct sampler *s, size_t chain)
{
    int found;
    enum ens_status st = take_kept(s, chain, &found);

    return st == ENS_OK && !found ? run_chain(s, chain, chain) : st;
}

enum ens_status ens_sample(const struct ens_job *job,
                           const struct ens_sampled *of,
                           struct ens_fit_result *result, struct ens_error *err)
{
    size_t only = result->only_chain;
    struct sampler s = {.job = job,
                        .of = of,
                        .result = result,
                        .err = err,
                        .n = result->n_parameters};
    enum ens_status st = read_settings(&s);

    if (only > 0)
        s.n_chains = 1;
    if (st == ENS_OK)
        st = allocate(&s);
    if (st == ENS_OK && only > 0)
        return keep_one(&s, only - 1);
    for (size_t c = 0; st == ENS_OK && c < s.n_chains; c++)
        st = get_chain(&s, c);
    if (st != ENS_OK)
        return st;
    result->draws = (struct ens_draws){.n_chains = s.n_chains,
                                       .n_draws = s.o.draws,
                                       .value = s.value,
                                       .sampler = s.columns,
                                       .max_treedepth = s.o.max_depth};
    if (s.n_divergent > 0)
        ens_fit_warn(result, "divergent transitions after the warm-up");
    if (s.n_cut > 0)
        ens_fit_warn(result, "trajectories were cut at max_treedepth");
    return ENS_OK;
}

/* A wrong gradient biases nothing but wastes draws, or sends chains nowhere,
 * and says nothing: it is a warning. From a stream of its own, so that draws
 * are those that they are without it. */
static enum ens_status check_gradient(const struct ens_job *job,
                                      const struct ens_density *density,
                                      const char *const *name,
                                      struct ens_error *err)
{
    size_t dim = density->dim;
    struct ens_rng *rng = job->host->rng(job->result, "gradient");
    double *q = job->host->alloc(job->result, dim, sizeof(*q));
    double *work = q == NULL
                       ? NULL
                       : job->host->alloc(job->result, ens_gradient_work(dim),
                                          sizeof(*work));
    struct ens_error wrong;

    if (work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "gradient of %zu coordinates", dim);
    for (int k = 0; k < MOST_POINTS; k++) {
        for (size_t j = 0; j < dim; j++)
            q[j] = 4 * ens_rng_uniform(rng) - 2;
        if (!isfinite(density->at(density->model, q, work)))
            continue;
        if (ens_gradient_check(density, q, name, work, &wrong) != ENS_OK)
            job->host->warn(job->result, wrong.text);
        break;
    }
    return ENS_OK;
}

enum ens_status ens_fit_run(const struct ens_fitter *fitter,
                            const struct ens_job *job,
                            const struct ens_fit_options *o,
                            const struct ens_fit_problem *problem, double *work,
                            struct ens_fit_result *result,
                            struct ens_error *err)
{
    struct ens_density density = {0};
    enum ens_status s;

    if (fitter->fit)
        return fitter->fit(job, o, problem, work, result, err);
    s = fitter->density(job, o, problem, &density, err);
    if (s != ENS_OK)
        return s;
    if (density.dim == 0 || !density.at ||
        (!fitter->constrain && density.dim != result->n_parameters))
        return ens_fail(err, ENS_EDOMAIN,
                        "the fitter's density is of %zu coordinates, without "
                        "constrain; the parameters are %zu",
                        density.dim, result->n_parameters);
    s = check_gradient(
        job, &density,
        !fitter->constrain && density.dim == problem->p ? problem->term : NULL,
        err);
    if (s != ENS_OK)
        return s;
    return ens_sample(job,
                      &(struct ens_sampled){.density = &density,
                                            .constrain = fitter->constrain},
                      result, err);
}
