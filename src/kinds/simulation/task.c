/* A task: generate, fit, look at what was not fitted, measure, keep. */
#include "kinds/simulation/state.h"

#include "base/bug.h"
#include "fit/bayes/sample.h"
#include "kinds/simulation/chains.h"
#include "kinds/simulation/keep.h"
#include "kinds/simulation/metrics/metrics.h"
#include "kinds/simulation/unseen.h"

#include <math.h>
#include <string.h>

/* Room for groups' levels and standard errors; -1: there is none. */
static int take_groups(const struct ens_simulation_state *st,
                       struct ens_result *result, size_t n,
                       struct ens_design_space *to,
                       struct ens_fit_group **group)
{
    const struct ens_design *d = &st->model.design;

    if (d->has_se)
        to->se = st->host->alloc(result, n, sizeof(*to->se));
    if (d->has_se && !to->se)
        return -1;
    if (d->n_groups == 0)
        return 0;
    to->level = st->host->alloc(result, d->n_groups * n, sizeof(*to->level));
    *group = st->host->alloc(result, d->n_groups, sizeof(**group));
    if (!to->level || !*group)
        return -1;
    memcpy(*group, st->model.group, d->n_groups * sizeof(**group));
    return 0;
}

/* The model matrix of the data, in the task's memory. */
static enum ens_status design(const struct ens_simulation_state *st,
                              struct ens_result *result,
                              const struct ens_data *data,
                              struct ens_fit_problem *problem,
                              struct ens_error *err)
{
    const struct ens_host *host = st->host;
    const struct ens_design *d = &st->model.design;
    size_t n = data->n, p = d->n_columns;
    size_t size = ens_design_work(d, n);
    struct ens_design_space to = {.x = NULL};
    struct ens_fit_group *group = NULL;
    enum ens_status s;

    *problem = (struct ens_fit_problem){.n = n,
                                        .p = p,
                                        .term = st->model.term,
                                        .response = d->f->response.name,
                                        .data = data};
    if (!st->model.has_formula)
        return ENS_OK;
    to.vars = host->alloc(result, d->f->n_vars, sizeof(*to.vars));
    to.y = host->alloc(result, n, sizeof(*to.y));
    if (d->has_offset)
        to.offset = host->alloc(result, n, sizeof(*to.offset));
    if (size < SIZE_MAX / sizeof(*to.work))
        to.work = host->alloc(result, size, sizeof(*to.work));
    if (n <= SIZE_MAX / sizeof(*to.x) / p)
        to.x = host->alloc(result, n * p, sizeof(*to.x));
    if (!to.x || !to.y || !to.work || !to.vars ||
        (d->has_offset && !to.offset) ||
        take_groups(st, result, n, &to, &group) != 0)
        return ens_fail(err, ENS_ENOMEMORY, "model matrix, %zu x %zu", n, p);
    problem->x = to.x;
    problem->y = to.y;
    problem->offset = to.offset;
    problem->se = to.se;
    problem->n_groups = d->n_groups;
    problem->group = group;
    s = ens_design_build(d, data, &to, &problem->n, err);
    for (size_t k = 0; s == ENS_OK && k < d->n_groups; k++)
        group[k].of = to.level + k * problem->n;
    return s;
}

/* As the interface promises: NaN is what the fitter did not say. out: the
 * parts of n parameters, then a covariance of p terms. */
static void point(struct ens_fit_result *r, double *out, size_t n, size_t p)
{
    for (size_t k = 0; k < ENS_SIM_PARTS * n + p * p; k++)
        out[k] = NAN;
    memset(r, 0, sizeof(*r));
    r->n_parameters = n;
    r->estimate = out + ENS_SIM_ESTIMATE * n;
    r->std_error = out + ENS_SIM_STD_ERROR * n;
    r->conf_low = out + ENS_SIM_CONF_LOW * n;
    r->conf_high = out + ENS_SIM_CONF_HIGH * n;
    r->cov = out + ENS_SIM_PARTS * n;
    r->df = INFINITY;
}

