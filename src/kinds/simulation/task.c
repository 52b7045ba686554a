#include "base/bug.h"
#include "config/study.h"
#include "kinds/simulation/model.h"
#include "kinds/simulation/npy.h"
#include "kinds/simulation/parts.h"
#include "kinds/simulation/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct state {
    const struct ens_host *host;
    const struct ens_plan *plan;
    struct ens_arena arena; /* as long as the worker */
    struct ens_simulation_schemas schemas;
    struct ens_simulation_metrics metrics;
    struct ens_parts parts;
    void *metric_state[ENS_SIMULATION_MAX_METRICS];

    /* of the present cell */
    struct ens_arena cell_arena;
    struct ens_simulation_fit fit;
    struct ens_data shape;
    const struct ens_generator *generator;
    void *generator_state, *fitter_state;
    double *truth; /* per term; NaN: not known */
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
    ens_simulation_metrics(host->plan_study(plan), &st->metrics);
    s = ens_program_check_all(host, plan, err);
    if (s == ENS_OK)
        s = ens_simulation_schemas(&st->schemas, host, plan, &st->arena, err);
    for (size_t i = 0; s == ENS_OK && i < st->metrics.n; i++) {
        const struct ens_metric *m = st->metrics.item[i].ops;

        s = ens_parts_get(&st->parts,
                          &(struct ens_part){.ops = m, .close = m->close},
                          m->open, host, &st->metric_state[i], err);
    }
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
    ens_parts_close(&st->parts);
    ens_arena_fini(&st->arena);
    ens_arena_fini(&st->cell_arena);
    free(st);
}

static enum ens_status open_parts(struct state *st, struct ens_error *err)
{
    const struct ens_generator *g = st->generator;
    const struct ens_fitter *f = st->fit.fitter;
    enum ens_status s;

    s = ens_parts_get(&st->parts,
                      &(struct ens_part){.ops = g, .close = g->close}, g->open,
                      st->host, &st->generator_state, err);
    if (s == ENS_OK)
        s = ens_parts_get(&st->parts,
                          &(struct ens_part){.ops = f, .close = f->close},
                          f->open, st->host, &st->fitter_state, err);
    return s;
}

static enum ens_status keep_terms(struct state *st, const struct ens_cell *cell,
                                  struct ens_error *err)
{
    const struct ens_design *d = &st->fit.design;

    st->term =
        ens_arena_alloc(&st->cell_arena, d->n_columns, sizeof(*st->term));
    st->truth =
        ens_arena_alloc(&st->cell_arena, d->n_columns, sizeof(*st->truth));
    if (!st->term || !st->truth)
        return ens_fail(err, ENS_ENOMEMORY, "formula '%s'", d->f->text);
    for (size_t j = 0; j < d->n_columns; j++) {
        st->term[j] = d->column[j].name;
        if (!ens_simulation_truth(&st->fit, cell, st->term[j], &st->truth[j]))
            st->truth[j] = NAN;
    }
    return ENS_OK;
}

enum ens_status ens_simulation_cell(void *state, const struct ens_cell *cell,
                                    struct ens_error *err)
{
    struct state *st = state;
    enum ens_status s;

    st->ready = 0;
    ens_arena_reset(&st->cell_arena);
    s = ens_simulation_shape(&st->shape, cell, st->host, st->plan,
                             &st->cell_arena, err);
    if (s == ENS_OK)
        s = ens_simulation_fit(&st->fit, cell, &st->shape, &st->cell_arena,
                               err);
    if (s != ENS_OK)
        return s;
    st->generator = ens_cell_impl(cell, "data")->ops;
    s = open_parts(st, err);
    if (s == ENS_OK)
        s = keep_terms(st, cell, err);
    if (s != ENS_OK)
        return s;
    st->schema = ens_simulation_schema(&st->schemas, &st->fit.design);
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

    *problem = (struct ens_fit_problem){.n = n,
                                        .p = p,
                                        .term = st->term,
                                        .response = d->f->response.name,
                                        .data = data};
    if (!st->fit.has_formula)
        return ENS_OK;
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
    problem->x = to.x;
    problem->y = to.y;
    problem->offset = to.offset;
    return ens_design_build(d, data, &to, &problem->n, err);
}

/* As the interface promises: NaN is what the fitter did not say. */
static void point(struct ens_fit_result *r, double *out, size_t p)
{
    for (size_t k = 0; k < (ENS_SIM_PARTS + p) * p; k++)
        out[k] = NAN;
    memset(r, 0, sizeof(*r));
    r->estimate = out + ENS_SIM_ESTIMATE * p;
    r->std_error = out + ENS_SIM_STD_ERROR * p;
    r->conf_low = out + ENS_SIM_CONF_LOW * p;
    r->conf_high = out + ENS_SIM_CONF_HIGH * p;
    r->cov = out + ENS_SIM_PARTS * p;
    r->df = INFINITY;
}

