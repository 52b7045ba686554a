/* PSIS-LOO against the R package loo 2.5.1
 * (tests/data/diagnostics/golden.json and loo.R). */
#include "base/bug.h"
#include "math/order.h"
#include "math/rng.h"
#include "mcmc/chains.h"
#include "mcmc/loo.h"
#include "mcmc/psis.h"

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#define S         1000
#define N         5
#define TOLERANCE 1e-10

static json_t *all;
static const json_t *golden;
static double ll[N][S], lw[N][S], work[8 * S];
static struct ens_loo_point point[N];

static void setup(void)
{
    const json_t *rows;

    all = json_load_file(TEST_DATA "/diagnostics/golden.json", 0, NULL);
    golden = json_object_get(all, "loo");
    rows = json_object_get(golden, "ll");
    ck_assert_uint_eq(json_array_size(rows), S);
    ck_assert_uint_le(ens_loo_work(S), ENS_COUNT(work));
    for (size_t i = 0; i < N; i++) {
        for (size_t s = 0; s < S; s++)
            ll[i][s] =
                json_number_value(json_array_get(json_array_get(rows, s), i));
        ens_loo_point(ll[i], S, 0.8, lw[i], point + i, work);
    }
}

static void teardown(void)
{
    json_decref(all);
}

static void check_near(double a, double b, const char *what)
{
    ck_assert_msg(fabs(a - b) <= TOLERANCE * fabs(b),
                  "%s: %.17g, expected %.17g", what, a, b);
}

static double entry(const char *name, size_t i)
{
    return json_number_value(json_array_get(json_object_get(golden, name), i));
}

static double estimate(const char *name, size_t row, size_t column)
{
    return json_number_value(json_array_get(
        json_array_get(json_object_get(golden, name), row), column));
}

START_TEST(points_equal_loo)
{
    for (size_t i = 0; i < N; i++) {
        check_near(point[i].k, entry("pareto_k", i), "k");
        check_near(point[i].n_eff, entry("n_eff", i), "n_eff");
        check_near(point[i].elpd, entry("elpd", i), "elpd");
        check_near(point[i].p, entry("p_loo", i), "p");
    }
    for (size_t s = 0; s < 10; s++)
        check_near(exp(lw[4][s]), entry("w_col5_first10", s), "weight");
}
END_TEST

START_TEST(totals_equal_loo)
{
    struct ens_loo_sums loo;

    ens_loo_total(point, N, S, &loo);
    check_near(loo.elpd, estimate("estimates", 0, 0), "elpd");
    check_near(loo.elpd_se, estimate("estimates", 0, 1), "elpd se");
    check_near(loo.p, estimate("estimates", 1, 0), "p");
    check_near(loo.p_se, estimate("estimates", 1, 1), "p se");
    check_near(loo.k_max, entry("pareto_k", 4), "k max");
    check_near(loo.k_threshold, 1 - 1.0 / 3, "threshold");
    ck_assert_uint_eq(loo.n_high, 1);
    ck_assert(isnan(loo.mcse));
}
END_TEST

START_TEST(weighted_draws_equal_loo)
{
    /* loo.R: mean, variance, quantiles of x */
    static const double expected[N][5] = {
        {5.6986807441822585, 8.0305404020243767, 1.3999999999999999,
         5.6206988211654556, 10.199999999999999},
        {6.6819385629847776, 8.2279851850811987, 2.2999999999999998,
         6.5999999999999996, 11.104106983664188},
        {7.6027783667181685, 7.2538861270843258, 3.3999999999999999,
         7.5999999999999996, 12.1},
        {9.04276950343829, 7.8257165609424932, 4.6432755893809352,
         9.4000000000000004, 13.199999999999999},
        {9.7611702648848198, 8.4520869857604115, 6.9000000000000004,
         8.1863835432313632, 14.5},
    };
    static const double p[] = {0.05, 0.5, 0.95};
    double x[S];

    for (size_t i = 0; i < N; i++) {
        for (size_t s = 0; s < S; s++)
            x[s] = (double)((s + 1) % 97) / 10 + (double)(i + 1);
        check_near(ens_weighted_mean(x, lw[i], S), expected[i][0], "mean");
        check_near(ens_weighted_var(x, lw[i], S), expected[i][1], "var");
        for (size_t k = 0; k < 3; k++)
            check_near(ens_weighted_quantile(x, lw[i], S, p[k], work),
                       expected[i][2 + k], "quantile");
    }
}
END_TEST

