/* Linear algebra: own loops (p <= 40) and BLAS/LAPACK (p > 40) against
 * definitions in long double. */
#include "math/linalg.h"

#include "base/bug.h"
#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_P 48
#define MAX_N 700

static double x[MAX_N * MAX_P], w[MAX_N], copy[MAX_N * MAX_P];
static double gram[MAX_P * MAX_P], factor[MAX_P * MAX_P], other[MAX_P * MAX_P],
    inverse[MAX_P * MAX_P];
static double work[ENS_GRAM_WORK(MAX_P)];

static const struct {
    size_t n, p;
} shape[] = {{1, 1},    {5, 5},    {255, 3}, {257, 7},
             {700, 40}, {700, 41}, {700, 48}};

static void fill(size_t n, size_t p)
{
    struct ens_rng g;

    ens_rng_set(&g, n, p, 0, 0);
    for (size_t i = 0; i < n * p; i++)
        x[i] = ens_rng_normal(&g);
    for (size_t i = 0; i < n; i++)
        w[i] = ens_rng_uniform(&g) + 0.1;
}

static double gram_element(size_t n, size_t i, size_t j, int weighted)
{
    long double s = 0;

    for (size_t k = 0; k < n; k++)
        s += (long double)x[k + i * n] * x[k + j * n] * (weighted ? w[k] : 1);
    return (double)s;
}

START_TEST(gram_is_xtwx)
{
    size_t n = shape[_i].n, p = shape[_i].p;

    fill(n, p);
    for (int weighted = 0; weighted < 2; weighted++) {
        ens_gram(x, n, p, weighted ? w : NULL, gram, work);
        for (size_t j = 0; j < p; j++)
            for (size_t i = j; i < p; i++)
                ck_assert(fabs(gram[i + j * p] -
                               gram_element(n, i, j, weighted)) < 1e-11);
    }
}
END_TEST

START_TEST(cholesky_solves_and_inverts)
{
    size_t n = shape[_i].n, p = shape[_i].p;
    double b[MAX_P], truth[MAX_P];

    fill(n, p);
    ens_gram(x, n, p, NULL, gram, work);
    for (size_t j = 0; j < p; j++)
        for (size_t i = 0; i < j; i++)
            gram[i + j * p] = gram[j + i * p];
    memcpy(factor, gram, sizeof(gram));
    ck_assert(ens_cholesky(factor, p) > 0);
    for (size_t i = 0; i < p; i++)
        truth[i] = (double)i - 2.5;
    ens_times(gram, p, p, truth, b);
    ens_cholesky_solve(factor, p, b);
    for (size_t i = 0; i < p; i++)
        ck_assert(fabs(b[i] - truth[i]) < 1e-9);
    ens_cholesky_inverse(factor, p, inverse);
    for (size_t j = 0; j < p; j++) {
        ens_times(gram, p, p, inverse + j * p, b);
        for (size_t i = 0; i < p; i++)
            ck_assert(fabs(b[i] - (i == j)) < 1e-9);
        for (size_t i = 0; i < p; i++)
            ck_assert(inverse[i + j * p] == inverse[j + i * p]);
    }
}
END_TEST

START_TEST(qr_gives_the_same_factor)
{
    size_t n = shape[_i].n, p = shape[_i].p;

    fill(n, p);
    ens_gram(x, n, p, NULL, factor, work);
    ck_assert(ens_cholesky(factor, p) > 0);
    memcpy(copy, x, sizeof(x));
    ck_assert_uint_eq(ens_qr_factor(copy, n, p, 1e-7, other, work), p);
    for (size_t j = 0; j < p; j++)
        for (size_t i = j; i < p; i++) {
            double sign = other[j + j * p] < 0 ? -1 : 1;

            ck_assert(fabs(factor[i + j * p] - sign * other[i + j * p]) < 1e-9);
        }
}
END_TEST

START_TEST(cross_and_times_are_products)
{
    size_t n = 257, p = 7;
    double b[7] = {1, -2, 3, 0.5, 0, 7, -1};
    double out[MAX_N];

    fill(n, p);
    ens_times(x, n, p, b, out);
    for (size_t i = 0; i < n; i++) {
        double s = 0;

        for (size_t j = 0; j < p; j++)
            s += x[i + j * n] * b[j];
        ck_assert(fabs(out[i] - s) < 1e-13);
    }
    ens_cross(x, n, p, x, out);
    for (size_t j = 0; j < p; j++)
        ck_assert(fabs(out[j] - gram_element(n, 0, j, 0)) < 1e-12);
}
END_TEST

