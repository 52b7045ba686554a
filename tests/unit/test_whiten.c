/* Densities in other coordinates. */
#include "mcmc/whiten.h"

#include "base/bug.h"
#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIM 13

static double work[MAX_DIM * 40];

/* A quartic, so that gradients are of no special form. */
static double at(void *model, const double *q, double *gradient)
{
    size_t n = *(const size_t *)model;
    double sum = 0, lp = 0;

    for (size_t i = 0; i < n; i++)
        sum += q[i] * (double)(i + 1) / 10;
    for (size_t i = 0; i < n; i++) {
        lp -= 0.25 * q[i] * q[i] * q[i] * q[i];
        gradient[i] = -q[i] * q[i] * q[i] - sum * (double)(i + 1) / 10;
    }
    return lp - 0.5 * sum * sum;
}

static void check_near(double a, double b, double tolerance)
{
    ck_assert_msg(fabs(a - b) <= tolerance * (1 + fabs(b)),
                  "%.17g is not %.17g", a, b);
}

static void fill(size_t d, struct ens_rng *g, double *covariance, double *x)
{
    double b[MAX_DIM * MAX_DIM];

    for (size_t k = 0; k < d * d; k++)
        b[k] = ens_rng_normal(g);
    for (size_t i = 0; i < d; i++) {
        x[i] = ens_rng_normal(g);
        for (size_t j = 0; j < d; j++) {
            covariance[i + j * d] = i == j;
            for (size_t k = 0; k < d; k++)
                covariance[i + j * d] += b[i + k * d] * b[j + k * d];
        }
    }
}

static void check_factor(const double *covariance, const double *upper,
                         size_t d)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++) {
            double sum = 0;

            for (size_t k = 0; k < d; k++)
                sum += upper[i + k * d] * upper[j + k * d];
            check_near(sum, covariance[i + j * d], 1e-12);
            ck_assert(i <= j || upper[i + j * d] == 0);
        }
}

/* Value, chain rule, there and back; then the same in coordinates of these. */
START_TEST(coordinates_are_changed)
{
    size_t d = (size_t)_i;
    struct ens_density inner = {.dim = d, .model = &d, .at = at};
    double covariance[MAX_DIM * MAX_DIM], copy[MAX_DIM * MAX_DIM];
    double upper[MAX_DIM * MAX_DIM], z[MAX_DIM], q[MAX_DIM], other[MAX_DIM];
    double g[MAX_DIM], inner_g[MAX_DIM], lp;
    struct ens_whiten w;
    struct ens_rng rng;

    ens_rng_set(&rng, 1, 1, 1, d);
    ck_assert_uint_le(ens_whiten_work(d), ENS_COUNT(work));
    ens_whiten_init(&w, &inner, work);
    fill(d, &rng, covariance, z);
    ens_whiten_q(&w, z, q);
    ck_assert_mem_eq(q, z, d * sizeof(*z)); /* identity at first */
    memcpy(copy, covariance, sizeof(copy));
    ck_assert_int_eq(ens_whiten_factor(copy, d, upper), 0);
    check_factor(covariance, upper, d);
    ens_whiten_set(&w, z, upper);
    for (int again = 0; again < 2; again++) {
        ens_whiten_q(&w, z, q);
        ens_whiten_z(&w, q, other);
        lp = w.outer.at(w.outer.model, z, g);
        check_near(lp, at(&d, q, inner_g), 1e-12);
        for (size_t j = 0; j < d; j++) {
            double sum = 0;

            for (size_t i = 0; i < d; i++)
                sum += w.factor[i + j * w.n] * inner_g[i];
            check_near(g[j], sum, 1e-9);
            check_near(other[j], z[j], 1e-9);
        }
        memcpy(other, q, sizeof(q));
        ens_whiten_compose(&w, upper, z);
        ens_whiten_q(&w, z, q);
        for (size_t i = 0; i < d; i++)
            check_near(q[i], other[i], 1e-9);
    }
}
END_TEST

START_TEST(not_positive_definite_is_seen)
{
    double matrix[] = {1, 2, 2, 1}, upper[4];

    ck_assert_int_eq(ens_whiten_factor(matrix, 2, upper), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("whiten");
    TCase *t = tcase_create("whiten");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(t, coordinates_are_changed, 1, MAX_DIM);
    tcase_add_test(t, not_positive_definite_is_seen);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
