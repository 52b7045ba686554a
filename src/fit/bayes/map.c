/* The mode of a posterior and the normal distribution that fits it there, on
 * the scale that is sampled (logs of what is above 0, with their Jacobians). */
#include "fit/bayes/model.h"
#include "fit/bayes/sample.h"
#include "fit/fitter.h"
#include "math/quantile.h"
#include "math/rng.h"
#include "mcmc/mode.h"
#include "mcmc/psis.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Draws that the shape k is found from, where fewer are asked for. */
#define CHECKED 1000
/* Of a derivative of the parameters, in sds: their error is its square. */
#define STEP 1e-4

const struct ens_setting ens_fitter_map_settings[] = {
    ENS_FIT_SETTING_FORMULA,
    ENS_BAYES_SETTINGS_MODEL,
    ENS_FIT_SETTING_LEVEL,
    {.section = "fit",
     .key = "draws",
     .type = ENS_T_INT,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "0",
     .min = 0,
     .max = 1e7,
     .help = "draws from the normal distribution at the mode; 0: estimates "
             "are the mode, limits normal"},
    ENS_PRIOR_SETTINGS,
};

struct laplace {
    const struct ens_job *job;
    struct ens_bayes *model;
    struct ens_density density;
    struct ens_mode mode;
    struct ens_fit_result *result;
    struct ens_error *err;
    size_t dim, n;
};

static double *take(const struct laplace *l, size_t n)
{
    return n < SIZE_MAX / 64
               ? l->job->host->alloc(l->job->result, n, sizeof(double))
               : NULL;
}

static enum ens_status no_memory(const struct laplace *l)
{
    return ens_fail(l->err, ENS_ENOMEMORY, "mode of %zu parameters", l->dim);
}

/* q = mode + upper z */
static void place(const struct laplace *l, const double *z, double *q)
{
    memcpy(q, l->mode.q, l->dim * sizeof(*q));
    for (size_t k = 0; k < l->dim; k++)
        for (size_t i = 0; i <= k; i++)
            q[i] += l->mode.upper[i + k * l->dim] * z[k];
}

/* change[n x dim]: the parameters' derivatives along the columns of upper;
 * their products are covariances. */
static enum ens_status spread(const struct laplace *l, size_t p)
{
    struct ens_fit_result *r = l->result;
    double *change = take(l, l->n * l->dim + 2 * (l->n + l->dim));
    double *z = change + l->n * l->dim, *q = z + l->dim;
    double *up = q + l->dim;

    if (!change)
        return no_memory(l);
    memset(z, 0, l->dim * sizeof(*z));
    for (size_t k = 0; k < l->dim; k++) {
        double *d = change + k * l->n;

        z[k] = STEP;
        place(l, z, q);
        ens_bayes_constrain(l->model, q, up);
        z[k] = -STEP;
        place(l, z, q);
        ens_bayes_constrain(l->model, q, d);
        z[k] = 0;
        for (size_t j = 0; j < l->n; j++)
            d[j] = (up[j] - d[j]) / (2 * STEP);
    }
    for (size_t j = 0; j < l->n; j++) {
        double sum = 0;

        for (size_t k = 0; k < l->dim; k++)
            sum += change[j + k * l->n] * change[j + k * l->n];
        r->std_error[j] = sqrt(sum);
    }
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            r->cov[i + j * p] = 0;
            for (size_t k = 0; k < l->dim; k++)
                r->cov[i + j * p] +=
                    change[i + k * l->n] * change[j + k * l->n];
        }
    return ENS_OK;
}

/* Of a parameter above `least`: limits of its log. */
static void limit(const struct laplace *l, size_t j, double least, double half)
{
    struct ens_fit_result *r = l->result;
    double above = r->estimate[j] - least;
    double factor = exp(half * r->std_error[j] / above);

    r->conf_low[j] = least + above / factor;
    r->conf_high[j] = least + above * factor;
}