/* chain: this one alone, from 1; 0: all of it. */
static enum ens_status fit(const struct ens_simulation_state *st,
                           const struct ens_job *job,
                           const struct ens_fit_problem *problem,
                           uint32_t chain, struct ens_fit_result *r,
                           struct ens_error *err)
{
    const struct ens_fitter *fitter = st->model.fitter;
    const struct ens_fit_options *o = &st->model.options;
    const struct ens_job own = {job->host, job->result, job->task,
                                st->fitter_state};
    size_t p = problem->p, n = st->model.n_parameters;
    size_t size = fitter->work ? fitter->work(problem->n, p) : 0;
    double *out =
        st->host->alloc(job->result, ENS_SIM_PARTS * n + p * p, sizeof(*out));
    double *work = size == SIZE_MAX
                       ? NULL
                       : st->host->alloc(job->result, size, sizeof(*work));
    enum ens_status s;

    if (problem->n == 0)
        return ens_fail(err, ENS_EDOMAIN, "0 complete rows for %zu terms", p);
    if (!out || !work)
        return ens_fail(err, ENS_ENOMEMORY, "fit of %zu rows, %zu terms",
                        problem->n, p);
    point(r, out, n, p);
    r->only_chain = chain;
    s = ens_fit_run(fitter, &own, o, problem, work, r, err);
    if (chain > 0)
        return s;
    if (s == ENS_OK)
        s = ens_fit_summarise(&own, r, p, o->level, err);
    return s == ENS_OK ? ens_fit_complete(r, problem, o->level, err) : s;
}

/* What is true of the parameters shown; NaN: not known. */
static double *find_truths(const struct ens_simulation_state *st,
                           struct ens_result *result,
                           const struct ens_generated *g)
{
    const struct ens_simulation_model *m = &st->model;
    double *truth = st->host->alloc(result, m->n_shown, sizeof(*truth));

    for (size_t j = 0; truth != NULL && j < m->n_shown; j++) {
        size_t k = m->truth_of[j];

        truth[j] = k == SIZE_MAX ? NAN : st->shape.truth_value[k];
        if (k != SIZE_MAX && isnan(truth[j]))
            truth[j] = g->truth[k];
    }
    return truth;
}

/* The same for all parameters; those that are not shown are not known. */
static const double *spread_truths(const struct ens_simulation_state *st,
                                   struct ens_result *result,
                                   const double *truth)
{
    const struct ens_simulation_model *m = &st->model;
    double *to = st->host->alloc(result, m->n_parameters, sizeof(*to));

    for (size_t j = 0; to != NULL && j < m->n_parameters; j++)
        to[j] = NAN;
    for (size_t j = 0; to != NULL && j < m->n_shown; j++)
        to[m->place[j]] = truth[j];
    return to;
}

/* What is known of the data, whether or not they can be fitted. */
static void record_data(const struct ens_simulation_state *st,
                        struct ens_result *result,
                        const struct ens_generated *g, const double *truth)
{
    uint32_t at = st->layout.truth;

    for (size_t j = 0; j < st->model.n_shown; j++)
        if (st->model.truth_of[j] != SIZE_MAX)
            st->host->f64(result, at++, truth[j]);
    for (size_t k = 0; k < st->shape.n_meta; k++)
        st->host->f64(result, st->layout.meta + (uint32_t)k, g->meta[k]);
}

static void record_fit(const struct ens_simulation_state *st,
                       struct ens_result *result,
                       const struct ens_fit_result *r)
{
    const double *part[ENS_SIM_PARTS] = {r->estimate, r->std_error, r->conf_low,
                                         r->conf_high};
    size_t n = st->model.n_shown;

    for (size_t k = 0; k < ENS_SIM_PARTS; k++)
        for (size_t j = 0; j < n; j++)
            st->host->f64(result, (uint32_t)(k * n + j),
                          part[k][st->model.place[j]]);
    for (size_t k = 0; k < r->n_warnings; k++)
        st->host->warn(result, r->warning[k]);
}

/* Of chains, when the study retains them. */
static enum ens_status record_diagnostics(const struct ens_simulation_state *st,
                                          const struct ens_job *job,
                                          struct ens_metric_input *in,
                                          struct ens_error *err)
{
    uint32_t n = st->layout.metrics - st->layout.diagnostics;
    double *value;
    enum ens_status s;

    if (n == 0 || in->fit->draws.n_chains == 0 ||
        !st->host->keeps(job->result, "diagnostics"))
        return ENS_OK;
    value = st->host->alloc(job->result, n, sizeof(*value));
    if (value == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "diagnostics");
    for (uint32_t k = 0; k < n; k++)
        value[k] = NAN;
    s = ens_metric_diagnostics.compute(job, in, value, err);
    in->diagnostics = value; /* metrics that ask for them need not repeat it */
    for (uint32_t k = 0; s == ENS_OK && k < n; k++)
        st->host->f64(job->result, st->layout.diagnostics + k, value[k]);
    return s;
}

