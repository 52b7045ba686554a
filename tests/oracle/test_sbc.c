/* Calibration ranks: the band's probability against R, tests that hold their
 * level and catch samplers that are wrong. */
#include "mcmc/sbc.h"

#include "base/bug.h"
#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct ens_rng rng;

/* tests/data/diagnostics/sbc.R */
static const struct {
    size_t n, k;
    double conf, gamma, coverage;
} gammas[] = {
    {20, 10, 0.95, 0.020227865417390224, 0.94505566466983748},
    {50, 20, 0.9, 0.016980335415615565, 0.9091792286424748},
    {100, 100, 0.95, 0.0040487024329034192, 0.95053298482252524},
    {100, 100, 0.99, 0.00071581237040328576, 0.98966939177065838},
    {100, 20, 0.95, 0.0073577594273390463, 0.95381763496995775},
    {1000, 100, 0.95, 0.002669831102429267, 0.9499866664466935},
    {250, 51, 0.95, 0.004252266847192614, 0.94986503050173543},
    {1000, 1000, 0.95, 0.0015257154061058588, 0.94986328150823029},
};

START_TEST(coverage_equals_r)
{
    size_t n = gammas[_i].n, k = gammas[_i].k;
    double *work = calloc(ens_sbc_work(n, k), sizeof(*work));
    double conf = gammas[_i].conf, gamma, p;

    p = ens_sbc_coverage(n, k, gammas[_i].gamma, work);
    ck_assert_msg(fabs(p - gammas[_i].coverage) < 1e-11, "%.17g", p);
    gamma = ens_sbc_gamma(n, k, conf, work);
    /* the last one that has it */
    ck_assert(ens_sbc_coverage(n, k, gamma, work) >= conf);
    ck_assert(ens_sbc_coverage(n, k, gamma * (1 + 1e-6), work) < conf);
    /* the search of the reference stops anywhere on a step, 1.2e-4 away from
     * its end at worst; steps are wide when there are few points */
    ck_assert_msg(fabs(gamma - gammas[_i].gamma) < (k < 100 ? 5e-3 : 2e-4),
                  "%.17g", gamma);
    free(work);
}
END_TEST

/* All ways in which 6 ranks fall below 1/3 and 2/3: 28 cases of 729. */
START_TEST(coverage_is_by_enumeration)
{
    double work[64];
    size_t at[2], low[2], high[2];
    double inside = 0;

    ck_assert_uint_eq(ens_sbc_points(6, 3), 2);
    ens_sbc_band(6, 3, 0.3, at, low, high);
    ck_assert_uint_eq(at[0], 1);
    ck_assert_uint_eq(at[1], 2);
    for (size_t word = 0; word < 729; word++) {
        size_t below[2] = {0, 0}, rest = word;

        for (int i = 0; i < 6; i++, rest /= 3) {
            below[0] += rest % 3 < 1;
            below[1] += rest % 3 < 2;
        }
        inside += below[0] >= low[0] && below[0] <= high[0] &&
                  below[1] >= low[1] && below[1] <= high[1];
    }
    ck_assert(inside > 0 && inside < 729);
    ck_assert(fabs(ens_sbc_coverage(6, 3, 0.3, work) - inside / 729) < 1e-14);
}
END_TEST

START_TEST(nothing_to_see_is_nan)
{
    uint64_t count[4] = {0};
    double work[64];
    struct ens_sbc_ecdf e;
    struct ens_sbc_chi2 c;

    ens_sbc_ecdf(count, 4, &e, work);
    ck_assert(isnan(e.p) && isnan(e.max_diff));
    ens_sbc_chi2(count, 4, 20, &c);
    ck_assert(isnan(c.p));
    count[2] = 1;
    ens_sbc_ecdf(count, 4, &e, work);
    ck_assert(isnan(e.p));
    ck_assert(isnan(ens_sbc_gamma(1, 4, 0.95, work)));
    ck_assert(isnan(ens_sbc_gamma(100, 1, 0.95, work)));
}
END_TEST

START_TEST(chi2_is_by_hand)
{
    /* 5 ranks in 2 bins: of 2 and of 3 */
    static const uint64_t count[5] = {3, 5, 4, 2, 1};
    struct ens_sbc_chi2 c;

    ens_sbc_chi2(count, 5, 2, &c);
    ck_assert(fabs(c.statistic - (4.0 / 6 + 4.0 / 9)) < 1e-14);
    ck_assert(c.df == 1);
    /* R: pchisq(10/9, 1, lower.tail = FALSE) */
    ck_assert(fabs(c.p - 0.29184054514378849) < 1e-12);
}
END_TEST

START_TEST(ranks_are_by_hand)
{
    static const double x[] = {1, 2, 2, 2, 3};

    ck_assert_uint_eq(ens_sbc_rank(x, 5, 1, 0, 0.99), 0);
    ck_assert_uint_eq(ens_sbc_rank(x, 5, 1, 9, 0), 5);
    ck_assert_uint_eq(ens_sbc_rank(x, 5, 1, 2, 0), 1);
    ck_assert_uint_eq(ens_sbc_rank(x, 5, 1, 2, 0.26), 2);
    ck_assert_uint_eq(ens_sbc_rank(x, 5, 1, 2, 0.9999), 4);
    ck_assert_uint_eq(ens_sbc_rank(x, 5, 2, 2.5, 0), 2);
    ck_assert_uint_eq(ens_sbc_kept(5, 2), 3);
    ck_assert_uint_eq(ens_sbc_kept(6, 2), 3);
    ck_assert_uint_eq(ens_sbc_stride(4000, 399), 10);
    ck_assert_uint_eq(ens_sbc_stride(4000, 9000), 1);
    ck_assert_uint_eq(ens_sbc_stride(4000, NAN), 1);
    ck_assert_uint_eq(ens_sbc_stride(4000, 0.5), 4000);
}
END_TEST

