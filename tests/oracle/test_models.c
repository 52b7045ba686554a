/* Ridge regression, generalised linear models and the normal inverse gamma
 * posterior against R 4.2.2: models.inc, made by models.R. */
#include "../fit.h"

#include "base/bug.h"
#include "kinds/kinds.h"
#include "math/rng.h"
#include "worker/worker.h"

#include <math.h>
#include <stdio.h>

#include "models.inc"

#define ROWS (sizeof(data_y) / sizeof(*data_y))

static const char *const name[] = {"x1",  "x2",   "y",       "count",
                                   "big", "even", "positive"};
static const struct ens_data_column column[] = {
    {.values = data_x1},      {.values = data_x2},  {.values = data_y},
    {.values = data_count},   {.values = data_big}, {.values = data_even},
    {.values = data_positive}};
static const struct ens_data data = {ROWS, 7, name, column, NULL};

/* -- a fit by a row of a study ----------------------------------------------
 */

struct memory {
    struct ens_fit_setup shown;
    struct ens_arena arena;
};

static void *alloc(const struct ens_fit_setup *setup, size_t n, size_t size)
{
    return ens_arena_alloc(&((struct memory *)(uintptr_t)setup)->arena, n,
                           size);
}

static const struct ens_study_tables *find_tables(void *arg, const char *kind)
{
    return strcmp(kind, "simulation") == 0 ? arg : NULL;
}

static struct ens_study *parse(const char *row)
{
    static const char *const names[] = {"simulation", NULL};
    static struct ens_study_tables tables;
    struct ens_study_kinds kinds = {find_tables, names, &tables, NULL};
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_study *study = NULL;
    char text[512];
    int n = snprintf(text, sizeof(text),
                     "[study]\nkind = simulation\n[data]\ngenerator = linear\n"
                     "[fit]\nformula = y ~ x1\n%s",
                     row);

    tables = ens_kind_tables(&ens_kind_simulation);
    ck_assert_msg(ens_study_parse(&study, "t.ini", text, (size_t)n, "/nowhere",
                                  NULL, 0, &kinds, &errors, NULL) == ENS_OK,
                  "%s", ens_buf_text(&errors));
    ens_buf_fini(&errors);
    return study;
}

static enum ens_status fit_over(struct fit *f, const char *row,
                                const char *formula, const struct ens_data *of)
{
    struct memory m = {{alloc}, ENS_ARENA_INIT};
    struct ens_study *study = parse(row);
    struct ens_fit_options o = {0};
    struct ens_fit_problem shape = {.p = 3};
    struct ens_parameter *list;
    struct ens_cell cell;
    const struct ens_fitter *fitter;
    size_t extra = 0;
    enum ens_status s;

    ens_study_cell(study, 0, &cell);
    fitter = ens_cell_impl(&cell, "fit")->ops;
    ck_assert_int_eq(fitter->options(&m.shown, &cell, "fit", &o, NULL), ENS_OK);
    if (fitter->parameters != NULL)
        ck_assert_int_eq(
            fitter->parameters(&m.shown, &o, &shape, &list, &extra, NULL),
            ENS_OK);
    s = fit_run_as(f, fitter, &o, extra, formula, of);
    if (s == ENS_OK)
        s = ens_fit_complete(&f->r,
                             &(struct ens_fit_problem){.p = f->design.n_columns,
                                                       .term = f->term},
                             o.level, &f->err);
    ens_arena_fini(&m.arena);
    ens_study_free(study);
    return s;
}

static void fit_row(struct fit *f, const char *row, const char *formula)
{
    ck_assert_msg(fit_over(f, row, formula, &data) == ENS_OK, "%s",
                  f->err.text);
}

static void near(double a, double b, double tolerance)
{
    ck_assert_msg(fabs(a - b) <= tolerance * fabs(b), "%.17g, R has %.17g", a,
                  b);
}

