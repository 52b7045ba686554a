/* Bayesian regression models as log densities.
 *
 *     y ~ family(X b + offset + sum of groups' intercepts, parameters)
 *
 * Sampled are not the terms' b but v, with b = b0 + A v, where b0 is the
 * estimate of least squares (or of iterated ones) and A A' about its
 * covariance: every v is of order 1 and hardly correlated, whatever units and
 * correlations the columns have (coordinates.c). q is
 *
 *     v[p] | log of sigma, phi, shape; of nu - 1 | per group: log sd, e[levels]
 *
 * with a group's intercepts r = sd e (non-centred), or e itself in units of
 * the data (centred; then e of the first group has the intercept in it, as
 * theta ~ normal(mu, tau) has). The parameters, in that order: terms, sigma
 * ..., per group sd_G, G[LEVEL] (= r).
 */
#ifndef ENS_FIT_BAYES_MODEL_H
#define ENS_FIT_BAYES_MODEL_H

#include "fit/bayes/kernel.h"
#include "fit/bayes/prior.h"
#include <ensrun/density.h>
#include <ensrun/fitter.h>

/* Of all groups: more are no columns of tables. */
#define ENS_BAYES_MAX_SHOWN 50

enum ens_bayes_prior { /* of the parameters beside terms and groups */
                       ENS_BAYES_SIGMA,
                       ENS_BAYES_NU,
                       ENS_BAYES_PHI,
                       ENS_BAYES_SHAPE,
                       ENS_BAYES_N_PRIORS
};

/** What a study says; in memory of the setup. */
struct ens_bayes_options {
    enum ens_family family;
    double nu; /* of student; NaN: estimated */
    int is_centred;
    struct ens_prior b, intercept, sd;
    struct ens_prior prior[ENS_BAYES_N_PRIORS];
    int has_sd, has_prior[ENS_BAYES_N_PRIORS]; /* else by default */
    size_t n_named;                            /* prior.NAME */
    const char **name;
    struct ens_prior *named;
};

/** A group's part of q and of the parameters. */
struct ens_bayes_group {
    const uint32_t *of; /* n */
    size_t n_levels;
    size_t at;        /* of log sd in q; e follows */
    size_t parameter; /* of sd among the parameters; r follows */
    double unit;      /* of e, when centred */
    struct ens_prior prior;
    double *r, *slope; /* n_levels each, scratch */
};

struct ens_bayes {
    const struct ens_bayes_options *o;
    size_t n, p, n_aux, dim, n_parameters;
    const double *y;
    double sigma; /* log sigma of q is that of sigma / this */
    enum ens_bayes_prior aux[2];
    struct ens_prior aux_prior[2];

    /* coordinates */
    double *b0, *a;          /* p; p x p, upper triangle: b = b0 + a v */
    double *weight;          /* n: 1 / se^2; or NULL */
    double *q;               /* n x p: X a */
    double *eta0;            /* n: offset + X b0 */
    struct ens_prior *prior; /* p */
    int has_prior;           /* any that is not flat */
    size_t intercept;        /* its place among the terms; SIZE_MAX */

    size_t n_groups;
    struct ens_bayes_group *group;

    /* gaussian with one group at most: sums that say all of the data, with
     * r0 = y - eta0, Z the rows' levels, W the weights */
    int is_summed;
    double rss0, total;    /* r0'W r0; n */
    double *c, *m;         /* p, p x p: Q'W r0, Q'W Q */
    double m_scale;        /* m is this times the unit matrix; or 0 */
    double *s, *zq, *size; /* levels: Z'W r0; levels x p: Z'W Q; Z'W 1 */

    /* counts y (negbinomial): how many are above k; those above all k */
    double *above;
    size_t n_above, n_large;
    double *large;

    double *b, *b_slope, *v_slope; /* p each, scratch */
    double sum_log_y;              /* gamma */
};

/**
 * Options from a cell. Errors: ENS_ESTUDY, beginning with the key.
 */
