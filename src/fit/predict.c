#include "fit/predict.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LOG_2PI 1.8378770664093454836

static size_t find(const struct ens_fitted *f, const char *name)
{
    for (size_t j = 0; j < f->result->n_parameters; j++)
        if (strcmp(f->parameter[j], name) == 0)
            return j;
    return SIZE_MAX;
}

/* Of parameter j, n_draws of them. */
static const double *values(const struct ens_fitted *f, size_t j)
{
    return f->result->draws.n_chains > 0
               ? f->result->draws.value + j * f->n_draws
               : f->result->estimate + j;
}

/* The family's parameter at draw s; sigma of the result where it has none. */
static double aux_at(const struct ens_fitted *f, size_t s)
{
    return f->aux != SIZE_MAX ? values(f, f->aux)[s] : f->result->sigma;
}

static double nu_at(const struct ens_fitted *f, size_t s)
{
    return f->nu != SIZE_MAX ? values(f, f->nu)[s] : f->options->nu;
}

/* What the log density has at every row. sigma: see gaussian_row. */
static double constant_of(const struct ens_fitted *f, size_t s)
{
    double a = aux_at(f, s), nu;

    switch (f->options->family) {
    case ENS_FAMILY_STUDENT:
        nu = nu_at(f, s);
        return lgamma((nu + 1) / 2) - lgamma(nu / 2) -
               0.5 * log(nu * 3.14159265358979323846) - log(a);
    case ENS_FAMILY_NEGBINOMIAL:
        return -lgamma(a);
    case ENS_FAMILY_GAMMA:
        return a * log(a) - lgamma(a);
    case ENS_FAMILY_GAUSSIAN:
    case ENS_FAMILY_BINOMIAL:
    case ENS_FAMILY_POISSON:
        break;
    }
    return 0;
}

enum ens_status ens_fitted_init(struct ens_fitted *f, struct ens_error *err)
{
    static const char *const aux[] = {
#define AUX(name, text, link, parameter) parameter,
        ENS_FAMILY_LIST(AUX)
#undef AUX
    };
    const struct ens_draws *d = &f->result->draws;
    const struct ens_host *host = f->job->host;

    f->n_draws = d->n_chains > 0 ? d->n_chains * d->n_draws : 1;
    f->aux = find(f, aux[f->options->family]);
    f->nu = find(f, "nu");
    f->eta = host->alloc(f->job->result, f->n_draws, sizeof(*f->eta));
    f->constant = host->alloc(f->job->result, f->n_draws, sizeof(*f->constant));
    if (f->eta == NULL || f->constant == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "predictions at %zu draws",
                        f->n_draws);
    for (size_t s = 0; s < f->n_draws; s++)
        f->constant[s] = constant_of(f, s);
    return ENS_OK;
}

int ens_fitted_has_predictions(const struct ens_fitted *f)
{
    return f->fitter->predict != NULL ||
           (f->fitter->delivers & ENS_DELIVERS_PREDICTIONS) != 0;
}

int ens_fitted_has_log_lik(const struct ens_fitted *f)
{
    return f->fitter->log_lik != NULL ||
           (f->fitter->delivers & ENS_DELIVERS_LOG_LIK) != 0;
}

/* -- the predictor -----------------------------------------------------------
 */

/* The first parameter of a group's levels, which follow each other. */
static enum ens_status find_group(const struct ens_fitted *f,
                                  const struct ens_fit_group *g, size_t *at,
                                  struct ens_error *err)
{
    char name[256], last[256];
    size_t n = f->result->n_parameters;

    snprintf(name, sizeof(name), "%s[%s]", g->name, g->level[0]);
    snprintf(last, sizeof(last), "%s[%s]", g->name, g->level[g->n_levels - 1]);
    *at = find(f, name);
    if (*at == SIZE_MAX || *at + g->n_levels > n ||
        strcmp(f->parameter[*at + g->n_levels - 1], last) != 0)
        return ens_fail(err, ENS_EDOMAIN, "the fit has no %.200s", name);
    return ENS_OK;
}

static void add(const struct ens_fitted *f, size_t j, double x)
{
    const double *v = values(f, j);

    for (size_t s = 0; s < f->n_draws; s++)
        f->eta[s] += x * v[s];
}

static enum ens_status predictor(const struct ens_fitted *f,
                                 const struct ens_fit_problem *at, size_t row,
                                 struct ens_error *err)
{
    for (size_t s = 0; s < f->n_draws; s++)
        f->eta[s] = at->offset != NULL ? at->offset[row] : 0;
    for (size_t j = 0; j < at->p; j++)
        add(f, j, at->x[row + j * at->n]);
    for (size_t k = 0; k < at->n_groups; k++) {
        size_t first;
        enum ens_status s = find_group(f, &at->group[k], &first, err);

        if (s != ENS_OK)
            return s;
        add(f, first + at->group[k].of[row], 1);
    }
    return ENS_OK;
}