static void limits(const struct laplace *l, double level)
{
    const struct ens_bayes *m = l->model;
    double half = ens_quantile_halfwidth(level, INFINITY);

    for (size_t k = 0; k < m->n_aux; k++)
        limit(l, m->p + k, m->aux[k] == ENS_BAYES_NU ? 1 : 0, half);
    for (size_t k = 0; k < m->n_groups; k++)
        limit(l, m->group[k].parameter, 0, half);
}

/* Draws, the first `keep` of them into value; the shape k of their
 * importance. */
static enum ens_status draw(const struct laplace *l, size_t keep, double *value,
                            double *shape)
{
    size_t n = keep > CHECKED ? keep : CHECKED;
    double *q = take(l, 3 * l->dim + l->n + n + ens_psis_work(n));
    double *z = q + l->dim, *gradient = z + l->dim;
    double *parameter = gradient + l->dim, *ratio = parameter + l->n;
    struct ens_rng *rng = l->job->host->rng(l->job->result, "fit");

    if (!q)
        return no_memory(l);
    for (size_t i = 0; i < n; i++) {
        ratio[i] = 0;
        for (size_t k = 0; k < l->dim; k++) {
            z[k] = ens_rng_normal(rng);
            ratio[i] += 0.5 * z[k] * z[k];
        }
        place(l, z, q);
        ratio[i] += l->density.at(l->density.model, q, gradient);
        if (!isfinite(ratio[i])) /* no weight; psis takes finite ones */
            ratio[i] = -1e300;
        if (i >= keep)
            continue;
        ens_bayes_constrain(l->model, q, parameter);
        for (size_t j = 0; j < l->n; j++)
            value[j * keep + i] = parameter[j];
    }
    *shape = ens_psis(ratio, n, 1, ratio + n);
    return ENS_OK;
}

static enum ens_status summarise(struct laplace *l, size_t p, double level)
{
    size_t keep =
        (size_t)ens_cell_value(&l->job->task->cell, "fit", "draws")->i;
    double *value = NULL, shape = NAN;
    enum ens_status s;

    if (keep > 0)
        value = keep < SIZE_MAX / 64 / l->n ? take(l, keep * l->n) : NULL;
    if (keep > 0 && !value)
        return no_memory(l);
    s = draw(l, keep, value, &shape);
    if (s != ENS_OK)
        return s;
    if (!(shape <= 0.7))
        ens_fit_warn(l->result, "the posterior is not near the normal "
                                "distribution at its mode (Pareto k > 0.7)");
    if (keep > 0) {
        l->result->draws = (struct ens_draws){
            .n_chains = 1, .n_draws = keep, .independent = 1, .value = value};
        return ENS_OK;
    }
    ens_bayes_constrain(l->model, l->mode.q, l->result->estimate);
    s = spread(l, p);
    if (s == ENS_OK)
        limits(l, level);
    return s;
}

static enum ens_status fit(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result, struct ens_error *err)
{
    struct laplace l = {.job = job, .result = result, .err = err};
    double *space;
    enum ens_status s;

    (void)work;
    s = ens_bayes_make(&l.model, job, o->own, problem, err);
    if (s != ENS_OK)
        return s;
    l.density = ens_bayes_density(l.model);
    l.dim = l.model->dim;
    l.n = l.model->n_parameters;
    space = take(&l, ens_mode_work(l.dim));
    if (!space)
        return no_memory(&l);
    ens_mode_find(&l.density, NULL, space, &l.mode);
    s = ens_mode_explain(&l.mode, NULL, err);
    if (s != ENS_OK)
        return s;
    result->iterations = (int)l.mode.iterations;
    return summarise(&l, problem->p, o->level);
}

const struct ens_fitter ens_fitter_map = {
    .delivers = ENS_DELIVERS_INTERVALS | ENS_DELIVERS_DRAWS |
                ENS_DELIVERS_LOG_LIK | ENS_DELIVERS_PREDICTIONS,
    .takes = ENS_TAKES_GROUPS | ENS_TAKES_SE,
    .options = ens_bayes_fit_options,
    .parameters = ens_bayes_fit_parameters,
    .fit = fit,
};