enum ens_status ens_bayes_options(struct ens_bayes_options *o,
                                  const struct ens_fit_setup *setup,
                                  const struct ens_cell *cell, const char *role,
                                  struct ens_error *err);
/** The parameters beside the terms (fitter.h). ENS_ESTUDY also for a
 * prior.NAME of no parameter. */
enum ens_status ens_bayes_parameters(const struct ens_fit_setup *setup,
                                     const struct ens_bayes_options *o,
                                     const struct ens_fit_problem *shape,
                                     struct ens_parameter **list, size_t *n,
                                     struct ens_error *err);
/**
 * The model of a data set, in memory of the task.
 * Errors:  ENS_EDOMAIN: there is no such posterior: a response out of range or
 *          without residuals, terms that are aliased or separate the response
 *          and have flat priors.
 */
enum ens_status ens_bayes_make(struct ens_bayes **model,
                               const struct ens_job *job,
                               const struct ens_bayes_options *o,
                               const struct ens_fit_problem *problem,
                               struct ens_error *err);
struct ens_density ens_bayes_density(struct ens_bayes *m);
/** The n_parameters at q. */
void ens_bayes_constrain(void *model, const double *q, double *parameter);

/* Settings of fitters of these models, 3 rows, beside formula, level and
 * ENS_PRIOR_SETTINGS; their slots. */
#define ENS_BAYES_SETTINGS_MODEL                                               \
    {.section = "fit",                                                         \
     .key = "family",                                                          \
     .type = ENS_T_CHOICE,                                                     \
     .shape = ENS_AXIS,                                                        \
     .cls = ENS_C_CELL,                                                        \
     .def = "gaussian",                                                        \
     .choices = "gaussian|student|binomial|poisson|negbinomial|gamma",         \
     .help = "gaussian and student (t with nu degrees of freedom) have the "   \
             "identity link, binomial (0 or 1) logit, poisson, negbinomial "   \
             "and gamma log"},                                                 \
        {.section = "fit",                                                     \
         .key = "nu",                                                          \
         .type = ENS_T_NUM,                                                    \
         .shape = ENS_AXIS,                                                    \
         .cls = ENS_C_CELL,                                                    \
         .def = "",                                                            \
         .min = 0,                                                             \
         .max = 1e6,                                                           \
         .help = "degrees of freedom of family student; not set: estimated"},  \
    {                                                                          \
        .section = "fit", .key = "parametrisation", .type = ENS_T_CHOICE,      \
        .shape = ENS_AXIS, .cls = ENS_C_CELL, .def = "noncentred",             \
        .choices = "centred|noncentred",                                       \
        .help = "of the intercepts of groups, (1 | g): sampled in units of "   \
                "their sd (noncentred: few rows per level), or themselves"     \
    }
enum ens_status ens_bayes_fit_options(const struct ens_fit_setup *setup,
                                      const struct ens_cell *cell,
                                      const char *role,
                                      struct ens_fit_options *o,
                                      struct ens_error *err);
enum ens_status ens_bayes_fit_parameters(const struct ens_fit_setup *setup,
                                         const struct ens_fit_options *o,
                                         const struct ens_fit_problem *shape,
                                         struct ens_parameter **list, size_t *n,
                                         struct ens_error *err);

/* Inside: coordinates.c, likelihood.c. */
enum ens_status ens_bayes_coordinates(struct ens_bayes *m,
                                      const struct ens_job *job,
                                      const struct ens_fit_problem *problem,
                                      struct ens_error *err);
enum ens_status ens_bayes_sums(struct ens_bayes *m, const struct ens_job *job,
                               struct ens_error *err);
/** Log likelihood at v, aux (natural scale) and the groups' r; adds to
 * v_slope[p] and the groups' slopes, sets aux_slope by the logs (of nu: by
 * nu itself). */
double ens_bayes_likelihood(struct ens_bayes *m, const double *v,
                            const double *aux, double *v_slope,
                            double *aux_slope);

#endif
