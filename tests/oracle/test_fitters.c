/* Fitters against R 4.2.2 and NIST, at the edges: ill-conditioned, aliased,
 * separated, missing, weights at the ends. Numbers made by
 *   options(digits = 17); summary(lm(...))$coef; summary(glm(...))$coef
 * with the formulas given. */
#include "../fit.h"

#include "base/bug.h"

#include <math.h>

static double relative(double a, double b)
{
    return fabs(a - b) / fabs(b);
}

/* Longley (1967), as R's data set `longley`. */
static const double longley[7][16] = {
    {83, 88.5, 88.2, 89.5, 96.2, 98.1, 99, 100, 101.2, 104.6, 108.4, 110.8,
     112.6, 114.2, 115.7, 116.9},
    {234.289, 259.426, 258.054, 284.599, 328.975, 346.999, 365.385, 363.112,
     397.469, 419.18, 442.769, 444.546, 482.704, 502.601, 518.173, 554.894},
    {235.6, 232.5, 368.2, 335.1, 209.9, 193.2, 187, 357.8, 290.4, 282.2, 293.6,
     468.1, 381.3, 393.1, 480.6, 400.7},
    {159, 145.6, 161.6, 165, 309.9, 359.4, 354.7, 335, 304.8, 285.7, 279.8,
     263.7, 255.2, 251.4, 257.2, 282.7},
    {107.608, 108.632, 109.773, 110.929, 112.075, 113.27, 115.094, 116.219,
     117.388, 118.734, 120.445, 121.95, 123.366, 125.368, 127.852, 130.081},
    {1947, 1948, 1949, 1950, 1951, 1952, 1953, 1954, 1955, 1956, 1957, 1958,
     1959, 1960, 1961, 1962},
    {60.323, 61.122, 60.171, 61.187, 63.221, 63.639, 64.989, 63.761, 66.019,
     67.857, 68.169, 66.513, 68.655, 69.564, 69.331, 70.551},
};
static const char *const longley_name[] = {
    "GNP.deflator", "GNP",  "Unemployed", "Armed.Forces",
    "Population",   "Year", "Employed"};
/* NIST StRD, Longley: certified values, in the units of R's columns. */
static const double certified[7][2] = {
    {-3482.25863459582, 890.420383607373},
    {0.0150618722713733, 0.0849149257747669},
    {-0.0358191792925910, 0.0334910077722432},
    {-0.0202022980381683, 0.00488399681651699},
    {-0.0103322686717359, 0.00214274163161675},
    {-0.0511041056535807, 0.226073200069370},
    {1.82915146461355, 0.455478499142212},
};

static struct ens_data table(const double *values, size_t n, size_t p,
                             const char *const *name,
                             struct ens_data_column *column)
{
    for (size_t j = 0; j < p; j++)
        column[j] = (struct ens_data_column){.values = values + j * n};
    return (struct ens_data){n, p, name, column, NULL};
}

START_TEST(longley_has_its_certified_values)
{
    struct ens_data_column column[7];
    struct ens_data data = table(&longley[0][0], 16, 7, longley_name, column);
    struct fit f;

    ck_assert_msg(fit_run(&f, _i ? &ens_fitter_glm : &ens_fitter_ols, 1,
                          "Employed ~ GNP.deflator + GNP + Unemployed + "
                          "Armed.Forces + Population + Year",
                          &data) == ENS_OK,
                  "%s", f.err.text);
    for (size_t j = 0; j < 7; j++) {
        ck_assert(relative(f.estimate[j], certified[j][0]) < 1e-9);
        ck_assert(relative(f.std_error[j], certified[j][1]) < 1e-9);
    }
    ck_assert(relative(f.r.sigma, 0.304854073561965) < 1e-10);
    /* confint(lm(...)): t with 9 degrees of freedom */
    ck_assert(relative(f.low[6], 0.79878751527841474) < 1e-9);
    ck_assert(relative(f.high[6], 2.8595154139486834) < 1e-9);
    fit_fini(&f);
}
END_TEST

START_TEST(no_intercept_equals_r)
{
    struct ens_data_column column[7];
    struct ens_data data = table(&longley[0][0], 16, 7, longley_name, column);
    struct fit f;

    ck_assert_int_eq(
        fit_run(&f, &ens_fitter_ols, 1, "Employed ~ 0 + GNP + I(GNP^2)", &data),
        ENS_OK);
    ck_assert(relative(f.estimate[0], 0.30969652940987430) < 1e-11);
    ck_assert(relative(f.estimate[1], -0.00034419748154436718) < 1e-11);
    ck_assert(relative(f.std_error[0], 0.0099149026321710149) < 1e-11);
    ck_assert(relative(f.std_error[1], 2.2443491140433368e-05) < 1e-11);
    fit_fini(&f);
}
END_TEST

