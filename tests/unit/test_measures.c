/* Measures of kind simulation: bias, coverage and their errors. */
#include "simulation_fixture.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    char estimand[32], measure[32];
    double value, mcse;
    uint64_t n_used, n_missing;
};

struct rows {
    size_t n;
    struct row row[64];
};

static enum ens_status keep(void *arg, const struct ens_measure *m,
                            struct ens_error *err)
{
    struct rows *all = arg;
    struct row *r = &all->row[all->n++];

    (void)err;
    ck_assert_uint_le(all->n, 64);
    snprintf(r->estimand, sizeof(r->estimand), "%s", m->estimand);
    snprintf(r->measure, sizeof(r->measure), "%s", m->measure);
    r->value = m->value;
    r->mcse = m->mcse;
    r->n_used = m->n_used;
    r->n_missing = m->n_missing;
    return ENS_OK;
}

static void measure(struct fixture *x, uint64_t cell, const double *values,
                    const enum ens_outcome *status, size_t n, uint32_t schema,
                    struct rows *rows)
{
    struct ens_records in = {.schema = x->plan.schemas.item[schema],
                             .values = values,
                             .status = status,
                             .n = n};
    struct ens_cell c;

    rows->n = 0;
    ens_study_cell(x->study, cell, &c);
    ck_assert_int_eq(ens_kind_simulation.measures(&x->host, &x->plan, &c, &in,
                                                  keep, rows, &x->err),
                     ENS_OK);
}

static const struct row *find(const struct rows *rows, const char *estimand,
                              const char *measure)
{
    for (size_t i = 0; i < rows->n; i++)
        if (strcmp(rows->row[i].estimand, estimand) == 0 &&
            strcmp(rows->row[i].measure, measure) == 0)
            return &rows->row[i];
    return NULL;
}

static void check(const struct rows *rows, const char *estimand,
                  const char *measure, double value, double mcse,
                  uint64_t n_used, uint64_t n_missing)
{
    const struct row *r = find(rows, estimand, measure);

    ck_assert_msg(r != NULL, "%s %s", estimand, measure);
    ck_assert_msg(fabs(r->value - value) < 1e-12 &&
                      fabs(r->mcse - mcse) < 1e-12,
                  "%s %s: %.17g %.17g", estimand, measure, r->value, r->mcse);
    ck_assert_uint_eq(r->n_used, n_used);
    ck_assert_uint_eq(r->n_missing, n_missing);
}

/* Estimates 1 2 2 4 of a truth of 2, standard errors 1 1 2 1; in R:
 *   e <- c(1,2,2,4); s <- c(1,1,2,1); d <- (e-2)^2; n <- 4
 *   mean(e); sd(e)/sqrt(n); sd(e); sd(e)/sqrt(2*(n-1)); m <- sqrt(mean(s^2))
 *   m; sqrt(var(s^2)/(4*n*m^2)); mean(e)-2; sqrt(mean(d))
 *   sqrt(sum((d-mean(d))^2)/(n*(n-1)))/(2*sqrt(mean(d))) */
START_TEST(measures_are_those_of_morris_et_al)
{
    static const double v[6][10] = {
        {1, 1, 1, 1, 0, 0, 3, 3, 1, 2},   /* x1: 0 < 2 < 3 holds */
        {1, 2, 1, 1, 0, 0, 3, 1.5, 1, 2}, /* does not */
        {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN},
        {1, 2, 1, 2, 0, 0, 3, 3, 1, 2},
        {1, 4, 1, 1, 0, 2, 3, 3, 1, 2}, /* its end counts */
        {1, 4, 1, 1, 0, 2, 3, 3, 1, 2}, /* but this one failed */
    };
    static const enum ens_outcome status[6] = {ENS_TASK_OK, ENS_TASK_OK,
                                               ENS_TASK_OK, ENS_TASK_OK,
                                               ENS_TASK_OK, ENS_TASK_TIMEOUT};
    struct fixture x;
    struct rows rows;

    ck_assert_int_eq(begin(&x, two_by_three, NULL), ENS_OK);
    measure(&x, 1, &v[0][0], status, 6, 1, &rows);
    ck_assert_uint_eq(rows.n, 12);
    check(&rows, "x1", "mean", 2.25, 0.62915286960589578, 4, 2);
    check(&rows, "x1", "sd", 1.2583057392117916, 0.51370116691408148, 4, 2);
    check(&rows, "x1", "model_se", 1.3228756555322954, 0.28347335475692041, 4,
          2);
    check(&rows, "x1", "bias", 0.25, 0.62915286960589578, 4, 2);
    check(&rows, "x1", "rmse", 1.1180339887498949, 0.42328083664000976, 4, 2);
    check(&rows, "x1", "coverage", 0.75, sqrt(0.75 * 0.25 / 4), 4, 2);
    end(&x);
}
END_TEST

