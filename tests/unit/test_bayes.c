/* Log densities of the Bayesian models: their gradients against differences,
 * sums against rows, priors against R's densities, what has no posterior. */
#include "fit/bayes/model.h"

#include "base/arena.h"
#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N      60
#define P      3
#define LEVELS 5

static struct ens_arena arena = ENS_ARENA_INIT;

static void *alloc(struct ens_result *r, size_t n, size_t size)
{
    (void)r;
    return ens_arena_alloc(&arena, n, size);
}

static const struct ens_host host = {.alloc = alloc};
static const struct ens_job job = {.host = &host};

static double x[N * P], y[N], se[N], offset[N];
static uint32_t of[2][N];
static const char *const term[] = {"intercept", "x1", "x2"};
static const char *const level[] = {"a", "b", "c", "d", "e"};
static struct ens_fit_group group[2];

enum with {
    PLAIN,
    ONE_GROUP,
    TWO_GROUPS,
    CENTRED,
    CENTRED_TWO,
    KNOWN_SE,
    N_WITH
};

static struct ens_fit_problem make_data(enum ens_family family, int with)
{
    struct ens_rng g;

    ens_rng_set(&g, 1, (uint64_t)family, 1, 1);
    for (size_t i = 0; i < N; i++) {
        double eta;

        x[i] = 1;
        x[i + N] = 3 + ens_rng_normal(&g);
        x[i + 2 * N] = 0.5 * x[i + N] + 0.2 * ens_rng_normal(&g);
        of[0][i] = (uint32_t)ens_rng_below(&g, LEVELS);
        of[1][i] = (uint32_t)ens_rng_below(&g, 3);
        se[i] = 0.5 + ens_rng_uniform(&g);
        offset[i] = 0.1 * ens_rng_normal(&g);
        eta =
            0.2 * x[i + N] - 0.1 + 0.3 * of[0][i] / LEVELS + ens_rng_normal(&g);
        y[i] = family == ENS_FAMILY_BINOMIAL      ? (eta > 0.5)
               : family == ENS_FAMILY_POISSON     ? floor(exp(eta))
               : family == ENS_FAMILY_NEGBINOMIAL ? floor(3 * exp(2 * eta))
               : family == ENS_FAMILY_GAMMA       ? exp(eta)
                                                  : 10 * eta;
    }
    if (family == ENS_FAMILY_NEGBINOMIAL)
        y[7] = 6000; /* beyond the table of counts */
    for (int k = 0; k < 2; k++)
        group[k] = (struct ens_fit_group){.name = k ? "h" : "g",
                                          .n_levels = k ? 3 : LEVELS,
                                          .level = level,
                                          .of = of[k]};
    return (struct ens_fit_problem){
        .n = N,
        .p = P,
        .x = x,
        .y = y,
        .offset = offset,
        .se = with == KNOWN_SE ? se : NULL,
        .term = term,
        .n_groups = with == PLAIN                               ? 0
                    : with == TWO_GROUPS || with == CENTRED_TWO ? 2
                                                                : 1,
        .group = group,
        .response = "y"};
}

static const struct {
    struct ens_prior term, scale;
} priors[] = {
    {{ENS_PRIOR_FLAT, {0}}, {ENS_PRIOR_HALF_NORMAL, {2}}},
    {{ENS_PRIOR_NORMAL, {0.3, 1}}, {ENS_PRIOR_EXPONENTIAL, {0.7}}},
    {{ENS_PRIOR_STUDENT_T, {4, -1, 2}}, {ENS_PRIOR_HALF_STUDENT_T, {3, 2}}},
    {{ENS_PRIOR_CAUCHY, {0.1, 2.5}}, {ENS_PRIOR_HALF_CAUCHY, {2.5}}},
    {{ENS_PRIOR_NORMAL, {0, 10}}, {ENS_PRIOR_GAMMA, {2, 0.5}}},
    {{ENS_PRIOR_FLAT, {0}}, {ENS_PRIOR_INV_GAMMA, {1.5, 2}}},
    {{ENS_PRIOR_FLAT, {0}}, {ENS_PRIOR_LOGNORMAL, {0.2, 0.8}}},
};
#define N_PRIORS   (sizeof(priors) / sizeof(priors[0]))
#define N_FAMILIES 7 /* student twice: nu given */

static struct ens_bayes_options make_options(int family, int with, size_t prior)
{
    struct ens_bayes_options o = {
        .family = family == 6 ? ENS_FAMILY_STUDENT : (enum ens_family)family,
        .nu = family == 6 ? 4 : NAN,
        .is_centred = with == CENTRED || with == CENTRED_TWO,
        .b = priors[prior].term,
        .intercept = priors[prior].term,
        .sd = priors[prior].scale,
        .has_sd = 1};

