/* R of rows in chunks: its squares are those of the rows, for columns of any
 * size, in any chunks. */
#include "math/chunk.h"

#include "base/bug.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_N 300
#define MAX_P 60

static double x[MAX_N * MAX_P], z[(MAX_N + 16) * MAX_P], r[MAX_P * MAX_P];
static double work[ENS_CHUNK_QR_WORK(MAX_P)];

static uint64_t state;

static double u(void)
{
    state = 16807 * state % 2147483647;
    return (double)state / 2147483647 - 0.5;
}

static void draw(size_t n, size_t p)
{
    state = 5;
    for (size_t i = 0; i < n * p; i++)
        x[i] = u();
}

static void make(size_t n, size_t p, size_t chunk)
{
    memset(r, 0, sizeof(r));
    for (size_t i = 0; i < n; i += chunk) {
        size_t rows = n - i < chunk ? n - i : chunk;

        ens_chunk_fill(z, x + i * p, p, NULL, rows, p);
        ens_chunk_qr(z, rows, p, r, work);
    }
    for (size_t j = 0; j < p; j++)
        for (size_t i = j + 1; i < p; i++)
            ck_assert(r[i + j * p] == 0);
}

/* r'r against x'x, as a share of the columns' lengths. */
static double apart(size_t n, size_t p)
{
    double most = 0;

    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k <= j; k++) {
            double is = 0, truth = 0, a = 0, b = 0;

            for (size_t i = 0; i < p; i++)
                is += r[i + j * p] * r[i + k * p];
            for (size_t i = 0; i < n; i++) {
                truth += x[i * p + j] * x[i * p + k];
                a += x[i * p + j] * x[i * p + j];
                b += x[i * p + k] * x[i * p + k];
            }
            most = fmax(most, fabs(is - truth) / sqrt(a * b));
        }
    return most;
}

static const struct {
    size_t n, p, chunk;
} shape[] = {{1, 1, 1},     {9, 1, 9},      {3, 5, 2},    {40, 5, 7},
             {300, 5, 300}, {300, 40, 128}, {5, 41, 5},   {300, 41, 100},
             {300, 60, 64}, {300, 7, 8},    {257, 13, 16}};

START_TEST(squares_are_those_of_rows)
{
    draw(shape[_i].n, shape[_i].p);
    make(shape[_i].n, shape[_i].p, shape[_i].chunk);
    ck_assert_msg(apart(shape[_i].n, shape[_i].p) < 1e-14, "%g",
                  apart(shape[_i].n, shape[_i].p));
}
END_TEST

/* y = x + 1e-9 e: the last pivot is the length of e, which squares lose. */
START_TEST(differences_stay)
{
    double sum = 0, along = 0, of = 0;

    draw(300, 2);
    for (size_t i = 0; i < 300; i++) {
        double e = x[2 * i + 1];

        x[2 * i] += 3;
        x[2 * i + 1] = x[2 * i] + ldexp(e, -30);
        e = ldexp(x[2 * i + 1] - x[2 * i], 30); /* as it was rounded */
        sum += e * e;
        along += e * x[2 * i];
        of += x[2 * i] * x[2 * i];
    }
    make(300, 2, 64);
    ck_assert(fabs(fabs(ldexp(r[3], 30)) / sqrt(sum - along * along / of) - 1) <
              1e-5);
}
END_TEST

/* A row that is small beside those before it is not lost. */
START_TEST(small_rows_count)
{
    double first[4];

    memset(r, 0, sizeof(r));
    r[0] = 1e9;
    r[2] = 2e9;
    z[0] = 1;
    z[ENS_CHUNK_LD(1)] = 3;
    for (size_t k = 1; k < 8; k++)
        z[k] = z[ENS_CHUNK_LD(1) + k] = 0;
    ens_chunk_qr(z, 1, 2, r, work);
    memcpy(first, r, sizeof(first));
    /* det(r'r) = det of the rows (1e9, 2e9), (1, 3), squared: (1e9)^2 */
    ck_assert_msg(fabs(fabs(first[0] * first[3]) / 1e9 - 1) < 1e-7, "%g",
                  first[0] * first[3]);
}
END_TEST

START_TEST(columns_of_any_size)
{
    static const double size[] = {1e-200, 1e200, 1, 1e-310, 0};
    double of[5][5];

    draw(100, 5);
    make(100, 5, 32);
    for (size_t j = 0; j < 5; j++)
        for (size_t i = 0; i < 5; i++)
            of[j][i] = fabs(r[i + j * 5]);
    for (size_t i = 0; i < 500; i++)
        x[i] *= size[i % 5];
    make(100, 5, 32);
    for (size_t j = 0; j < 3; j++)
        for (size_t i = 0; i <= j; i++)
            ck_assert_msg(fabs(fabs(r[i + j * 5]) / size[j] - of[j][i]) < 1e-12,
                          "%zu %zu %g", i, j, r[i + j * 5]);
    for (size_t i = 0; i < 5; i++) {
        ck_assert(isfinite(r[i + 15]) && fabs(r[i + 15]) < 1e-307);
        ck_assert(r[i + 20] == 0);
    }
}
END_TEST

START_TEST(not_finite_is_seen)
{
    draw(40, 3);
    x[3 * 30 + 1] = _i ? (double)INFINITY : (double)NAN;
    make(40, 3, 16);
    ck_assert(isfinite(r[0]) && !isfinite(r[4]));
}
END_TEST

/* Zeros behind it do not make it one. */
START_TEST(not_finite_before_zeros_is_seen)
{
    memset(x, 0, sizeof(x));
    x[5 * 3] = NAN;
    make(16, 3, 16);
    ck_assert(!isfinite(r[0]));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("chunk_qr");
    TCase *t = tcase_create("all");
    SRunner *sr;
    int n;

    tcase_add_loop_test(t, squares_are_those_of_rows, 0, ENS_COUNT(shape));
    tcase_add_test(t, differences_stay);
    tcase_add_test(t, small_rows_count);
    tcase_add_test(t, columns_of_any_size);
    tcase_add_loop_test(t, not_finite_is_seen, 0, 2);
    tcase_add_test(t, not_finite_before_zeros_is_seen);
    suite_add_tcase(s, t);
    sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    n = srunner_ntests_failed(sr);
    srunner_free(sr);
    return n == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