/* want: estimates, standard errors, lower and upper limits, n each */
static void same(const struct fit *f, const double *want, size_t n,
                 double tolerance)
{
    for (size_t j = 0; j < n; j++) {
        near(f->estimate[j], want[j], tolerance);
        near(f->std_error[j], want[n + j], tolerance);
        near(f->low[j], want[2 * n + j], tolerance);
        near(f->high[j], want[3 * n + j], tolerance);
    }
}

/* -- ridge ------------------------------------------------------------------
 */

START_TEST(ridge_equals_its_definition)
{
    struct fit f;

    fit_row(&f, "fitter = ridge\nlambda = 3\n", "y ~ x1 + x2");
    same(&f, ridge_plain, 3, 1e-11);
    fit_fini(&f);
}
END_TEST

START_TEST(scaled_ridge_equals_lm_ridge)
{
    struct fit f;

    fit_row(&f, "fitter = ridge\nlambda = 3\nscale = yes\n", "y ~ x1 + x2");
    for (size_t j = 0; j < 3; j++)
        near(f.estimate[j], ridge_scaled[j], 1e-11);
    fit_fini(&f);
}
END_TEST

START_TEST(ridge_without_penalty_is_ols)
{
    struct fit f, g;

    fit_row(&f, "fitter = ridge\nlambda = 0\n", "y ~ x1 + x2");
    fit_row(&g, "fitter = ols\n", "y ~ x1 + x2");
    for (size_t j = 0; j < 3; j++) {
        near(f.estimate[j], g.estimate[j], 1e-12);
        near(f.std_error[j], g.std_error[j], 1e-12);
        near(f.high[j], g.high[j], 1e-12);
    }
    fit_fini(&f);
    fit_fini(&g);
}
END_TEST

START_TEST(ridge_takes_fewer_rows_than_terms)
{
    struct ens_data two = data;
    struct fit f;

    two.n = 2;
    ck_assert_int_eq(
        fit_over(&f, "fitter = ridge\nlambda = 3\n", "y ~ x1 + x2", &two),
        ENS_OK);
    for (size_t j = 0; j < 3; j++) {
        near(f.estimate[j], ridge_short[j], 1e-11);
        near(f.std_error[j], ridge_short[3 + j], 1e-11);
    }
    fit_fini(&f);
}
END_TEST

/* -- generalised linear models ----------------------------------------------
 */

START_TEST(gamma_equals_glm_and_gamma_shape)
{
    struct fit f;

    fit_row(&f, "fitter = glm\nfamily = gamma\n", "positive ~ x1 + x2");
    same(&f, glm_gamma, 3, 1e-10);
    near(f.estimate[3], glm_gamma_shape[0], 1e-10);
    near(f.std_error[3], glm_gamma_shape[1], 1e-10);
    near(f.r.deviance, glm_gamma_shape[2], 1e-11);
    ck_assert_uint_eq(f.r.n_warnings, 0);
    fit_fini(&f);
}
END_TEST

START_TEST(negbinomial_equals_glm_nb)
{
    static const struct {
        const char *formula;
        const double *terms, *phi;
    } row[] = {
        {"count ~ x1 + x2", glm_nb_count, glm_nb_count_phi},
        {"big ~ x1 + x2", glm_nb_big, glm_nb_big_phi},
    };
    struct fit f;

    fit_row(&f, "fitter = glm\nfamily = negbinomial\n", row[_i].formula);
    same(&f, row[_i].terms, 3, 1e-9);
    near(f.estimate[3], row[_i].phi[0], 1e-9);
    near(f.std_error[3], row[_i].phi[1], 1e-8);
    ck_assert_uint_eq(f.r.n_warnings, 0);
    fit_fini(&f);
}
END_TEST