    for (int k = 0; k < ENS_BAYES_N_PRIORS; k++) {
        o.prior[k] = priors[prior].scale;
        o.has_prior[k] = 1;
    }
    return o;
}

static struct ens_bayes *make(const struct ens_bayes_options *o,
                              const struct ens_fit_problem *problem)
{
    struct ens_error err = {0};
    struct ens_bayes *m;

    ck_assert_msg(ens_bayes_make(&m, &job, o, problem, &err) == ENS_OK,
                  "family %d: %s", (int)o->family, err.text);
    return m;
}

static void check_gradient(const struct ens_density *d, double *q,
                           const char *what)
{
    double *gradient = ens_arena_alloc(&arena, 2 * d->dim, sizeof(*gradient));
    double *ignored = gradient + d->dim;

    ck_assert_msg(isfinite(d->at(d->model, q, gradient)), "%s", what);
    for (size_t j = 0; j < d->dim; j++) {
        const double h = 1e-5, at = q[j];
        double up, down, by_difference;

        q[j] = at + h;
        up = d->at(d->model, q, ignored);
        q[j] = at - h;
        down = d->at(d->model, q, ignored);
        q[j] = at;
        by_difference = (up - down) / (2 * h);
        /* the differences' own error: rounding of up and down, h^2 */
        ck_assert_msg(fabs(by_difference - gradient[j]) <
                          1e-6 * (1 + fabs(gradient[j])) + 1e-9 * fabs(up),
                      "%s: q[%zu]: %.10g, by differences %.10g", what, j,
                      gradient[j], by_difference);
    }
}

/* _i: family and prior. */
START_TEST(gradients_equal_differences)
{
    int family = _i / (int)N_PRIORS;
    size_t prior = (size_t)_i % N_PRIORS;
    enum ens_family of_data =
        family == 6 ? ENS_FAMILY_STUDENT : (enum ens_family)family;

    for (int with = 0; with < N_WITH; with++) {
        struct ens_fit_problem problem = make_data(of_data, with);
        struct ens_bayes_options o = make_options(family, with, prior);
        struct ens_density d;
        struct ens_rng g;
        double q[64];
        char what[80];

        if (with == KNOWN_SE && family != ENS_FAMILY_GAUSSIAN)
            continue;
        d = ens_bayes_density(make(&o, &problem));
        ck_assert_uint_le(d.dim, 64);
        ens_rng_set(&g, 2, 3, 4, 5);
        for (int k = 0; k < 3; k++) {
            for (size_t j = 0; j < d.dim; j++)
                q[j] = 3 * ens_rng_uniform(&g) - 1.5;
            snprintf(what, sizeof(what), "family %d, prior %zu, with %d",
                     family, prior, with);
            check_gradient(&d, q, what);
        }
    }
}
END_TEST

/* Log likelihood and priors as they are written down, at the parameters. */
static double written(const struct ens_bayes_options *o,
                      const struct ens_fit_problem *f, const double *b,
                      double aux, double nu, double sd, const double *r)
{
    double value = 0, slope;

    for (size_t i = 0; i < f->n; i++) {
        double eta = f->offset[i] + r[f->group[0].of[i]], yi = f->y[i], mu, z;

        for (size_t j = 0; j < f->p; j++)
            eta += f->x[i + j * f->n] * b[j];
        mu = exp(eta);
        z = (yi - eta) / aux;
        switch (o->family) {
        case ENS_FAMILY_GAUSSIAN:
            value -= log(aux) + 0.5 * z * z;
            break;
        case ENS_FAMILY_STUDENT:
            value += lgamma((nu + 1) / 2) - lgamma(nu / 2) - 0.5 * log(nu) -
                     log(aux) - (nu + 1) / 2 * log1p(z * z / nu);
            break;
        case ENS_FAMILY_BINOMIAL:
            value += yi * eta - log1p(exp(eta));
            break;
        case ENS_FAMILY_POISSON:
            value += yi * eta - mu;
            break;
        case ENS_FAMILY_NEGBINOMIAL:
            value += lgamma(yi + aux) - lgamma(aux) +
                     aux * log(aux / (mu + aux)) + yi * log(mu / (mu + aux));
            break;
        case ENS_FAMILY_GAMMA:
            value += aux * log(aux / mu) - lgamma(aux) + (aux - 1) * log(yi) -
                     aux * yi / mu;
            break;
        }
    }
    for (size_t j = 0; j < f->p; j++)
        value += ens_prior_log(&o->b, b[j], &slope);
    for (size_t k = 0; k < LEVELS; k++)
        value -= 0.5 * r[k] * r[k] / (sd * sd) + log(sd);
    return value + ens_prior_log(&o->sd, sd, &slope);
}

/* Differences of the log density between points are those of what is written
 * down: of centred and non-centred ones with their Jacobians. */
