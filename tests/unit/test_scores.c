/* Scores of forecasts: by hand, by their definitions, against closed forms. */
#include "mcmc/scores.h"

#include "base/bug.h"
#include "math/order.h"
#include "math/rng.h"

#include <check.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

#define N 4000

static double x[N], work[4 * N];
static struct ens_rng rng;

static double by_pairs(const double *v, size_t n, double y, int is_fair)
{
    double first = 0, second = 0, size = (double)n;

    for (size_t i = 0; i < n; i++) {
        first += fabs(v[i] - y) / size;
        for (size_t j = 0; j < n; j++)
            second += fabs(v[i] - v[j]) / size / (is_fair ? size - 1 : size);
    }
    return first - second / 2;
}

START_TEST(crps_is_that_of_pairs)
{
    static const size_t sizes[] = {1, 2, 3, 10, 201};

    ens_rng_set(&rng, 1, 0, 0, 0);
    for (size_t k = 0; k < ENS_COUNT(sizes); k++)
        for (int fair = 0; fair < 2; fair++) {
            size_t n = sizes[k];
            double a, b;

            for (size_t i = 0; i < n; i++)
                x[i] = round(4 * ens_rng_normal(&rng)) / 4;
            ens_order(x, n, x, NULL, work);
            a = ens_crps_sorted(x, n, 0.3, fair);
            b = by_pairs(x, n, 0.3, fair);
            ck_assert_msg(n == 1 && fair ? isnan(a) != 0 : fabs(a - b) < 1e-12,
                          "%zu: %g %g", n, a, b);
        }
}
END_TEST

/* Gneiting and Raftery (2007), eq. 21, of N(0, 1) at y; shifted far away. */
START_TEST(crps_of_normal_draws)
{
    for (double y = -2; y <= 2; y += 0.5) {
        double exact = y * (2 * gsl_cdf_ugaussian_P(y) - 1) +
                       2 * gsl_ran_ugaussian_pdf(y) - 1 / sqrt(M_PI);

        ens_rng_set(&rng, 2, 0, 0, 0);
        for (size_t i = 0; i < N; i++)
            x[i] = 1e6 + ens_rng_normal(&rng);
        ens_order(x, N, x, NULL, work);
        ck_assert(fabs(ens_crps_sorted(x, N, 1e6 + y, 1) - exact) < 0.05);
    }
}
END_TEST

START_TEST(interval_by_hand)
{
    ck_assert(ens_interval_score(1, 3, 0.9, 2) == 2);
    ck_assert(fabs(ens_interval_score(1, 3, 0.9, 0.5) - 12) < 1e-13);
    ck_assert(fabs(ens_interval_score(1, 3, 0.5, 4) - 6) < 1e-15);
    ck_assert(isnan(ens_interval_score(1, 3, 0.5, NAN)));
    ck_assert(isnan(ens_interval_score(NAN, 3, 0.5, 1)));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("scores");
    TCase *t = tcase_create("scores");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, crps_is_that_of_pairs);
    tcase_add_test(t, crps_of_normal_draws);
    tcase_add_test(t, interval_by_hand);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