/* What a plugin promised in `shape` is what it gives. */
static enum ens_status check(const struct ens_data *d,
                             const struct ens_data *shape,
                             struct ens_error *err)
{
    if (d->n_columns != shape->n_columns || d->column == NULL)
        return ens_fail(err, ENS_EDOMAIN,
                        "the generator gave %zu columns of the %zu it named",
                        d->column == NULL ? 0 : d->n_columns, shape->n_columns);
    for (size_t j = 0; j < d->n_columns; j++)
        if (d->column[j].values == NULL && d->column[j].view == NULL)
            return ens_fail(err, ENS_EDOMAIN,
                            "the generator gave no values of column '%s'",
                            shape->name[j]);
    return ENS_OK;
}

static enum ens_status generate(const struct ens_simulation_state *st,
                                const struct ens_job *job,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    const struct ens_data_shape *shape = &st->shape;
    size_t n = shape->n_truth + shape->n_meta;
    double *numbers = st->host->alloc(job->result, n, sizeof(*numbers));
    enum ens_status s;

    if (numbers == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "%zu truths", n);
    for (size_t k = 0; k < n; k++)
        numbers[k] = NAN;
    out->truth = numbers;
    out->meta = numbers + shape->n_truth;
    s = st->generator->generate(job, shape, out, err);
    if (s == ENS_OK)
        s = check(&out->data, &shape->data, err);
    if (s == ENS_OK && out->test.n > 0)
        s = check(&out->test, &shape->data, err);
    return s;
}

/* What only metrics see; if there is none, they are missing. */
struct unseen {
    struct ens_fit_problem problem;
    struct ens_predicted test;
    struct ens_loo loo;
};

static enum ens_status
look_at_test(const struct ens_simulation_state *st, const struct ens_fitted *f,
             const struct ens_data *test, unsigned needs, struct unseen *u,
             struct ens_metric_input *in, struct ens_error *err)
{
    enum ens_status s;

    if (test->n == 0 || !(needs & ENS_NEEDS_TEST) || !st->model.has_formula)
        return ENS_OK;
    s = design(st, f->job->result, test, &u->problem, err);
    if (s == ENS_OK)
        s = ens_unseen_test(f, &u->problem, needs, &u->test, err);
    if (s != ENS_OK)
        return ens_wrap(err, s, "test set");
    in->test = &u->test;
    return ENS_OK;
}

static enum ens_status look_at_loo(const struct ens_simulation_state *st,
                                   const struct ens_fitted *f, unsigned needs,
                                   struct unseen *u,
                                   struct ens_metric_input *in,
                                   struct ens_error *err)
{
    int has;
    enum ens_status s;

    if (!(needs & ENS_NEEDS_LOO) || !st->model.has_formula)
        return ENS_OK;
    s = ens_unseen_loo(f, in->problem, needs, &u->loo, &has, err);
    if (s != ENS_OK)
        return ens_wrap(err, s, "leave-one-out");
    in->loo = has ? &u->loo : NULL;
    return ENS_OK;
}

/* An outcome is a warning, and the fit stands; unless a metric that needs the
 * part is required. */
static enum ens_status settle(const struct ens_simulation_state *st,
                              const struct ens_job *job, unsigned part,
                              enum ens_status s, const struct ens_error *local,
                              struct ens_error *err)
{
    if (s == ENS_OK)
        return s;
    if (s != ENS_EDOMAIN || ens_simulation_needs(&st->metrics, 1) & part) {
        if (err != NULL)
            *err = *local;
        return s;
    }
    job->host->warn(job->result, local->text);
    return ENS_OK;
}

static enum ens_status look(const struct ens_simulation_state *st,
                            const struct ens_job *job,
                            const struct ens_data *test, struct unseen *u,
                            struct ens_metric_input *in, struct ens_error *err)
{
    unsigned needs = ens_simulation_needs(&st->metrics, 0);
    const struct ens_job own = {job->host, job->result, job->task,
                                st->fitter_state};
    struct ens_fitted f = {.fitter = st->model.fitter,
                           .job = &own,
                           .options = &st->model.options,
                           .result = in->fit,
                           .parameter = st->model.parameter};
    struct ens_error local = {0};
    enum ens_status s;

