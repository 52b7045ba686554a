/* B-splines of columns, and learner spline where data are awkward; its numbers
 * are in tests/oracle/test_near. */
#include "../learning.h"

#include "base/bug.h"
#include "learn/bspline.h"

#define N 20000
#define P 3

static double x[N * P], y[N], w[N], out[N];

static struct table fill(size_t n)
{
    uint32_t seed = 7;

    for (size_t i = 0; i < n * P; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (seed >> 8) / (double)(1 << 24);
        if (i % P == 1)
            x[i] = floor(4 * x[i]); /* few values: knots coincide */
    }
    for (size_t i = 0; i < n; i++)
        y[i] = sin(6 * x[i * P]) + x[i * P + 1];
    return (struct table){.x = x, .y = y, .n_source = n, .p = P, .n = n};
}

/* The splines of a column, the last one put back, sum to 1 wherever it is. */
START_TEST(splines_are_shares)
{
    static const double inner[][4] = {
        {0, 1, 2, 3}, {0, 0, 1, 3}, {0, 1, 1, 3}, {0, 0, 0, 3}, {0, 3, 3, 3}};
    double knot[ENS_BSPLINE_KNOTS(4)], value[4], at;
    uint32_t index[4];

    for (size_t k = 0; k < 4; k++)
        knot[3 + k] = inner[_i][k];
    for (size_t k = 0; k < 3; k++) {
        knot[k] = -(3.0 - (double)k) * (knot[4] - knot[3]);
        knot[7 + k] = 3 + (double)(k + 1) * (knot[6] - knot[5]);
    }
    for (at = -1; at < 4; at += 0.0625) {
        double sum = 0;
        size_t n = ens_bspline_row(knot, 4, 1, &at, index, value);

        ck_assert_uint_ge(n, 3);
        for (size_t k = 0; k < n; k++) {
            ck_assert(index[k] < ENS_BSPLINE_COUNT(4));
            ck_assert(k == 0 || index[k] > index[k - 1]);
            ck_assert(value[k] >= 0);
            sum += value[k];
        }
        ck_assert(sum < 1 + 1e-12);
        if (n == 4)
            ck_assert_double_eq_tol(sum, 1, 1e-12);
    }
}
END_TEST

START_TEST(a_column_of_one_value_says_nothing)
{
    struct table t = fill(500);
    double with[500], slope = 0;
    struct learning l;

    for (size_t i = 0; i < 500; i++)
        x[i * P + 2] = 7;
    ck_assert_int_eq(learning_open(&l, "spline", NULL, &t), ENS_OK);
    ck_assert_msg(learning_fit(&l, &t) == ENS_OK, "%s", l.err.text);
    ck_assert_int_eq(learning_predict(&l, &t, &t, 77, with), ENS_OK);
    for (size_t i = 0; i < 500; i++)
        x[i * P + 2] = -1e300;
    ck_assert_int_eq(learning_predict(&l, &t, &t, 500, out), ENS_OK);
    ck_assert_int_eq(memcmp(with, out, sizeof(with)), 0);
    for (size_t i = 0; i < 500; i++)
        slope += fabs(out[i] - y[i]) / 500;
    ck_assert_double_lt(slope, 0.2);
    learning_close(&l);
}
END_TEST

/* A weight of 2 is a row twice, one of 0 none. */
START_TEST(weights_count_rows)
{
    static uint64_t index[600];
    static double once[300];
    struct table t = fill(300), twice;
    struct learning l;
    size_t n = 0;

    for (size_t i = 0; i < 300; i++) {
        w[i] = i < 3 || i > 290 ? 1 : (double)(i % 3 == 0 ? 2 : 1);
        for (size_t k = 0; k < (size_t)w[i]; k++)
            index[n++] = i;
    }
    /* knots are those of rows, not of weights: two take minimum and maximum */
    static const char *const two[] = {"knots=2", NULL};
    twice = t;
    twice.index = index;
    twice.n = n;
    t.w = w;
    ck_assert_int_eq(learning_open(&l, "spline", two, &t), ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &t), ENS_OK);
    ck_assert_int_eq(learning_predict(&l, &t, &t, 300, once), ENS_OK);
    learning_close(&l);
    ck_assert_int_eq(learning_open(&l, "spline", two, &t), ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &twice), ENS_OK);
    ck_assert_int_eq(learning_predict(&l, &t, &t, 300, out), ENS_OK);
    for (size_t i = 0; i < 300; i++)
        ck_assert_double_eq_tol(out[i], once[i], 1e-9);
    learning_close(&l);
}
END_TEST

/* More rows than the sample that quantiles are taken of. */
START_TEST(many_rows_take_a_sample)
{
    struct table t = fill(N);
    struct learning l;
    double error = 0;

    ck_assert_int_eq(learning_open(&l, "spline", NULL, &t), ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &t), ENS_OK);
    ck_assert_int_eq(learning_predict(&l, &t, &t, 1000, out), ENS_OK);
    for (size_t i = 0; i < N; i++)
        error = fmax(error, fabs(out[i] - y[i]));
    ck_assert_double_lt(error, 0.15);
    learning_close(&l);
}
END_TEST

START_TEST(a_response_without_two_values_is_refused)
{
    struct table t = fill(100);
    struct learning l;

    t.family = _i ? ENS_OUTCOME_POISSON : ENS_OUTCOME_BINOMIAL;
    for (size_t i = 0; i < 100; i++)
        y[i] = 0;
    ck_assert_int_eq(learning_open(&l, "spline", NULL, &t), ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &t), ENS_EDOMAIN);
    ck_assert_str_eq(l.err.text,
                     "spline: the response is 0 in all training rows");
    learning_close(&l);
}
END_TEST

START_TEST(a_damaged_model_is_refused_or_survived)
{
    struct table t = fill(100);
    struct learning l;
    unsigned char *byte;
    size_t bytes;

    ck_assert_int_eq(learning_open(&l, "spline", NULL, &t), ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &t), ENS_OK);
    byte = (unsigned char *)(uintptr_t)l.model.data;
    bytes = l.model.bytes;
    for (size_t i = 0; i < bytes; i++) {
        byte[i] ^= 0xff;
        (void)learning_predict(&l, &t, &t, 100, out);
        byte[i] ^= 0xff;
    }
    for (l.model.bytes = 0; l.model.bytes < bytes; l.model.bytes += 8)
        ck_assert_int_eq(learning_predict(&l, &t, &t, 100, out), ENS_EDOMAIN);
    learning_close(&l);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("spline");
    TCase *t = tcase_create("spline");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, splines_are_shares, 0, 5);
    tcase_add_test(t, a_column_of_one_value_says_nothing);
    tcase_add_test(t, weights_count_rows);
    tcase_add_test(t, many_rows_take_a_sample);
    tcase_add_loop_test(t, a_response_without_two_values_is_refused, 0, 2);
    tcase_add_test(t, a_damaged_model_is_refused_or_survived);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