/* As glm.nb, which ends at some large theta with a warning. */
START_TEST(counts_without_overdispersion_are_warned_of)
{
    struct fit f, g;

    fit_row(&f, "fitter = glm\nfamily = negbinomial\n", "even ~ x1 + x2");
    fit_row(&g, "fitter = glm\nfamily = poisson\n", "even ~ x1 + x2");
    ck_assert_uint_eq(f.r.n_warnings, 1);
    ck_assert(strstr(f.r.warning[0], "no more dispersed than Poisson") != NULL);
    for (size_t j = 0; j < 3; j++)
        ck_assert_double_lt(fabs(f.estimate[j] - g.estimate[j]), 1e-6);
    ck_assert_double_gt(f.estimate[3], 1e6);
    ck_assert(isnan(f.std_error[3]));
    fit_fini(&f);
    fit_fini(&g);
}
END_TEST

START_TEST(poisson_with_offset_equals_glm)
{
    struct fit f;

    fit_row(&f, "fitter = glm\nfamily = poisson\n", "count ~ x1 + offset(x2)");
    for (size_t j = 0; j < 2; j++)
        near(f.estimate[j], glm_offset[j], 1e-9);
    fit_fini(&f);
}
END_TEST

START_TEST(wrong_responses_are_named)
{
    static const struct {
        const char *family, *formula, *says;
    } row[] = {
        {"gamma", "count ~ x1", "family gamma takes numbers above 0"},
        {"negbinomial", "y ~ x1", "family negbinomial takes whole numbers"},
        {"negbinomial", "I(0*count) ~ x1", "is 0 in all 40 complete rows"},
    };
    char text[64];
    struct fit f;

    snprintf(text, sizeof(text), "fitter = glm\nfamily = %s\n", row[_i].family);
    ck_assert_int_eq(fit_over(&f, text, row[_i].formula, &data), ENS_EDOMAIN);
    ck_assert_msg(strstr(f.err.text, row[_i].says) != NULL, "%s", f.err.text);
    fit_fini(&f);
}
END_TEST

/* -- normal inverse gamma ---------------------------------------------------
 */

START_TEST(posterior_equals_its_closed_form)
{
    struct fit f;

    fit_row(&f, "fitter = normal_inverse_gamma\n", "y ~ x1 + x2");
    same(&f, nig_flat, 4, 1e-10);
    fit_fini(&f);
    fit_row(&f,
            "fitter = normal_inverse_gamma\nprior_mean = 1 -1 0.5\n"
            "prior_precision = 7\na0 = 3\nb0 = 2\nlevel = 0.8\n",
            "y ~ x1 + x2");
    same(&f, nig_prior, 4, 1e-10);
    fit_fini(&f);
}
END_TEST

struct ens_result {
    struct ens_arena arena;
    struct ens_rng rng;
};

static void *task_alloc(struct ens_result *r, size_t n, size_t size)
{
    return ens_arena_alloc(&r->arena, n, size);
}

static struct ens_rng *task_rng(struct ens_result *r, const char *purpose)
{
    ck_assert_str_eq(purpose, "fit");
    return &r->rng;
}

/* Means, sds and limits of many draws are those in closed form. */
START_TEST(draws_are_of_the_posterior)
{
    enum { N = 40000 };
    struct ens_host host = ens_host;
    struct ens_result result = {.arena = ENS_ARENA_INIT};
    struct ens_job job = {&host, &result, NULL, NULL};
    struct fit f;

    host.alloc = task_alloc;
    host.rng = task_rng;
    ens_rng_set(&result.rng, 1, 2, 3, 4);
    fit_job = &job;
    fit_row(&f,
            "fitter = normal_inverse_gamma\nprior_mean = 1 -1 0.5\n"
            "prior_precision = 7\na0 = 3\nb0 = 2\nlevel = 0.8\n"
            "draws = 40000\n",
            "y ~ x1 + x2");
    fit_job = NULL;
    ck_assert_uint_eq(f.r.draws.n_draws, N);
    ck_assert(f.r.draws.independent);
    same(&f, nig_prior, 4, 1e-10);
    for (size_t j = 0; j < 4; j++) {
        const double *v = f.r.draws.value + j * N;
        double mean = 0, square = 0, inside = 0, z;

        for (size_t i = 0; i < N; i++) {
            z = (v[i] - f.estimate[j]) / f.std_error[j];
            mean += z / N;
            square += z * z / N;
            inside += v[i] > f.low[j] && v[i] < f.high[j];
        }
        ck_assert_double_lt(fabs(mean) * 200, 4.5); /* sqrt(N) */
        ck_assert_double_lt(fabs(square - 1) * 200 / 1.6, 4.5);
        ck_assert_double_lt(fabs(inside / N - 0.8) * 200 / 0.4, 4.5);
    }
    ens_arena_fini(&result.arena);
    fit_fini(&f);
}
END_TEST