static double mean_at(enum ens_link_function link, double eta)
{
    switch (link) {
    case ENS_LINK_LOGIT:
        return 1 / (1 + exp(-eta));
    case ENS_LINK_LOG:
        return exp(eta);
    case ENS_LINK_IDENTITY:
        break;
    }
    return eta;
}

/* -- log densities -----------------------------------------------------------
 */

/* Variance: sigma^2 where it is a parameter, that known of the row, or both. */
static void gaussian_row(const struct ens_fitted *f, double y, double se,
                         double *out)
{
    for (size_t s = 0; s < f->n_draws; s++) {
        double sigma = se > 0 && f->aux == SIZE_MAX ? se
                       : se > 0                     ? hypot(se, aux_at(f, s))
                                                    : aux_at(f, s);
        double z = (y - f->eta[s]) / sigma;

        out[s] = -0.5 * (LOG_2PI + z * z) - log(sigma);
    }
}

static void student_row(const struct ens_fitted *f, double y, double *out)
{
    for (size_t s = 0; s < f->n_draws; s++) {
        double nu = nu_at(f, s), z = (y - f->eta[s]) / aux_at(f, s);

        out[s] = f->constant[s] - (nu + 1) / 2 * log1p(z * z / nu);
    }
}

static void binomial_row(const struct ens_fitted *f, double y, double *out)
{
    /* log(1 + e^eta) without overflow */
    for (size_t s = 0; s < f->n_draws; s++)
        out[s] =
            y * f->eta[s] - fmax(f->eta[s], 0) - log1p(exp(-fabs(f->eta[s])));
}

static void poisson_row(const struct ens_fitted *f, double y, double *out)
{
    double constant = -lgamma(y + 1);

    for (size_t s = 0; s < f->n_draws; s++)
        out[s] = constant + y * f->eta[s] - exp(f->eta[s]);
}

static void negbinomial_row(const struct ens_fitted *f, double y, double *out)
{
    double constant = -lgamma(y + 1);

    for (size_t s = 0; s < f->n_draws; s++) {
        double phi = aux_at(f, s), mu = exp(f->eta[s]);

        out[s] = constant + f->constant[s] + lgamma(y + phi) -
                 phi * log1p(mu / phi) + y * (f->eta[s] - log(phi + mu));
    }
}

static void gamma_row(const struct ens_fitted *f, double y, double *out)
{
    double log_y = log(y);

    for (size_t s = 0; s < f->n_draws; s++) {
        double a = aux_at(f, s);

        out[s] = f->constant[s] + (a - 1) * log_y - a * f->eta[s] -
                 a * y * exp(-f->eta[s]);
    }
}

static void density_row(const struct ens_fitted *f,
                        const struct ens_fit_problem *at, size_t row,
                        double *out)
{
    double y = at->y[row];

    switch (f->options->family) {
    case ENS_FAMILY_GAUSSIAN:
        gaussian_row(f, y, at->se != NULL ? at->se[row] : 0, out);
        break;
    case ENS_FAMILY_STUDENT:
        student_row(f, y, out);
        break;
    case ENS_FAMILY_BINOMIAL:
        binomial_row(f, y, out);
        break;
    case ENS_FAMILY_POISSON:
        poisson_row(f, y, out);
        break;
    case ENS_FAMILY_NEGBINOMIAL:
        negbinomial_row(f, y, out);
        break;
    case ENS_FAMILY_GAMMA:
        gamma_row(f, y, out);
        break;
    }
}

/* -- rows --------------------------------------------------------------------
 */

enum ens_status ens_fitted_predict(const struct ens_fitted *f,
                                   const struct ens_fit_problem *at,
                                   size_t first, size_t n, double *out,
                                   struct ens_error *err)
{
    if (f->fitter->predict != NULL)
        return f->fitter->predict(f->job, f->options, f->result, at, first, n,
                                  out, err);
    for (size_t i = 0; i < n; i++) {
        enum ens_status st = predictor(f, at, first + i, err);

        if (st != ENS_OK)
            return st;
        for (size_t s = 0; s < f->n_draws; s++)
            *out++ = mean_at(f->options->link, f->eta[s]);
    }
    return ENS_OK;
}

enum ens_status ens_fitted_log_lik(const struct ens_fitted *f,
                                   const struct ens_fit_problem *at,
                                   size_t first, size_t n, double *out,
                                   struct ens_error *err)
{
    if (f->fitter->log_lik != NULL)
        return f->fitter->log_lik(f->job, f->options, f->result, at, first, n,
                                  out, err);
    for (size_t i = 0; i < n; i++) {
        enum ens_status s = predictor(f, at, first + i, err);

        if (s != ENS_OK)
            return s;
        density_row(f, at, first + i, out + i * f->n_draws);
    }
    return ENS_OK;
}