START_TEST(ratio_is_one_minus_r_squared)
{
    /* columns (1,0,0), (3,4,0): 1 - cos^2 = 16/25 */
    double a[4] = {1, 3, 0, 25};

    ck_assert(fabs(ens_cholesky(a, 2) - 16.0 / 25) < 1e-15);
}
END_TEST

START_TEST(aliased_column_is_named)
{
    size_t n = 100, p = 4;

    fill(n, p);
    for (size_t i = 0; i < n; i++)
        x[i + 2 * n] = 2 * x[i] - x[i + n];
    ens_gram(x, n, p, NULL, gram, work);
    ck_assert(!(ens_cholesky(gram, p) > 1e-12));
    memcpy(copy, x, sizeof(x));
    ck_assert_uint_eq(ens_qr_factor(copy, n, p, 1e-7, other, work), 2);
}
END_TEST

/* Exactly what the columns give without their powers of two. */
START_TEST(size_of_a_column_is_only_a_factor)
{
    static const int power[4] = {600, 0, -600, 900};
    size_t n = 100, p = 4;

    fill(n, p);
    memcpy(copy, x, sizeof(x));
    ck_assert_uint_eq(ens_qr_factor(copy, n, p, 1e-7, gram, work), p);
    memcpy(copy, x, sizeof(x));
    for (size_t k = 0; k < n * p; k++)
        copy[k] = ldexp(copy[k], power[k / n]);
    ck_assert_uint_eq(ens_qr_factor(copy, n, p, 1e-7, other, work), p);
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < p; k++)
            ck_assert(other[j + k * p] == ldexp(gram[j + k * p], power[j]));
}
END_TEST

START_TEST(not_positive_definite_is_seen)
{
    double indefinite[4] = {1, 2, 0, 1};
    double with_nan[1] = {NAN};
    double zero[1] = {0};

    ck_assert(!(ens_cholesky(indefinite, 2) > 0));
    ck_assert(!(ens_cholesky(with_nan, 1) > 0));
    ck_assert(!(ens_cholesky(zero, 1) > 0));
}
END_TEST

/* A v = e v, v of length 1, e ascending, for X'X. */
START_TEST(eigenvectors_are_scaled)
{
    size_t n = shape[_i].n, p = shape[_i].p;
    double e[MAX_P];

    fill(n, p);
    ens_gram(x, n, p, NULL, gram, work);
    memcpy(factor, gram, sizeof(gram));
    ck_assert_int_eq(ens_eigen(factor, p, e, work), 0);
    for (size_t k = 0; k < p; k++) {
        double length = 0;

        for (size_t i = 0; i < p; i++) {
            double sum = 0;

            for (size_t j = 0; j < p; j++)
                sum += gram[i > j ? i + j * p : j + i * p] * factor[j + k * p];
            length += factor[i + k * p] * factor[i + k * p];
            ck_assert_double_eq_tol(sum, e[k] * factor[i + k * p],
                                    1e-12 * (1 + e[p - 1]));
        }
        ck_assert_double_eq_tol(length, 1, 1e-12);
        ck_assert(k == 0 || e[k] >= e[k - 1]);
    }
    gram[p - 1] = NAN;
    ck_assert_int_eq(ens_eigen(gram, p, e, work), -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("linalg");
    TCase *t = tcase_create("linalg");
    SRunner *r;
    int failed, n = (int)ENS_COUNT(shape);

    tcase_add_loop_test(t, gram_is_xtwx, 0, n);
    tcase_add_loop_test(t, cholesky_solves_and_inverts, 1, n);
    tcase_add_loop_test(t, qr_gives_the_same_factor, 0, n);
    tcase_add_loop_test(t, eigenvectors_are_scaled, 0, n);
    tcase_add_test(t, cross_and_times_are_products);
    tcase_add_test(t, ratio_is_one_minus_r_squared);
    tcase_add_test(t, aliased_column_is_named);
    tcase_add_test(t, size_of_a_column_is_only_a_factor);
    tcase_add_test(t, not_positive_definite_is_seen);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