START_TEST(rescaled_ranks_stay_uniform)
{
    uint64_t count[7] = {0};
    struct ens_sbc_chi2 c;

    ens_rng_set(&rng, 3, 0, 0, 0);
    for (int i = 0; i < 70000; i++)
        count[ens_sbc_rescale(ens_rng_below(&rng, 10), 10, 7,
                              ens_rng_uniform(&rng))]++;
    ens_sbc_chi2(count, 7, 20, &c);
    ck_assert_msg(c.p > 1e-3, "%g", c.p);
    ck_assert_uint_eq(ens_sbc_rescale(9, 10, 7, 0x1.fffffffffffffp-1), 6);
}
END_TEST

enum sampler { RIGHT, TOO_WIDE, TOO_NARROW, SHIFTED };

/* Truth and draws are normal, but for what is wrong with the sampler. */
static void study(enum sampler sampler, size_t tasks, size_t draws,
                  uint64_t *count)
{
    static const double scale[] = {1, 1.4, 0.7, 1};
    double x[200];

    memset(count, 0, (draws + 1) * sizeof(*count));
    for (size_t t = 0; t < tasks; t++) {
        for (size_t i = 0; i < draws; i++)
            x[i] = scale[sampler] * ens_rng_normal(&rng) +
                   0.3 * (sampler == SHIFTED);
        count[ens_sbc_rank(x, draws, 1, ens_rng_normal(&rng),
                           ens_rng_uniform(&rng))]++;
    }
}

/* Both tests reject at most as often as they say. */
START_TEST(right_sampler_passes)
{
    uint64_t count[64];
    double work[1024];
    size_t rejected[2] = {0, 0};

    ens_rng_set(&rng, 11, 0, 0, 0);
    for (int i = 0; i < 1000; i++) {
        struct ens_sbc_ecdf e;
        struct ens_sbc_chi2 c;

        study(RIGHT, 100, 63, count);
        ens_sbc_ecdf(count, 64, &e, work);
        ens_sbc_chi2(count, 64, 20, &c);
        rejected[0] += e.p <= 0.05;
        rejected[1] += c.p <= 0.05;
    }
    /* 50 expected, sd 7; far fewer would be a test that sees nothing */
    for (int i = 0; i < 2; i++)
        ck_assert_msg(rejected[i] >= 25 && rejected[i] <= 75, "%d: %zu", i,
                      rejected[i]);
}
END_TEST

START_TEST(wrong_samplers_are_caught)
{
    static const enum sampler wrong[] = {TOO_WIDE, TOO_NARROW, SHIFTED};
    uint64_t count[100];
    double work[4096];
    struct ens_sbc_ecdf e;
    struct ens_sbc_chi2 c;

    ens_rng_set(&rng, 12, (uint64_t)_i, 0, 0);
    study(wrong[_i], 500, 99, count);
    ens_sbc_ecdf(count, 100, &e, work);
    ens_sbc_chi2(count, 100, 20, &c);
    ck_assert_msg(e.p < 1e-3 && c.p < 1e-3, "%g %g", e.p, c.p);
    ck_assert(e.max_diff > 0.05 && e.at > 0 && e.at < 1);
}
END_TEST

/* p <= 1 - conf just where the ECDF leaves the band. */
START_TEST(p_agrees_with_the_band)
{
    uint64_t count[40];
    double work[1024], gamma = ens_sbc_gamma(60, 40, 0.8, work);
    size_t at[39], low[39], high[39], outside = 0;

    ck_assert_uint_eq(ens_sbc_points(60, 40), 39);
    ens_sbc_band(60, 40, gamma, at, low, high);
    ens_rng_set(&rng, 13, 0, 0, 0);
    for (int i = 0; i < 200; i++) {
        struct ens_sbc_ecdf e;
        size_t c = 0;
        int left = 0;

        study(RIGHT, 60, 39, count);
        for (size_t k = 0; k < 39; k++) {
            c += count[k];
            left |= c < low[k] || c > high[k];
        }
        ens_sbc_ecdf(count, 40, &e, work);
        ck_assert_int_eq(left, e.p <= 0.2);
        outside += (size_t)left;
    }
    ck_assert(outside > 15 && outside < 65);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sbc");
    TCase *t = tcase_create("sbc");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, coverage_equals_r, 0, ENS_COUNT(gammas));
    tcase_add_test(t, coverage_is_by_enumeration);
    tcase_add_test(t, nothing_to_see_is_nan);
    tcase_add_test(t, chi2_is_by_hand);
    tcase_add_test(t, ranks_are_by_hand);
    tcase_add_test(t, rescaled_ranks_stay_uniform);
    tcase_add_test(t, right_sampler_passes);
    tcase_add_loop_test(t, wrong_samplers_are_caught, 0, 3);
    tcase_add_test(t, p_agrees_with_the_band);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