    if (!(needs & (ENS_NEEDS_TEST | ENS_NEEDS_LOO)))
        return ENS_OK;
    s = ens_fitted_init(&f, err);
    if (s != ENS_OK)
        return s;
    s = look_at_test(st, &f, test, needs, u, in, &local);
    s = settle(st, job, ENS_NEEDS_TEST, s, &local, err);
    if (s != ENS_OK)
        return s;
    s = look_at_loo(st, &f, needs, u, in, &local);
    return settle(st, job, ENS_NEEDS_LOO, s, &local, err);
}

static enum ens_status metrics(const struct ens_simulation_state *st,
                               const struct ens_job *job,
                               const struct ens_generated *g,
                               struct ens_metric_input *in,
                               struct ens_error *err)
{
    struct unseen unseen;
    enum ens_status s;

    in->data = &g->data;
    in->n_parameters = st->model.n_shown;
    in->parameter = st->model.shown;
    in->place = st->model.place;
    in->level = st->model.options.level;
    s = record_diagnostics(st, job, in, err);
    if (s == ENS_OK)
        s = look(st, job, &g->test, &unseen, in, err);
    if (s != ENS_OK)
        return s;
    return ens_simulation_compute(job, &st->metrics, st->metric_state, in,
                                  st->layout.metrics, err);
}

/* One chain of a fit. That there is no fit, for the data say, is for the fit
 * to find, which is then the one task that failed. */
static enum ens_status run_chain(const struct ens_simulation_state *st,
                                 const struct ens_job *job, uint32_t chain,
                                 struct ens_error *err)
{
    struct ens_generated generated = {0};
    struct ens_fit_problem problem;
    struct ens_fit_result r;
    const double *truth = NULL;
    enum ens_status s;

    st->host->use_schema(job->result, st->schemas.n);
    s = generate(st, job, &generated, err);
    if (s == ENS_OK)
        s = design(st, job->result, &generated.data, &problem, err);
    if (s == ENS_OK)
        truth = find_truths(st, job->result, &generated);
    if (s == ENS_OK && truth == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "truths");
    if (s == ENS_OK) {
        problem.truth = spread_truths(st, job->result, truth);
        s = fit(st, job, &problem, chain, &r, err);
    }
    return s == ENS_EDOMAIN ? ENS_OK : s;
}

static enum ens_status run_fit(const struct ens_simulation_state *st,
                               const struct ens_job *job, struct ens_error *err)
{
    struct ens_result *result = job->result;
    struct ens_generated generated = {0};
    struct ens_fit_problem problem;
    struct ens_fit_result r;
    const double *truth;
    enum ens_status s;

    st->host->use_schema(result, st->schema);
    s = generate(st, job, &generated, err);
    if (s == ENS_OK)
        s = ens_keep_data(job, &generated.data, err);
    if (s != ENS_OK)
        return s;
    truth = find_truths(st, result, &generated);
    if (truth == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "truths");
    record_data(st, result, &generated, truth);
    st->host->keep_fields(result);
    s = design(st, result, &generated.data, &problem, err);
    problem.truth = spread_truths(st, result, truth);
    if (s == ENS_OK)
        s = fit(st, job, &problem, 0, &r, err);
    if (s != ENS_OK)
        return s;
    record_fit(st, result, &r);
    if (problem.n < generated.data.n)
        st->host->warn(result, "rows with missing values left out");
    s = metrics(st, job, &generated,
                &(struct ens_metric_input){
                    .problem = &problem, .fit = &r, .truth = truth},
                err);
    if (s == ENS_OK)
        s = ens_keep_fit(job, &r, problem.p, err);
    return s == ENS_OK ? ens_keep_draws(job, &r, err) : s;
}

enum ens_status ens_simulation_run(void *state, const struct ens_task *task,
                                   struct ens_result *result,
                                   struct ens_error *err)
{
    const struct ens_simulation_state *st = state;
    struct ens_task whole;
    uint32_t chain = ens_simulation_whole(st->host, result, task, &whole);
    const struct ens_job job = {st->host, result, &whole, st->generator_state};

    ENS_BUG_ON(!st->ready); /* the host calls cell() first */
    return chain > 0 ? run_chain(st, &job, chain, err) : run_fit(st, &job, err);
}