START_TEST(densities_are_those_written_down)
{
    for (int family = 0; family < 6; family++)
        for (int centred = 0; centred < 2; centred++) {
            struct ens_fit_problem problem =
                make_data((enum ens_family)family, ONE_GROUP);
            struct ens_bayes_options o =
                make_options(family, centred ? CENTRED : ONE_GROUP, 1);
            struct ens_bayes *m = make(&o, &problem);
            struct ens_density d = ens_bayes_density(m);
            double q[32], gradient[32], parameter[32], value[2];
            struct ens_rng g;

            ens_rng_set(&g, 9, 3, 4, (uint64_t)family);
            for (int k = 0; k < 2; k++) {
                double aux, sd, nu, slope;

                for (size_t j = 0; j < d.dim; j++)
                    q[j] = 2 * ens_rng_uniform(&g) - 1;
                ens_bayes_constrain(m, q, parameter);
                aux = m->n_aux > 0 ? parameter[P] : 1;
                nu = parameter[P + 1];
                sd = parameter[m->group[0].parameter];
                value[k] = d.at(d.model, q, gradient) -
                           written(&o, &problem, parameter, aux, nu, sd,
                                   parameter + m->group[0].parameter + 1);
                for (size_t a = 0; a < m->n_aux; a++)
                    value[k] -= ens_prior_log(&m->aux_prior[a],
                                              parameter[P + a], &slope) +
                                q[P + a];
                /* of r by e: sd per level; of sd by its log: sd */
                value[k] -=
                    q[m->group[0].at] + (centred ? 0 : LEVELS * log(sd));
            }
            ck_assert_msg(fabs(value[0] - value[1]) <
                              1e-9 * (1 + fabs(value[0])),
                          "family %d: %.15g %.15g", family, value[0], value[1]);
        }
}
END_TEST

/* x1 + x2 in other units and with another origin: the same posterior. */
START_TEST(units_do_not_change_coordinates)
{
    struct ens_fit_problem problem = make_data(ENS_FAMILY_GAUSSIAN, PLAIN);
    struct ens_bayes_options o = make_options(0, PLAIN, 0);
    double q[] = {0.3, -0.2, 0.7, 0.1}, gradient[2][4], value[2];
    struct ens_bayes *m;

    for (int k = 0; k < 2; k++) {
        m = make(&o, &problem);
        ck_assert(m->is_summed && m->m_scale > 0);
        value[k] = ens_bayes_density(m).at(m, q, gradient[k]);
        for (size_t i = 0; i < N; i++)
            x[i + N] = 1e6 * x[i + N];
    }
    ck_assert_double_eq_tol(value[0], value[1], 1e-9 * fabs(value[0]));
    for (size_t j = 0; j < 4; j++)
        ck_assert_double_eq_tol(gradient[0][j], gradient[1][j], 1e-7);
}
END_TEST

/* R 4.2.2: dnorm(x, 0.3, 1, log = TRUE) etc., less the value at x = 1. */
static const struct {
    struct ens_prior prior;
    double difference; /* log density at 2 less that at 1 */
} known[] = {
    {{ENS_PRIOR_FLAT, {0}}, 0},
    {{ENS_PRIOR_NORMAL, {0.3, 1}}, -1.2},
    {{ENS_PRIOR_STUDENT_T, {4, -1, 2}}, -2.5 * 0.22314355131420976},
    {{ENS_PRIOR_CAUCHY, {0, 1}}, -0.91629073187415511},
    {{ENS_PRIOR_HALF_NORMAL, {2}}, -0.375},
    {{ENS_PRIOR_HALF_STUDENT_T, {3, 1}}, -2 * 0.55961578793542266},
    {{ENS_PRIOR_HALF_CAUCHY, {1}}, -0.91629073187415511},
    {{ENS_PRIOR_EXPONENTIAL, {0.7}}, -0.7},
    {{ENS_PRIOR_GAMMA, {2, 0.5}}, 0.69314718055994529 - 0.5},
    {{ENS_PRIOR_INV_GAMMA, {1.5, 2}}, -2.5 * 0.69314718055994529 + 1},
    {{ENS_PRIOR_LOGNORMAL, {0, 1}},
     -0.69314718055994529 - 0.5 * 0.4804530139182014},
};

START_TEST(priors_are_the_densities_named)
{
    double slope, up, down;
    double d = ens_prior_log(&known[_i].prior, 2, &slope) -
               ens_prior_log(&known[_i].prior, 1, &slope);

    ck_assert_double_eq_tol(d, known[_i].difference, 1e-14);
    up = ens_prior_log(&known[_i].prior, 1.7 + 1e-6, &slope);
    down = ens_prior_log(&known[_i].prior, 1.7 - 1e-6, &slope);
    ens_prior_log(&known[_i].prior, 1.7, &slope);
    ck_assert_double_eq_tol(slope, (up - down) / 2e-6, 1e-8);
}
END_TEST