START_TEST(all_missing_is_said_not_computed)
{
    static const double v[2][10] = {{0}};
    static const enum ens_outcome status[2] = {ENS_TASK_FAILED,
                                               ENS_TASK_CRASHED};
    struct fixture x;
    struct rows rows;

    ck_assert_int_eq(begin(&x, two_by_three, NULL), ENS_OK);
    measure(&x, 1, &v[0][0], status, 2, 1, &rows);
    ck_assert_uint_eq(rows.n, 12);
    for (size_t i = 0; i < rows.n; i++) {
        ck_assert(isnan(rows.row[i].value) && isnan(rows.row[i].mcse));
        ck_assert_uint_eq(rows.row[i].n_used, 0);
        ck_assert_uint_eq(rows.row[i].n_missing, 2);
    }
    end(&x);
}
END_TEST

/* 300 replicates: bias within 4 Monte Carlo errors, coverage and standard
 * errors as they should be for a model that is true. */
START_TEST(a_true_model_is_unbiased_and_covers)
{
    static const char text[] =
        HEAD "[data]\ngenerator = linear\nn = 20\nintercept = 1\n"
             "slope = 2 0.5\nsigma = 3\n"
             "[fit]\nfitter = ols\nformula = y ~ x1 + x2\n"
             "[metrics]\nuse = bias, coverage, coverage(level=0.5)\n";
    static double v[300][15];
    static const char *const term[] = {"intercept", "x1", "x2"};
    struct fixture x;
    struct rows rows;

    ck_assert_msg(begin(&x, text, NULL) == ENS_OK, "%s", x.err.text);
    for (uint32_t r = 0; r < 300; r++) {
        struct ens_result result;

        ck_assert_int_eq(run(&x, 0, r + 1, &result), ENS_OK);
        memcpy(v[r], result.value, sizeof(v[r]));
    }
    measure(&x, 0, &v[0][0], NULL, 300, 0, &rows);
    for (size_t j = 0; j < 3; j++) {
        const struct row *bias = find(&rows, term[j], "bias");
        const struct row *sd = find(&rows, term[j], "sd");
        const struct row *se = find(&rows, term[j], "model_se");
        const struct row *c95 = find(&rows, term[j], "coverage");
        const struct row *c50 = find(&rows, term[j], "coverage_0.5");

        ck_assert(find(&rows, term[j], "rmse") == NULL);
        ck_assert(fabs(bias->value) < 4 * bias->mcse);
        ck_assert(fabs(sd->value - se->value) < 4 * (sd->mcse + se->mcse));
        ck_assert(fabs(c95->value - 0.95) < 4 * sqrt(0.95 * 0.05 / 300));
        ck_assert(fabs(c50->value - 0.5) < 4 * sqrt(0.25 / 300));
    }
    end(&x);
}
END_TEST

START_TEST(no_truth_no_bias)
{
    /* log(y) is not what the truths are of; I(x1^2) has none */
    static const char text[] =
        HEAD "[data]\ngenerator = linear\nintercept = 100\n"
             "[fit a]\nfitter = ols\nformula = log(y) ~ x1\n"
             "[fit b]\nfitter = ols\nformula = y ~ x1 + I(x1^2)\n";
    static const double v[3][14] = {{1, 2, 3}, {2, 3, 4}, {3, 4, 5}};
    struct fixture x;
    struct rows rows;

    ck_assert_msg(begin(&x, text, NULL) == ENS_OK, "%s", x.err.text);
    measure(&x, 0, &v[0][0], NULL, 3, 0, &rows);
    ck_assert_uint_eq(rows.n, 6);
    ck_assert(find(&rows, "x1", "bias") == NULL);
    ck_assert(find(&rows, "x1", "sd") != NULL);
    measure(&x, 1, &v[0][0], NULL, 3, 1, &rows);
    ck_assert(find(&rows, "x1", "bias") != NULL);
    ck_assert(find(&rows, "I(x1^2)", "bias") == NULL);
    ck_assert(find(&rows, "I(x1^2)", "model_se") != NULL);
    end(&x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("measures");
    TCase *t = tcase_create("measures");
    SRunner *r;
    int failed;

    tcase_add_test(t, measures_are_those_of_morris_et_al);
    tcase_add_test(t, all_missing_is_said_not_computed);
    tcase_add_test(t, a_true_model_is_unbiased_and_covers);
    tcase_add_test(t, no_truth_no_bias);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