static const char *const xy[] = {"x", "y"};
static const double eight[2][8] = {{1, 2, 3, 4, 5, 6, 7, 8},
                                   {0, 0, 1, 0, 1, 1, 0, 1}};

START_TEST(small_logit_equals_r)
{
    struct ens_data_column column[2];
    struct ens_data data = table(&eight[0][0], 8, 2, xy, column);
    struct fit f;

    ck_assert_int_eq(fit_run(&f, &ens_fitter_glm, 0, "y ~ x", &data), ENS_OK);
    ck_assert(relative(f.estimate[0], -1.94940664496926042) < 1e-10);
    ck_assert(relative(f.estimate[1], 0.43320147665983572) < 1e-10);
    ck_assert(relative(f.std_error[0], 1.86108616086248890) < 1e-10);
    ck_assert(relative(f.std_error[1], 0.37486556485585437) < 1e-10);
    ck_assert(relative(f.r.deviance, 9.4692387155598947) < 1e-12);
    ck_assert_int_eq(f.r.iterations, 4);
    ck_assert_uint_eq(f.r.n_warnings, 0);
    fit_fini(&f);
}
END_TEST

/* Perfect separation: R stops at iteration 25 with the same warning. */
START_TEST(separation_is_warned_of_as_in_r)
{
    static const double v[2][6] = {{1, 2, 3, 4, 5, 6}, {0, 0, 0, 1, 1, 1}};
    struct ens_data_column column[2];
    struct ens_data data = table(&v[0][0], 6, 2, xy, column);
    struct fit f;

    ck_assert_int_eq(fit_run(&f, &ens_fitter_glm, 0, "y ~ x", &data), ENS_OK);
    ck_assert_int_eq(f.r.iterations, 25);
    ck_assert_uint_eq(f.r.n_warnings, 1);
    ck_assert_str_eq(f.r.warning[0],
                     "fitted probabilities numerically 0 or 1 occurred");
    /* the likelihood is flat to 1e-10 here: digits are lost by any method */
    ck_assert(relative(f.estimate[1], 47.23366528639265) < 1e-4);
    ck_assert(relative(f.std_error[1], 115264.41295364074) < 1e-2);
    fit_fini(&f);
}
END_TEST

START_TEST(constant_response_ends_as_in_r)
{
    static const double v[2][8] = {{1, 2, 3, 4, 5, 6, 7, 8},
                                   {1, 1, 1, 1, 1, 1, 1, 1}};
    struct ens_data_column column[2];
    struct ens_data data = table(&v[0][0], 8, 2, xy, column);
    struct fit f;

    ck_assert_int_eq(fit_run(&f, &ens_fitter_glm, 0, "y ~ x", &data), ENS_OK);
    ck_assert_int_eq(f.r.iterations, 23);
    /* 1 - mu is 1e-11 here: it has five digits, in R too (its slope, which
     * is 0 by symmetry, is -2e-10) */
    ck_assert(relative(f.estimate[0], 24.566069710800299) < 1e-6);
    ck_assert(relative(f.std_error[0], 102082.773910474032) < 1e-5);
    fit_fini(&f);
}
END_TEST

START_TEST(aliased_terms_are_named)
{
    struct ens_data_column column[7];
    struct ens_data data = table(&longley[0][0], 16, 7, longley_name, column);
    struct fit f;

    ck_assert_int_eq(fit_run(&f, &ens_fitter_ols, 1,
                             "Employed ~ GNP + I(2*GNP + 1) + Year", &data),
                     ENS_EDOMAIN);
    ck_assert_str_eq(f.err.text,
                     "term 'I(2 * GNP + 1)' is aliased: a linear combination "
                     "of the terms before it");
    fit_fini(&f);
    data = table(&eight[0][0], 8, 2, xy, column);
    ck_assert_int_eq(fit_run(&f, &ens_fitter_glm, 0, "y ~ x + I(x/3)", &data),
                     ENS_EDOMAIN);
    ck_assert(strstr(f.err.text, "term 'I(x/3)' is aliased") != NULL);
    fit_fini(&f);
    ck_assert_int_eq(fit_run(&f, &ens_fitter_ols, 1, "y ~ 0 + I(x*0)", &data),
                     ENS_EDOMAIN);
    ck_assert(strstr(f.err.text, "term 'I(x * 0)' is aliased") != NULL);
    fit_fini(&f);
}
END_TEST

START_TEST(too_few_rows_is_an_outcome)
{
    struct ens_data_column column[2];
    struct ens_data data = table(&eight[0][0], 8, 2, xy, column);
    struct fit f;

    data.n = 1;
    ck_assert_int_eq(fit_run(&f, &ens_fitter_ols, 1, "y ~ x", &data),
                     ENS_EDOMAIN);
    ck_assert_str_eq(f.err.text, "1 complete rows for 2 terms");
    fit_fini(&f);
    data.n = 2; /* exact fit: estimates, but nothing to tell their error */
    ck_assert_int_eq(fit_run(&f, &ens_fitter_ols, 1, "y ~ x", &data), ENS_OK);
    ck_assert(isnan(f.std_error[0]) && isnan(f.low[1]));
    ck_assert(fabs(f.estimate[1]) < 1e-15);
    ck_assert_str_eq(f.r.warning[0], "no residual degrees of freedom");
    fit_fini(&f);
}
END_TEST