/* -- what cannot be fitted --------------------------------------------------
 */

START_TEST(degenerate_data_are_outcomes)
{
    static const struct {
        const char *row, *formula, *says; /* says NULL: a fit */
    } row[] = {
        {"fitter = ols\n", "y ~ x1 + I(2*x1)", "'I(2 * x1)' is aliased"},
        {"fitter = glm\nfamily = gamma\n", "positive ~ x1 + I(2*x1)",
         "'I(2 * x1)' is aliased"},
        {"fitter = glm\nfamily = negbinomial\n", "count ~ x1 + I(2*x1)",
         "'I(2 * x1)' is aliased"},
        {"fitter = ridge\n", "y ~ x1 + I(2*x1)", NULL},
        {"fitter = normal_inverse_gamma\n", "y ~ x1 + I(2*x1)", NULL},
        {"fitter = normal_inverse_gamma\n", "I(0*y) ~ x1 + x2", NULL},
        {"fitter = ridge\n", "I(0*y) ~ x1 + x2", NULL},
        {"fitter = ols\n", "I(0*y) ~ x1 + x2", NULL},
        {"fitter = glm\nfamily = gamma\n", "I(1 + 0*y) ~ x1 + x2", NULL},
        {"fitter = normal_inverse_gamma\nb0 = 0\n", "I(0*y) ~ x1 + x2",
         "the posterior is improper"},
    };
    struct fit f;
    enum ens_status s = fit_over(&f, row[_i].row, row[_i].formula, &data);

    if (row[_i].says == NULL) {
        ck_assert_msg(s == ENS_OK, "%s", f.err.text);
        for (size_t j = 0; j < f.design.n_columns; j++) {
            ck_assert(isfinite(f.estimate[j]) && isfinite(f.std_error[j]));
            ck_assert(isfinite(f.low[j]) && isfinite(f.high[j]));
        }
    } else {
        ck_assert_int_eq(s, ENS_EDOMAIN);
        ck_assert_msg(strstr(f.err.text, row[_i].says) != NULL, "%s",
                      f.err.text);
    }
    fit_fini(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("models");
    TCase *c = tcase_create("models");
    SRunner *r;
    int failed;

    tcase_add_test(c, ridge_equals_its_definition);
    tcase_add_test(c, scaled_ridge_equals_lm_ridge);
    tcase_add_test(c, ridge_without_penalty_is_ols);
    tcase_add_test(c, ridge_takes_fewer_rows_than_terms);
    tcase_add_test(c, gamma_equals_glm_and_gamma_shape);
    tcase_add_loop_test(c, negbinomial_equals_glm_nb, 0, 2);
    tcase_add_test(c, counts_without_overdispersion_are_warned_of);
    tcase_add_test(c, poisson_with_offset_equals_glm);
    tcase_add_loop_test(c, wrong_responses_are_named, 0, 3);
    tcase_add_test(c, posterior_equals_its_closed_form);
    tcase_add_test(c, draws_are_of_the_posterior);
    tcase_add_loop_test(c, degenerate_data_are_outcomes, 0, 10);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
