/* Data sets of generator `prior_predictive`. */
#include "kinds/simulation/generators/prior_predictive.h"

#include "kinds/simulation/generators/response.h"
#include "kinds/simulation/generators/table.h"
#include "math/rng.h"

#include <math.h>
#include <string.h>

static enum ens_status draw_parameters(const struct ens_predictive *m,
                                       struct ens_rng *g,
                                       const char *const *name, double *to,
                                       struct ens_error *err)
{
    size_t at = 0, level = m->n_parameters;

    for (size_t k = 0; k < m->design.n_groups; k++)
        level -= 1 + m->design.group[k].n_levels;
    for (size_t k = 0; at < m->n_parameters; at++) {
        double least = !m->is_positive[at]           ? -INFINITY
                       : strcmp(name[at], "nu") == 0 ? 1
                                                     : 0;

        to[at] = ens_prior_draw(&m->prior[at], g, least);
        if (isnan(to[at]))
            return ens_fail(err, ENS_EDOMAIN,
                            "prior of %.60s: no value in its range was drawn",
                            name[at]);
        if (at < level)
            continue;
        for (uint32_t i = 1; i <= m->design.group[k].n_levels; i++)
            to[at + i] = to[at] * ens_rng_normal(g);
        at += m->design.group[k++].n_levels;
    }
    return ENS_OK;
}

static double place(struct ens_rng *g, double eta, size_t i, void *arg)
{
    (void)g;
    (void)eta;
    (void)arg;
    return (double)i;
}

/* All rows, each with its own number as response, in *y. */
static enum ens_status make_rows(const struct ens_job *job,
                                 const struct ens_data_shape *shape,
                                 struct ens_generated *out, double **y,
                                 struct ens_error *err)
{
    const struct ens_predictive *m = shape->own;
    size_t n = m->n_rows;
    struct ens_data_column *column;
    double *x;
    enum ens_status s;

    if (!m->is_input) {
        s = ens_regression_rows(job, shape, place, NULL, out, &x, err);
        for (size_t i = 0; s == ENS_OK && m->n_groups > 0 && i < n; i++)
            x[m->r.p * n + i] = (double)(i % m->n_groups);
        if (s == ENS_OK)
            *y = x + m->response * n;
        return s;
    }
    column =
        job->host->alloc(job->result, shape->data.n_columns, sizeof(*column));
    *y = job->host->alloc(job->result, n, sizeof(**y));
    if (!column || !*y)
        return ens_fail(err, ENS_ENOMEMORY, "%zu responses", n);
    for (size_t i = 0; i < n; i++)
        (*y)[i] = (double)i;
    memcpy(column, shape->data.column, shape->data.n_columns * sizeof(*column));
    column[m->response].values = *y;
    out->data = shape->data;
    out->data.column = column;
    return ENS_OK;
}

static enum ens_status make_space(const struct ens_job *job,
                                  const struct ens_design *d, size_t n,
                                  struct ens_design_space *to,
                                  struct ens_error *err)
{
    const struct ens_host *host = job->host;
    size_t size = ens_design_work(d, n), p = d->n_columns;

    *to = (struct ens_design_space){
        .y = host->alloc(job->result, n, sizeof(double)),
        .offset = host->alloc(job->result, n, sizeof(double)),
        .se = host->alloc(job->result, n, sizeof(double)),
        .level =
            host->alloc(job->result, (d->n_groups + 1) * n, sizeof(uint32_t)),
        .vars = host->alloc(job->result, d->f->n_vars, sizeof(double *))};
    if (size < SIZE_MAX / sizeof(double))
        to->work = host->alloc(job->result, size, sizeof(double));
    if (n <= SIZE_MAX / sizeof(double) / (p + 1))
        to->x = host->alloc(job->result, n * (p + 1), sizeof(double));
    return to->y && to->offset && to->se && to->level && to->vars && to->work &&
                   to->x
               ? ENS_OK
               : ens_fail(err, ENS_ENOMEMORY, "model matrix, %zu x %zu", n, p);
}

/* The predictor of complete row i of n. */
static double predictor(const struct ens_predictive *m,
                        const struct ens_design_space *d, size_t n, size_t i,
                        const double *parameter)
{
    size_t p = m->design.n_columns, at = m->n_parameters;
    double eta = m->design.has_offset ? d->offset[i] : 0;

    for (size_t j = 0; j < p; j++)
        eta += d->x[j * n + i] * parameter[j];
    for (size_t k = m->design.n_groups; k-- > 0;) {
        at -= m->design.group[k].n_levels;
        eta += parameter[at + d->level[k * n + i]];
        at--; /* sd */
    }
    return eta;
}

/* Of rows that are not complete the response stays missing. */
static enum ens_status draw_responses(const struct ens_job *job,
                                      const struct ens_predictive *m,
                                      const struct ens_data *all,
                                      const double *parameter, double *y,
                                      struct ens_error *err)
{
    struct ens_rng *g = job->host->rng(job->result, "data");
    size_t p = m->design.n_columns, n;
    struct ens_design_space d;
    double aux[2] = {parameter[p < m->n_parameters ? p : 0],
                     isnan(m->o.nu)
                         ? parameter[p + 1 < m->n_parameters ? p + 1 : 0]
                         : m->o.nu};
    enum ens_status s = make_space(job, &m->design, all->n, &d, err);

    if (s == ENS_OK)
        s = ens_design_build(&m->design, all, &d, &n, err);
    if (s != ENS_OK)
        return s;
    for (size_t i = 0; i < all->n; i++)
        y[i] = NAN;
    for (size_t i = 0; i < n; i++) {
        size_t row = (size_t)d.y[i];
        double eta = predictor(m, &d, n, i, parameter);

        if (m->design.has_se)
            aux[0] = d.se[i];
        y[row] = ens_response_draw(g, m->o.family, eta, aux);
        if (!isfinite(y[row]))
            return ens_fail(err, ENS_EDOMAIN,
                            "row %zu: no response is drawn with predictor "
                            "%.15g",
                            row + 1, eta);
    }
    return ENS_OK;
}

static enum ens_status hold_out(const struct ens_job *job,
                                const struct ens_predictive *m,
                                struct ens_generated *out,
                                struct ens_error *err)
{
    uint64_t *test, *rest;
    enum ens_status s;

    if (!m->is_input || m->r.n_test == 0)
        return ENS_OK;
    s = ens_table_pick(job, m->n_rows, m->r.n_test, &test, &rest, err);
    if (s != ENS_OK)
        return s;
    out->test = out->data;
    out->test.n = m->r.n_test;
    out->test.index = test;
    out->data.n = m->n_rows - m->r.n_test;
    out->data.index = rest;
    return ENS_OK;
}

enum ens_status ens_predictive_generate(const struct ens_job *job,
                                        const struct ens_data_shape *shape,
                                        struct ens_generated *out,
                                        struct ens_error *err)
{
    const struct ens_predictive *m = shape->own;
    struct ens_data all;
    double *y;
    enum ens_status s = make_rows(job, shape, out, &y, err);

    if (s == ENS_OK)
        s = draw_parameters(m, job->host->rng(job->result, "data"),
                            shape->truth, out->truth, err);
    if (s != ENS_OK)
        return s;
    all = out->data; /* those to predict follow */
    all.n = m->n_rows;
    s = draw_responses(job, m, &all, out->truth, y, err);
    return s == ENS_OK ? hold_out(job, m, out, err) : s;
}