START_TEST(missing_rows_are_left_out)
{
    /* the eight rows, with incomplete ones between them */
    static const double v[2][11] = {
        {NAN, 1, 2, 3, 4, INFINITY, 5, 6, 7, 8, NAN},
        {1, 0, 0, 1, 0, NAN, 1, 1, 0, 1, NAN}};
    struct ens_data_column column[2];
    struct ens_data data = table(&v[0][0], 11, 2, xy, column);
    struct fit f, g;

    ck_assert_int_eq(fit_run(&f, &ens_fitter_glm, 0, "y ~ x", &data), ENS_OK);
    data = table(&eight[0][0], 8, 2, xy, column);
    ck_assert_int_eq(fit_run(&g, &ens_fitter_glm, 0, "y ~ x", &data), ENS_OK);
    ck_assert_uint_eq(f.n, 8);
    ck_assert(memcmp(f.estimate, g.estimate, sizeof(f.estimate)) == 0);
    ck_assert(memcmp(f.cov, g.cov, sizeof(f.cov)) == 0);
    fit_fini(&f);
    fit_fini(&g);
}
END_TEST

START_TEST(infinite_values_and_wrong_responses_are_named)
{
    struct ens_data_column column[2];
    struct ens_data data = table(&eight[0][0], 8, 2, xy, column);
    struct fit f;

    ck_assert_int_eq(fit_run(&f, &ens_fitter_ols, 1, "y ~ I(1/(x-3))", &data),
                     ENS_EDOMAIN);
    ck_assert_str_eq(f.err.text, "row 3: I(1/(x - 3)) is inf");
    fit_fini(&f);
    ck_assert_int_eq(fit_run(&f, &ens_fitter_glm, 0, "x ~ y", &data),
                     ENS_EDOMAIN);
    ck_assert_str_eq(f.err.text,
                     "x is 2 in complete row 2; family binomial takes 0 or 1");
    fit_fini(&f);
}
END_TEST

START_TEST(overflow_is_an_outcome)
{
    struct ens_data_column column[2];
    struct ens_data data = table(&eight[0][0], 8, 2, xy, column);
    struct fit f;

    ck_assert_int_eq(
        fit_run(&f, &ens_fitter_ols, 1, "I(y*1e200) ~ I(x*1e160)", &data),
        ENS_EDOMAIN);
    ck_assert_str_eq(f.err.text,
                     "estimate of 'intercept' is not finite: the values are "
                     "too large");
    fit_fini(&f);
}
END_TEST

START_TEST(rows_come_through_the_index)
{
    static const uint64_t index[] = {7, 6, 5, 4, 3, 2, 1, 0,
                                     0, 1, 2, 3, 4, 5, 6, 7};
    static double twice[2][16];
    struct ens_data_column column[2], plain_column[2];
    struct ens_data data = table(&eight[0][0], 8, 2, xy, column);
    struct ens_data plain = table(&twice[0][0], 16, 2, xy, plain_column);
    struct fit f, g;

    for (size_t j = 0; j < 2; j++)
        for (size_t i = 0; i < 16; i++)
            twice[j][i] = eight[j][index[i]];
    data.n = 16;
    data.index = index;
    ck_assert_int_eq(fit_run(&f, &ens_fitter_ols, 1, "y ~ log(x)", &data),
                     ENS_OK);
    ck_assert_int_eq(fit_run(&g, &ens_fitter_ols, 1, "y ~ log(x)", &plain),
                     ENS_OK);
    ck_assert(memcmp(f.estimate, g.estimate, sizeof(f.estimate)) == 0);
    fit_fini(&f);
    fit_fini(&g);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fitters");
    TCase *t = tcase_create("fitters");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, longley_has_its_certified_values, 0, 2);
    tcase_add_test(t, no_intercept_equals_r);
    tcase_add_test(t, small_logit_equals_r);
    tcase_add_test(t, separation_is_warned_of_as_in_r);
    tcase_add_test(t, constant_response_ends_as_in_r);
    tcase_add_test(t, aliased_terms_are_named);
    tcase_add_test(t, too_few_rows_is_an_outcome);
    tcase_add_test(t, missing_rows_are_left_out);
    tcase_add_test(t, infinite_values_and_wrong_responses_are_named);
    tcase_add_test(t, overflow_is_an_outcome);
    tcase_add_test(t, rows_come_through_the_index);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
