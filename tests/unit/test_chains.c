/* Sorting, and chain diagnostics where posterior has no say. */
#include "mcmc/chains.h"

#include "base/bug.h"
#include "math/order.h"
#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N 4000

static double x[N], sorted[N], work[4 * N];
static uint32_t order[N];
static struct ens_rng rng;

static void check_sorted(size_t n)
{
    char seen[N] = {0};

    ens_order(x, n, sorted, order, work);
    for (size_t i = 0; i < n; i++) {
        ck_assert(sorted[i] == x[order[i]]);
        ck_assert(!seen[order[i]]++);
        if (i == 0)
            continue;
        ck_assert(sorted[i - 1] <= sorted[i]);
        if (sorted[i - 1] == sorted[i] && sorted[i] != 0)
            ck_assert(order[i - 1] < order[i]);
    }
}

START_TEST(sizes_are_sorted)
{
    static const size_t sizes[] = {0, 1, 2, 3, 17, 256, 257, N};

    ens_rng_set(&rng, 1, 2, 3, 4);
    for (size_t k = 0; k < ENS_COUNT(sizes); k++) {
        for (size_t i = 0; i < sizes[k]; i++)
            x[i] = ens_rng_normal(&rng) * (i % 3 ? 1e-200 : 1e200);
        check_sorted(sizes[k]);
        for (size_t i = 0; i < sizes[k]; i++)
            x[i] = floor(x[i]);
        check_sorted(sizes[k]);
    }
}
END_TEST

START_TEST(extremes_are_sorted)
{
    static const double values[] = {
        INFINITY, -INFINITY, 0.0,    -0.0,        0x1p-1074, -0x1p-1074, 1,
        -1,       1e308,     -1e308, 1 + 0x1p-52, INFINITY,  -INFINITY};

    for (size_t i = 0; i < ENS_COUNT(values); i++)
        x[i] = values[i];
    check_sorted(ENS_COUNT(values));
    ens_order(x, ENS_COUNT(values), x, NULL, work);
    ck_assert(x[0] == -INFINITY && x[ENS_COUNT(values) - 1] == INFINITY);
}
END_TEST

/* No more memory than asked for is touched, and the same bits come twice. */
START_TEST(work_is_enough)
{
    static const size_t sizes[][2] = {{1, 1}, {1, 4}, {2, 1},   {3, 2},
                                      {5, 3}, {7, 1}, {129, 3}, {1000, 4}};

    for (size_t k = 0; k < ENS_COUNT(sizes); k++) {
        size_t n = sizes[k][0], m = sizes[k][1], s = ens_chains_work(n, m);
        double *own = malloc(s * sizeof(*own));
        struct ens_chains c;
        double first[8];

        ens_rng_set(&rng, 5, k, 0, 0);
        for (size_t i = 0; i < n * m; i++)
            x[i] = ens_rng_normal(&rng);
        for (int again = 0; again < 2; again++) {
            double v[8];

            ens_chains_init(&c, n, m, own);
            ens_chains_set(&c, x);
            v[0] = ens_chains_rhat(&c);
            v[1] = ens_chains_ess_bulk(&c);
            v[2] = ens_chains_ess_tail(&c);
            v[3] = ens_chains_ess_sd(&c);
            v[4] = ens_chains_mcse_mean(&c);
            v[5] = ens_chains_mcse_sd(&c);
            v[6] = ens_chains_mcse_quantile(&c, 0);
            v[7] = ens_chains_mcse_quantile(&c, 1);
            for (size_t i = 0; i < 8 && again; i++)
                ck_assert(isnan(v[i]) ? isnan(first[i]) != 0
                                      : v[i] == first[i]);
            for (size_t i = 0; i < 8; i++)
                first[i] = v[i];
        }
        ck_assert(n < 100 || (fabs(first[0] - 1) < 0.05 && first[1] > n / 2));
        free(own);
    }
}
END_TEST

/* Finite but too large to square. */
START_TEST(huge_draws_give_no_number)
{
    double *own = malloc(ens_chains_work(100, 2) * sizeof(*own));
    struct ens_chains c;

    ens_rng_set(&rng, 9, 0, 0, 0);
    for (size_t i = 0; i < 200; i++)
        x[i] = 1e300 * ens_rng_normal(&rng);
    ens_chains_init(&c, 100, 2, own);
    ens_chains_set(&c, x);
    ck_assert(isnan(ens_chains_ess_mean(&c)));
    ck_assert(ens_chains_ess_bulk(&c) > 50);
    ck_assert(ens_chains_rhat(&c) < 1.1);
    free(own);
}
END_TEST

START_TEST(ebfmi_is_by_hand)
{
    static const double energy[] = {1, 3, 2, 6};

    /* steps 4 + 1 + 16, mean 3, squared deviations 4 + 0 + 1 + 9 */
    ck_assert(fabs(ens_ebfmi(energy, 4) - (21.0 / 4) / (14.0 / 3)) < 1e-15);
    ck_assert(isnan(ens_ebfmi(energy, 1)) && isnan(ens_ebfmi(energy, 0)));
    ck_assert(isnan(ens_ebfmi((const double[]){2, 2, 2}, 3)));
}
END_TEST

/* 1.2 ms of processor time for 10 quantities when written. */
START_TEST(a_fit_takes_milliseconds)
{
    double *own = malloc(ens_chains_work(1000, 4) * sizeof(*own));
    double best = INFINITY, sum = 0;
    struct ens_chains c;

    ens_rng_set(&rng, 7, 0, 0, 0);
    for (size_t i = 0; i < N; i++)
        x[i] = ens_rng_normal(&rng) + (i > 0 ? 0.5 * x[i - 1] : 0);
    for (int round = 0; round < 10; round++) {
        clock_t start = clock();

        ens_chains_init(&c, 1000, 4, own);
        for (int j = 0; j < 10; j++) {
            ens_chains_set(&c, x);
            sum += ens_chains_rhat(&c) + ens_chains_ess_bulk(&c) +
                   ens_chains_ess_tail(&c);
        }
        best = fmin(best, (double)(clock() - start) / CLOCKS_PER_SEC);
    }
    ck_assert(isfinite(sum));
    printf("10 quantities: %.2f ms\n", best * 1e3);
    ck_assert(best < 0.05);
    free(own);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("chains");
    TCase *t = tcase_create("chains");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, sizes_are_sorted);
    tcase_add_test(t, extremes_are_sorted);
    tcase_add_test(t, work_is_enough);
    tcase_add_test(t, huge_draws_give_no_number);
    tcase_add_test(t, ebfmi_is_by_hand);
    tcase_add_test(t, a_fit_takes_milliseconds);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