START_TEST(same_weights_are_none)
{
    double x[S], w[S];

    for (size_t s = 0; s < S; s++) {
        x[s] = (double)(s * 7 % S);
        w[s] = -log(S);
    }
    ck_assert(ens_weighted_quantile(x, w, S, 0.25, work) == 249.75);
    check_near(ens_weighted_mean(x, w, S), 499.5, "mean");
    check_near(ens_weighted_var(x, w, S), S * (S + 1) / 12.0, "var");
    check_near(ens_psis_n_eff(w, S, 1), S, "n_eff");
}
END_TEST

/* Standard error of elpd: against its spread over draws made anew. */
START_TEST(mcse_is_that_of_repetition)
{
    struct ens_rng g;
    double sum = 0, squares = 0, mcse = 0;

    for (uint64_t r = 0; r < 300; r++) {
        ens_rng_set(&g, 4, r, 0, 0);
        for (size_t s = 0; s < S; s++)
            ll[0][s] = -1 - 0.5 * pow(ens_rng_normal(&g) + 0.5, 2) / 2;
        ens_loo_point(ll[0], S, 1, lw[0], point, work);
        sum += point->elpd;
        squares += point->elpd * point->elpd;
        mcse += point->mcse / 300;
    }
    /* sd of the sd: 4 % */
    ck_assert_msg(fabs(mcse / sqrt((squares - sum * sum / 300) / 299) - 1) <
                      0.15,
                  "%g", mcse);
}
END_TEST

START_TEST(odd_input_has_an_answer)
{
    struct ens_loo_sums loo;
    double v[6] = {-1, -1, -1, -1, -1, -1};

    /* no tail to fit: raw weights */
    ens_loo_point(v, 6, 1, lw[0], point, work);
    ck_assert(isinf(point->k) && fabs(point->elpd + 1) < 1e-15);
    for (size_t s = 0; s < S; s++)
        ll[0][s] = -3;
    ens_loo_point(ll[0], S, 1, lw[0], point, work);
    ck_assert(isinf(point->k) && fabs(point->elpd + 3) < 1e-14);
    ens_loo_point(v, 1, 1, lw[0], point, work);
    ck_assert(point->elpd == -1);
    /* likelihoods far out of the range of a double */
    for (size_t s = 0; s < S; s++)
        ll[0][s] = ll[1][s] - 5000;
    ens_loo_point(ll[0], S, 0.8, lw[0], point, work);
    check_near(point[0].elpd, point[1].elpd - 5000, "shifted");
    ll[0][7] = -INFINITY;
    ens_loo_point(ll[0], S, 1, lw[0], point, work);
    ck_assert(isnan(point->elpd) && isnan(point->k));
    ens_loo_total(point, 2, S, &loo);
    ck_assert(isnan(loo.elpd) && isnan(loo.k_max) && isnan(loo.mcse));
    ens_loo_total(point, 0, S, &loo);
    ck_assert(isnan(loo.elpd) && isnan(loo.k_max));
}
END_TEST

START_TEST(r_eff_is_that_of_likelihoods)
{
    double *own = calloc(ens_chains_work(250, 4), sizeof(*own));
    struct ens_chains c;
    double x[S], share;

    ens_chains_init(&c, 250, 4, own);
    share = ens_loo_r_eff(&c, ll[2], work);
    for (size_t s = 0; s < S; s++)
        x[s] = exp(ll[2][s]);
    ens_chains_set(&c, x);
    check_near(share, ens_chains_ess_mean(&c) / S, "r_eff");
    for (size_t s = 0; s < S; s++)
        x[s] = ll[2][s] - 5000;
    check_near(ens_loo_r_eff(&c, x, work), share, "shifted");
    for (size_t s = 0; s < S; s++)
        x[s] = -2;
    ck_assert(ens_loo_r_eff(&c, x, work) == 1);
    free(own);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("loo");
    TCase *t = tcase_create("loo");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, points_equal_loo);
    tcase_add_test(t, totals_equal_loo);
    tcase_add_test(t, weighted_draws_equal_loo);
    tcase_add_test(t, same_weights_are_none);
    tcase_add_test(t, mcse_is_that_of_repetition);
    tcase_add_test(t, odd_input_has_an_answer);
    tcase_add_test(t, r_eff_is_that_of_likelihoods);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
