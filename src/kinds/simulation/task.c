#include "base/bug.h"
#include "config/study.h"
#include "kinds/simulation/model.h"
#include "kinds/simulation/npy.h"

#include <stdlib.h>
#include <string.h>

struct state {
    const struct ens_host *host;
    const struct ens_plan *plan;
    struct ens_arena arena; /* as long as the worker */
    struct ens_simulation_schemas schemas;

    /* of the present cell */
    struct ens_arena cell_arena;
    struct ens_simulation_fit fit;
    struct ens_data shape;
    const struct ens_generator *generator;
    const char **term;
    uint32_t schema;
    int ready;
};

enum ens_status ens_simulation_open(const struct ens_host *host,
                                    const struct ens_plan *plan, void **state,
                                    struct ens_error *err)
{
    struct state *st = calloc(1, sizeof(*st));
    enum ens_status s;

    if (!st)
        return ens_fail(err, ENS_ENOMEMORY, "simulation");
    st->host = host;
    st->plan = plan;
    s = ens_simulation_schemas(&st->schemas, host, plan, &st->arena, err);
    if (s != ENS_OK) {
        ens_simulation_close(st);
        return s;
    }
    *state = st;
    return ENS_OK;
}

void ens_simulation_close(void *state)
{
    struct state *st = state;

    if (!st)
        return;
    ens_arena_fini(&st->arena);
    ens_arena_fini(&st->cell_arena);
    free(st);
}

static const struct ens_input *find_input(const void *arg, const char *name)
{
    const struct state *st = arg;

    return st->host->plan_input(st->plan, name);
}

enum ens_status ens_simulation_cell(void *state, const struct ens_cell *cell,
                                    struct ens_error *err)
{
    struct state *st = state;
    const struct ens_design *d = &st->fit.design;
    enum ens_status s;

    st->ready = 0;
    ens_arena_reset(&st->cell_arena);
    s = ens_simulation_shape(&st->shape, cell, find_input, st, &st->cell_arena,
                             err);
    if (s == ENS_OK)
        s = ens_simulation_fit(&st->fit, cell, &st->shape, &st->cell_arena,
                               err);
    if (s != ENS_OK)
        return s;
    st->generator = ens_cell_impl(cell, "data")->ops;
    st->term =
        ens_arena_alloc(&st->cell_arena, d->n_columns, sizeof(*st->term));
    if (!st->term)
        return ens_fail(err, ENS_ENOMEMORY, "formula '%s'", d->f->text);
    for (size_t j = 0; j < d->n_columns; j++)
        st->term[j] = d->column[j].name;
    st->schema = ens_simulation_schema(&st->schemas, d);
    ENS_BUG_ON(st->schema == st->schemas.n);
    st->ready = 1;
    return ENS_OK;
}

/* The model matrix of the data, in the task's memory. */
static enum ens_status design(const struct state *st, struct ens_result *result,
                              const struct ens_data *data,
                              struct ens_fit_problem *problem,
                              struct ens_error *err)
{
    const struct ens_host *host = st->host;
    const struct ens_design *d = &st->fit.design;
    size_t n = data->n, p = d->n_columns;
    size_t size = ens_design_work(d, n);
    struct ens_design_space to = {.x = NULL};

    to.vars = host->alloc(result, d->f->n_vars, sizeof(*to.vars));
    to.y = host->alloc(result, n, sizeof(*to.y));
    if (d->has_offset)
        to.offset = host->alloc(result, n, sizeof(*to.offset));
    if (size < SIZE_MAX / sizeof(*to.work))
        to.work = host->alloc(result, size, sizeof(*to.work));
    if (n <= SIZE_MAX / sizeof(*to.x) / p)
        to.x = host->alloc(result, n * p, sizeof(*to.x));
    if (!to.x || !to.y || !to.work || !to.vars || (d->has_offset && !to.offset))
        return ens_fail(err, ENS_ENOMEMORY, "model matrix, %zu x %zu", n, p);
    problem->p = p;
    problem->x = to.x;
    problem->y = to.y;
    problem->offset = to.offset;
    problem->term = st->term;
    problem->response = d->f->response.name;
    return ens_design_build(d, data, &to, &problem->n, err);
}

