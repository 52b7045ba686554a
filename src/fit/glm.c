/* Generalised linear models: estimates as R's glm.fit, in the same steps; the
 * negative binomial as MASS::glm.nb, to the end of its iteration. */
#include "fit/fitter.h"

#include "fit/dispersion.h"
#include "fit/irls.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define NB_STEPS 200
/* Where steps of the estimates end, in standard errors, and of log phi. */
#define NB_END 1e-10
#define NB_STEPS_FINE                                                          \
    50 /* so long; then, as phi may be known to fewer digits: */
#define NB_COARSE 1e-6

const struct ens_setting ens_fitter_glm_settings[] = {
    ENS_FIT_SETTING_FORMULA,
    {.section = "fit",
     .key = "family",
     .type = ENS_T_CHOICE,
     .shape = ENS_AXIS,
     .cls = ENS_C_CELL,
     .def = "gaussian",
     .choices = "gaussian|binomial|poisson|gamma|negbinomial",
     .help = "gaussian (identity link) and gamma (log link, response > 0; "
             "parameter shape), with limits from t; binomial (logit link, "
             "response 0 or 1), poisson and negbinomial (log link, whole "
             "response >= 0; parameter phi: variance mu + mu^2/phi), with "
             "normal limits"},
    ENS_FIT_SETTING_LEVEL,
};

static enum ens_family find_family(const char *text)
{
    static const enum ens_family family[] = {
        ENS_FAMILY_GAUSSIAN, ENS_FAMILY_BINOMIAL, ENS_FAMILY_POISSON,
        ENS_FAMILY_GAMMA};

    for (size_t i = 0; i < sizeof(family) / sizeof(*family); i++)
        if (strcmp(text, ens_family_text(family[i])) == 0)
            return family[i];
    return ENS_FAMILY_NEGBINOMIAL;
}

static enum ens_status options(const struct ens_fit_setup *setup,
                               const struct ens_cell *cell, const char *role,
                               struct ens_fit_options *o, struct ens_error *err)
{
    (void)setup;
    o->family = find_family(ens_cell_value(cell, role, "family")->text);
    o->link = ens_family_link(o->family);
    return ens_fit_level(cell, role, &o->level, err);
}

static enum ens_status parameters(const struct ens_fit_setup *setup,
                                  const struct ens_fit_options *o,
                                  const struct ens_fit_problem *shape,
                                  struct ens_parameter **list, size_t *n,
                                  struct ens_error *err)
{
    (void)shape;
    *n = 0;
    if (o->family != ENS_FAMILY_GAMMA && o->family != ENS_FAMILY_NEGBINOMIAL)
        return ENS_OK;
    *list = setup->alloc(setup, 1, sizeof(**list));
    if (*list == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "parameters");
    (*list)->name = o->family == ENS_FAMILY_GAMMA ? "shape" : "phi";
    *n = 1;
    return ENS_OK;
}

/* Place of shape, phi among the parameters, where there is room for it. */
static void put_parameter(struct ens_fit_result *r, size_t p, double value,
                          double info)
{
    if (r->n_parameters <= p)
        return;
    r->estimate[p] = value;
    r->std_error[p] = info > 0 ? 1 / sqrt(info) : NAN;
}

/* Dispersion from Pearson's statistic, as summary.glm has it. */
static void finish_gamma(struct ens_irls *g, struct ens_fit_result *r)
{
    size_t n = g->n, p = g->q.problem->p;
    double pearson = 0, shape, info;

    for (size_t i = 0; i < n; i++) {
        double d = (g->q.problem->y[i] - g->mu[i]) / g->mu[i];

        pearson += d * d;
    }
    r->df = (double)(n - p);
    if (n == p) {
        ens_fit_warn(r, "no residual degrees of freedom");
    } else if (pearson / r->df < 1e-28) { /* of rounding */
        ens_fit_warn(r, "essentially perfect fit: no shape");
    } else {
        shape = ens_dispersion_gamma(r->deviance, n, &info);
        put_parameter(r, p, shape, info);
    }
    ens_lsq_cov(&g->q, n == p ? NAN : pearson / r->df, r->cov);
}

