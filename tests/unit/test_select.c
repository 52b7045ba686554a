/* Order statistics by passes: those of sorted numbers. */
#include "math/select.h"

#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static union ens_select_memory memory;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static int select_from(struct ens_select *s, const double *x, size_t n,
                       const uint64_t *rank)
{
    int passes = 0;

    ens_select_init(s, n, rank, 4, &memory);
    do {
        for (size_t i = 0; i < n; i++)
            ens_select_add(s, x[i]);
        passes++;
    } while (ens_select_next(s));
    return passes;
}

/* Ties, both signs, all sizes, infinities; at and above what is kept. */
START_TEST(ranks_are_those_of_sorted_numbers)
{
    static const size_t size[] = {4, 1000, ENS_SELECT_KEPT, ENS_SELECT_KEPT + 1,
                                  100000};
    size_t n = size[_i];
    const uint64_t rank[4] = {0, n / 3, n / 2, n - 1};
    double *x = malloc(2 * n * sizeof(*x)), *sorted = x + n;
    struct ens_select s;
    struct ens_rng g;

    ens_rng_set(&g, 7, n, 0, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = ens_rng_normal(&g) * pow(10, (double)ens_rng_below(&g, 9) - 4);
        if (ens_rng_below(&g, 3) == 0)
            x[i] = round(x[i]);
        if (ens_rng_below(&g, 500) == 0)
            x[i] = x[i] < 0 ? -INFINITY : INFINITY;
        sorted[i] = x[i];
    }
    qsort(sorted, n, sizeof(*sorted), ascending);
    ck_assert_int_eq(select_from(&s, x, n, rank), n > ENS_SELECT_KEPT ? 6 : 1);
    for (size_t k = 0; k < 4; k++)
        ck_assert_msg(s.value[k] == sorted[rank[k]], "%zu: %g %g", k,
                      s.value[k], sorted[rank[k]]);
    free(x);
}
END_TEST

START_TEST(zero_has_no_sign)
{
    static double x[ENS_SELECT_KEPT + 10];
    static const uint64_t rank[4] = {0, 1, 2, 3};
    struct ens_select s;

    for (size_t i = 0; i < ENS_SELECT_KEPT + 10; i++)
        x[i] = i % 2 ? 0.0 : -0.0;
    select_from(&s, x, ENS_SELECT_KEPT + 10, rank);
    ck_assert(!signbit(s.value[0]) && s.value[3] == 0);
    select_from(&s, x, 10, rank);
    ck_assert(!signbit(s.value[0]));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("select");
    TCase *t = tcase_create("select");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, ranks_are_those_of_sorted_numbers, 0, 5);
    tcase_add_test(t, zero_has_no_sign);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