static enum ens_status fit(const struct state *st, const struct ens_job *job,
                           const struct ens_fit_problem *problem,
                           struct ens_fit_result *r, struct ens_error *err)
{
    const struct ens_fitter *fitter = st->fit.fitter;
    const struct ens_job own = {job->host, job->result, job->task,
                                st->fitter_state};
    size_t p = problem->p;
    size_t size = fitter->work ? fitter->work(problem->n, p) : 0;
    double *out =
        st->host->alloc(job->result, (ENS_SIM_PARTS + p) * p, sizeof(*out));
    double *work = size == SIZE_MAX
                       ? NULL
                       : st->host->alloc(job->result, size, sizeof(*work));
    enum ens_status s;

    if (problem->n == 0)
        return ens_fail(err, ENS_EDOMAIN, "0 complete rows for %zu terms", p);
    if (!out || !work)
        return ens_fail(err, ENS_ENOMEMORY, "fit of %zu rows, %zu terms",
                        problem->n, p);
    point(r, out, p);
    s = fitter->fit(&own, &st->fit.options, problem, work, r, err);
    return s == ENS_OK
               ? ens_fit_complete(r, problem, st->fit.options.level, err)
               : s;
}

/* Artifact "data": the rows that were drawn, else the columns. */
static enum ens_status keep_data(const struct ens_job *job,
                                 const struct ens_data *data,
                                 struct ens_error *err)
{
    size_t columns = data->index ? 1 : data->n_columns;
    unsigned char *all = NULL;
    double *to;

    if (!job->host->keeps(job->result, "data"))
        return ENS_OK;
    if (data->n <= (SIZE_MAX - ENS_NPY_HEAD) / 8 / columns)
        all = job->host->alloc(job->result,
                               ENS_NPY_HEAD + data->n * columns * 8, 1);
    if (!all)
        return ens_fail(err, ENS_ENOMEMORY, "artifact of %zu rows", data->n);
    ens_npy_head((char *)all, data->index ? "<u8" : "<f8", data->n,
                 data->index ? 0 : columns);
    to = (double *)(void *)(all + ENS_NPY_HEAD);
    if (data->index)
        memcpy(to, data->index, data->n * sizeof(*data->index));
    for (size_t j = 0; !data->index && j < columns; j++, to += data->n) {
        const double *from = ens_data_rows(data, (uint32_t)j, 0, data->n, to);

        if (from != to)
            memcpy(to, from, data->n * sizeof(*to));
    }
    return job->host->artifact(job->result, "data", all,
                               ENS_NPY_HEAD + data->n * columns * 8, err);
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

/* What a plugin promised in `shape` is what it gives. */
static enum ens_status generate(const struct state *st,
                                const struct ens_job *job,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    enum ens_status s = st->generator->generate(job, &st->shape, out, err);
    const struct ens_data *d = &out->data;

    if (s != ENS_OK)
        return s;
    if (d->n_columns != st->shape.n_columns || d->column == NULL)
        return ens_fail(err, ENS_EDOMAIN,
                        "the generator gave %zu columns of the %zu it named",
                        d->column == NULL ? 0 : d->n_columns,
                        st->shape.n_columns);
    for (size_t j = 0; j < d->n_columns; j++)
        if (d->column[j].values == NULL && d->column[j].view == NULL)
            return ens_fail(err, ENS_EDOMAIN,
                            "the generator gave no values of column '%s'",
                            st->shape.name[j]);
    return ENS_OK;
}

static enum ens_status compute(const struct state *st,
                               const struct ens_job *job,
                               const struct ens_metric_input *in,
                               struct ens_error *err)
{
    uint32_t field = (uint32_t)(ENS_SIM_PARTS * in->problem->p);
    struct ens_job own = *job;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < st->metrics.n; i++) {
        const struct ens_simulation_metric *m = &st->metrics.item[i];

        own.state = st->metric_state[i];
        s = ens_simulation_compute(&own, m, in, field, err);
        field += (uint32_t)ens_simulation_metric_values(m->ops, in->problem->p);
    }
    return s;
}

enum ens_status ens_simulation_run(void *state, const struct ens_task *task,
                                   struct ens_result *result,
                                   struct ens_error *err)
{
    const struct state *st = state;
    struct ens_generated generated = {0};
    struct ens_fit_problem problem;
    struct ens_fit_result r;
    const struct ens_job job = {st->host, result, task, st->generator_state};
    enum ens_status s;

    ENS_BUG_ON(!st->ready); /* the host calls cell() first */
    st->host->use_schema(result, st->schema);
    s = generate(st, &job, &generated, err);
    if (s == ENS_OK)
        s = keep_data(&job, &generated.data, err);
    if (s == ENS_OK)
        s = design(st, result, &generated.data, &problem, err);
    if (s == ENS_OK)
        s = fit(st, &job, &problem, &r, err);
    if (s != ENS_OK)
        return s;
    record(st, result, &r, problem.p);
    if (problem.n < generated.data.n)
        st->host->warn(result, "rows with missing values left out");
    s = compute(st, &job,
                &(struct ens_metric_input){.data = &generated.data,
                                           .problem = &problem,
                                           .fit = &r,
                                           .truth = st->truth},
                err);
    return s == ENS_OK ? keep_fit(st, result, &r, problem.p, err) : s;
}