static void spoil(struct ens_fit_problem *f, int how)
{
    for (size_t i = 0; i < N; i++)
        switch (how) {
        case 0: /* collinear */
        case 7:
            x[i + 2 * N] = 2 * x[i + N];
            break;
        case 1: /* constant response */
            y[i] = 4;
            offset[i] = 0;
            break;
        case 2: /* separated */
        case 8:
            y[i] = x[i + N] > 3;
            break;
        case 3: /* all zero counts */
            y[i] = 0;
            break;
        case 5: /* of one value in each group */
            y[i] = of[0][i];
            offset[i] = 0;
            break;
        case 6:
            y[i] *= 1e300;
            break;
        }
    if (how == 4)
        f->n = 2;
    if (how == 9)
        y[3] = 0.5;
    if (how == 5)
        f->p = 1;
}

static const struct {
    enum ens_family family;
    int with;
    size_t prior;
    const char *message; /* NULL: there is a posterior */
} spoilt[] = {
    {ENS_FAMILY_GAUSSIAN, PLAIN, 0,
     "with flat priors: term 'x2' is aliased: a linear combination of the "
     "terms before it"},
    {ENS_FAMILY_STUDENT, PLAIN, 0,
     "the terms explain 'y' in full (is it constant?): sigma has no "
     "posterior"},
    {ENS_FAMILY_BINOMIAL, ONE_GROUP, 0,
     "no posterior with flat priors: the likelihood grows without end (do "
     "the terms separate the values of 'y'?); set prior.b and "
     "prior.intercept"},
    {ENS_FAMILY_POISSON, PLAIN, 0,
     "no posterior with flat priors: the likelihood grows without end (do "
     "the terms separate the values of 'y'?); set prior.b and "
     "prior.intercept"},
    {ENS_FAMILY_GAUSSIAN, PLAIN, 0,
     "2 complete rows for 3 terms of flat priors leave nothing for sigma to "
     "explain"},
    {ENS_FAMILY_GAUSSIAN, ONE_GROUP, 0,
     "the response does not vary within groups: sigma has no posterior"},
    {ENS_FAMILY_GAUSSIAN, PLAIN, 0, "the values are too large"},
    {ENS_FAMILY_GAUSSIAN, PLAIN, 1, NULL},
    {ENS_FAMILY_BINOMIAL, PLAIN, 1, NULL},
    {ENS_FAMILY_POISSON, PLAIN, 1,
     "y is 0.5 in complete row 4; families poisson and negbinomial take whole "
     "numbers from 0"},
};

START_TEST(what_has_no_posterior_is_refused)
{
    struct ens_fit_problem f = make_data(spoilt[_i].family, spoilt[_i].with);
    struct ens_bayes_options o =
        make_options((int)spoilt[_i].family, spoilt[_i].with, spoilt[_i].prior);
    struct ens_error err = {0};
    struct ens_bayes *m;
    enum ens_status s;

    spoil(&f, _i);
    s = ens_bayes_make(&m, &job, &o, &f, &err);
    if (spoilt[_i].message) {
        ck_assert_int_eq(s, ENS_EDOMAIN);
        ck_assert_str_eq(err.text, spoilt[_i].message);
    } else {
        double q[8] = {0.5, -0.5, 0.3, 0.2};

        ck_assert_msg(s == ENS_OK, "%s", err.text);
        check_gradient(
            &(struct ens_density){m->dim, m, ens_bayes_density(m).at, NULL}, q,
            "spoilt");
    }
}
END_TEST

/* With priors 2 rows are enough for 3 terms. */
START_TEST(few_rows_are_enough_with_priors)
{
    struct ens_fit_problem f = make_data(ENS_FAMILY_GAUSSIAN, PLAIN);
    struct ens_bayes_options o = make_options(0, PLAIN, 1);
    double q[4] = {0.5, -0.5, 0.3, 0.2};
    struct ens_density d;

    f.n = 2;
    d = ens_bayes_density(make(&o, &f));
    check_gradient(&d, q, "two rows");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bayes");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, gradients_equal_differences, 0,
                        N_FAMILIES * (int)N_PRIORS);
    tcase_add_test(t, densities_are_those_written_down);
    tcase_add_test(t, units_do_not_change_coordinates);
    tcase_add_loop_test(t, priors_are_the_densities_named, 0,
                        (int)(sizeof(known) / sizeof(known[0])));
    tcase_add_loop_test(t, what_has_no_posterior_is_refused, 0,
                        (int)(sizeof(spoilt) / sizeof(spoilt[0])));
    tcase_add_test(t, few_rows_are_enough_with_priors);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    ens_arena_fini(&arena);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
