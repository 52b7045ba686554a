/* A fitter that is a log density with its gradient, which NUTS samples: probit
 * regression, P(y = 1) = Phi(X b), b_j ~ normal(0, scale).
 *
 *   cc -std=c11 -O2 -shared -fPIC -I include -o probit.so probit.c -lm
 *   ensrun probit.ini */
#include <ensrun/plugin.h>
#include <math.h>

static const struct ens_host *host; /* set when this file is loaded */

static const struct ens_setting settings[] = {
    ENS_FIT_SETTING_FORMULA,
    ENS_FIT_SETTING_LEVEL,
    ENS_FIT_SETTINGS_NUTS,
    ENS_SETTING("fit", "scale", NUM, AXIS, CELL, "10", 1e-3, 1e6, "of priors"),
};

struct model {
    const struct ens_fit_problem *d;
    double scale;
};

/* log Phi(z), and phi(z) / Phi(z); far out by the first terms of its series. */
static double log_phi(double z, double *slope)
{
    double p = 0.5 * erfc(-z * 0.70710678118654752);
    double density = exp(-0.5 * z * z) * 0.39894228040143268;

    if (z > -30) {
        *slope = density / p;
        return log(p);
    }
    *slope = -z - 1 / z;
    return -0.5 * z * z - log(-z) - 0.91893853320467274;
}

static double at(void *model, const double *q, double *gradient)
{
    const struct model *m = model;
    const struct ens_fit_problem *d = m->d;
    double lp = 0, slope;

    for (size_t j = 0; j < d->p; j++) {
        gradient[j] = -q[j] / (m->scale * m->scale);
        lp += 0.5 * q[j] * gradient[j];
    }
    for (size_t i = 0; i < d->n; i++) {
        double eta = 0, sign = d->y[i] != 0 ? 1 : -1;

        for (size_t j = 0; j < d->p; j++)
            eta += d->x[i + j * d->n] * q[j];
        lp += log_phi(sign * eta, &slope);
        for (size_t j = 0; j < d->p; j++)
            gradient[j] += sign * slope * d->x[i + j * d->n];
    }
    return lp;
}

static enum ens_status density(const struct ens_job *job,
                               const struct ens_fit_options *o,
                               const struct ens_fit_problem *problem,
                               struct ens_density *to, struct ens_error *err)
{
    struct model *m = host->alloc(job->result, 1, sizeof(*m));

    (void)o; /* q are the terms: neither `parameters` nor `constrain` */
    if (!m)
        return host->fail(err, ENS_ENOMEMORY, "model");
    m->d = problem;
    m->scale = host->cell_value(&job->task->cell, "fit", "scale")->d;
    *to = (struct ens_density){.dim = problem->p, .model = m, .at = at};
    return ENS_OK;
}

static const struct ens_fitter probit = {.density = density};
static const struct ens_plugin_part parts[] = {
    {"fitter", {"probit", "probit regression", settings, 11, &probit, 0, 0}}};
const struct ens_plugin ensrun_plugin = {ENS_PLUGIN_HEAD, .host = &host,
                                         .parts = parts, .n_parts = 1};