static enum ens_status fit(const struct state *st, struct ens_result *result,
                           const struct ens_fit_problem *problem,
                           struct ens_fit_result *r, struct ens_error *err)
{
    const struct ens_fitter *fitter = st->fit.fitter;
    size_t p = problem->p;
    size_t size = fitter->work(problem->n, p);
    double *out =
        st->host->alloc(result, (ENS_SIM_PARTS + p) * p, sizeof(*out));
    double *work =
        size == SIZE_MAX ? NULL : st->host->alloc(result, size, sizeof(*work));

    if (!out || !work)
        return ens_fail(err, ENS_ENOMEMORY, "fit of %zu rows, %zu terms",
                        problem->n, p);
    memset(r, 0, sizeof(*r));
    r->estimate = out + ENS_SIM_ESTIMATE * p;
    r->std_error = out + ENS_SIM_STD_ERROR * p;
    r->conf_low = out + ENS_SIM_CONF_LOW * p;
    r->conf_high = out + ENS_SIM_CONF_HIGH * p;
    r->cov = out + ENS_SIM_PARTS * p;
    return fitter->fit(&st->fit.options, problem, work, r, err);
}

/* Artifact "fit": p x (1 + p), estimates and covariance. */
static enum ens_status keep_fit(const struct state *st,
                                struct ens_result *result,
                                const struct ens_fit_result *r, size_t p,
                                struct ens_error *err)
{
    size_t head = ENS_NPY_HEAD / sizeof(double);
    size_t n = head + p + p * p;
    double *all = st->host->alloc(result, n, sizeof(*all));

    if (!all)
        return ens_fail(err, ENS_ENOMEMORY, "artifact of %zu terms", p);
    ens_npy_head((char *)all, "<f8", p, p + 1);
    memcpy(all + head, r->estimate, p * sizeof(*all));
    memcpy(all + head + p, r->cov, p * p * sizeof(*all));
    return st->host->artifact(result, "fit", all, n * sizeof(*all), err);
}

static void record(const struct state *st, struct ens_result *result,
                   const struct ens_fit_result *r, size_t p)
{
    for (size_t j = 0; j < p; j++) {
        const double value[ENS_SIM_PARTS] = {r->estimate[j], r->std_error[j],
                                             r->conf_low[j], r->conf_high[j]};

        for (size_t k = 0; k < ENS_SIM_PARTS; k++)
            st->host->f64(result, (uint32_t)(k * p + j), value[k]);
    }
    for (size_t k = 0; k < r->n_warnings; k++)
        st->host->warn(result, r->warning[k]);
}

enum ens_status ens_simulation_run(void *state, const struct ens_task *task,
                                   struct ens_result *result,
                                   struct ens_error *err)
{
    const struct state *st = state;
    struct ens_generated generated = {0};
    struct ens_fit_problem problem;
    struct ens_fit_result r;
    enum ens_status s;

    ENS_BUG_ON(!st->ready); /* the host calls cell() first */
    st->host->use_schema(result, st->schema);
    s = st->generator->generate(st->host, result, &task->cell, &st->shape,
                                &generated, err);
    if (s == ENS_OK)
        s = st->host->artifact(result, "data", generated.npy,
                               generated.npy_bytes, err);
    if (s == ENS_OK)
        s = design(st, result, &generated.data, &problem, err);
    if (s == ENS_OK)
        s = fit(st, result, &problem, &r, err);
    if (s != ENS_OK)
        return s;
    record(st, result, &r, problem.p);
    if (problem.n < generated.data.n)
        st->host->warn(result, "rows with missing values left out");
    return keep_fit(st, result, &r, problem.p, err);
}