/* Alternately phi, and a step of the estimates. */
static enum ens_status fit_negbinomial(struct ens_irls *g,
                                       struct ens_fit_result *r,
                                       struct ens_error *err)
{
    const struct ens_fit_problem *problem = g->q.problem;
    double length = INFINITY, before = NAN, info = NAN;
    int is_settled = 0;

    g->family = &ens_irls_negbinomial;
    r->n_warnings = 0; /* of the Poisson fit that it begins with */
    for (int k = 0; !is_settled && k < NB_STEPS; k++) {
        double end = k < NB_STEPS_FINE ? NB_END : NB_COARSE;
        enum ens_status s;

        g->phi = ens_dispersion_negbinomial(problem->y, g->mu, g->n, &info);
        is_settled = length < end && fabs(log(g->phi / before)) < end;
        before = g->phi;
        if (is_settled)
            break;
        s = ens_irls_step(g, r, &length, err);
        if (s != ENS_OK)
            return s;
    }
    if (!is_settled)
        ens_fit_warn(r, "phi and the estimates did not converge in 200 steps");
    if (isnan(info))
        ens_fit_warn(r, "counts no more dispersed than Poisson: phi is at its "
                        "largest value");
    put_parameter(r, problem->p, g->phi, info);
    return ENS_OK;
}

static const struct ens_irls_family *irls_family(enum ens_family family)
{
    switch (family) {
    case ENS_FAMILY_BINOMIAL:
        return &ens_irls_binomial;
    case ENS_FAMILY_GAMMA:
        return &ens_irls_gamma;
    case ENS_FAMILY_NEGBINOMIAL:
        return &ens_irls_negbinomial;
    case ENS_FAMILY_POISSON:
    case ENS_FAMILY_GAUSSIAN:
    case ENS_FAMILY_STUDENT:
        break;
    }
    return &ens_irls_poisson;
}

static enum ens_status check_counts(const struct ens_fit_problem *problem,
                                    struct ens_error *err)
{
    for (size_t i = 0; i < problem->n; i++)
        if (problem->y[i] > 0)
            return ENS_OK;
    return ens_fail(err, ENS_EDOMAIN,
                    "%s is 0 in all %zu complete rows: phi has no estimate",
                    problem->response, problem->n);
}

static enum ens_status fit(const struct ens_job *job,
                           const struct ens_fit_options *o,
                           const struct ens_fit_problem *problem, double *work,
                           struct ens_fit_result *result, struct ens_error *err)
{
    struct ens_irls g;
    enum ens_status s;

    (void)job;
    if (o->family == ENS_FAMILY_GAUSSIAN)
        return ens_lsq_gaussian(o, problem, work, result, err);
    s = ens_irls_init(&g, irls_family(o->family), problem, work, err);
    if (s == ENS_OK && o->family == ENS_FAMILY_NEGBINOMIAL) {
        s = check_counts(problem, err);
        g.family = &ens_irls_poisson; /* as which it begins */
    }
    if (s == ENS_OK)
        s = ens_irls_iterate(&g, result, err);
    if (s == ENS_OK && o->family == ENS_FAMILY_NEGBINOMIAL)
        s = fit_negbinomial(&g, result, err);
    if (s != ENS_OK)
        return s;
    ens_irls_warn(&g, result);
    result->sigma = 1;
    result->df = INFINITY;
    if (o->family == ENS_FAMILY_GAMMA)
        finish_gamma(&g, result);
    else
        ens_lsq_cov(&g.q, 1, result->cov);
    return ens_fit_limits(result, problem, o->level, err);
}

const struct ens_fitter ens_fitter_glm = {
    .delivers = ENS_FIT_FREQUENTIST,
    .options = options,
    .parameters = parameters,
    .work = ens_irls_work,
    .fit = fit,
};
