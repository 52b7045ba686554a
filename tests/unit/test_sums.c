/* Sums, moments and quantiles. */
#include "math/quantile.h"
#include "math/sums.h"

#include "base/bug.h"
#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static double x[100000], y[100000];

static void fill(size_t n)
{
    struct ens_rng g;

    ens_rng_set(&g, 1, 2, 3, 4);
    for (size_t i = 0; i < n; i++) {
        x[i] = ens_rng_normal(&g);
        y[i] = ens_rng_normal(&g);
    }
}

START_TEST(sum_equals_long_double)
{
    static const size_t sizes[] = {0,   1,   3,   4,    5,    127,   128,
                                   129, 255, 257, 1000, 4097, 100000};

    fill(100000);
    for (size_t k = 0; k < ENS_COUNT(sizes); k++) {
        long double s = 0, d = 0, bound = 0;

        for (size_t i = 0; i < sizes[k]; i++) {
            s += x[i];
            d += (long double)x[i] * y[i];
            bound += fabs(x[i]) + fabs(x[i] * y[i]);
        }
        /* depth of the tree (32 + log2(n / 128)) times eps times sum |x| */
        bound *= 48 * 0x1p-53;
        ck_assert(fabs((double)(s - ens_sum(x, sizes[k]))) <= (double)bound);
        ck_assert(fabs((double)(d - ens_dot(x, y, sizes[k]))) <= (double)bound);
    }
}
END_TEST

START_TEST(small_terms_are_not_lost)
{
    /* One by one, 1 + 2^-53 + 2^-53 ... stays 1; the tree keeps most. */
    for (size_t i = 0; i < 65536; i++)
        x[i] = 0x1p-53;
    x[0] = 1;
    ck_assert(fabs(ens_sum(x, 65536) - (1 + 65535 * 0x1p-53)) < 40 * 0x1p-53);
}
END_TEST

START_TEST(moments_equal_two_passes)
{
    struct ens_welford m = {0, 0, 0};
    double mean, m2 = 0;

    fill(1000);
    ck_assert(isnan(ens_welford_var(&m)));
    for (size_t i = 0; i < 1000; i++) {
        x[i] += 1e6;
        ens_welford_add(&m, x[i]);
    }
    mean = ens_sum(x, 1000) / 1000;
    for (size_t i = 0; i < 1000; i++)
        m2 += (x[i] - mean) * (x[i] - mean);
    ck_assert_uint_eq(m.n, 1000);
    ck_assert(fabs(m.mean - mean) < 1e-8);
    ck_assert(fabs(ens_welford_var(&m) - m2 / 999) < 1e-8);
}
END_TEST

START_TEST(quantile_is_type_7)
{
    static const double v[] = {1, 2, 4, 8};

    ck_assert(ens_quantile_sorted(v, 4, 0) == 1);
    ck_assert(ens_quantile_sorted(v, 4, 1) == 8);
    ck_assert(ens_quantile_sorted(v, 4, 0.5) == 3);
    ck_assert(fabs(ens_quantile_sorted(v, 4, 0.9) - 6.8) < 1e-15);
    ck_assert(ens_quantile_sorted(v, 1, 0.3) == 1);
}
END_TEST

START_TEST(halfwidth_equals_r)
{
    /* qnorm(0.975), qt(0.975, c(1, 5, 100)), qnorm(0.75) in R 4.2.2 */
    ck_assert(fabs(ens_quantile_halfwidth(0.95, INFINITY) -
                   1.9599639845400538) < 1e-14);
    ck_assert(fabs(ens_quantile_halfwidth(0.95, 1) - 12.706204736174694) <
              1e-10);
    ck_assert(fabs(ens_quantile_halfwidth(0.95, 5) - 2.570581835636314) <
              1e-12);
    ck_assert(fabs(ens_quantile_halfwidth(0.95, 100) - 1.9839715185235516) <
              1e-12);
    ck_assert(fabs(ens_quantile_halfwidth(0.5, INFINITY) -
                   0.67448975019608193) < 1e-14);
    ck_assert(isnan(ens_quantile_halfwidth(0.95, 0)));
    ck_assert(isnan(ens_quantile_halfwidth(1, 5)));
    ck_assert(isnan(ens_quantile_halfwidth(NAN, 5)));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sums");
    TCase *t = tcase_create("sums");
    SRunner *r;
    int failed;

    tcase_add_test(t, sum_equals_long_double);
    tcase_add_test(t, small_terms_are_not_lost);
    tcase_add_test(t, moments_equal_two_passes);
    tcase_add_test(t, quantile_is_type_7);
    tcase_add_test(t, halfwidth_equals_r);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
