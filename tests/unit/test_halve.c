/* Rows are halved as a sort of them would be. */
#include "base/bug.h"
#include "learn/halve.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#define MAX_N 5000
#define MAX_P 5

static double x[MAX_N * MAX_P], moved[MAX_N * MAX_P], sorted[MAX_N];
static uint32_t place[MAX_N];
static uint32_t seed = 1;

static double draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (double)(seed >> 8) / (double)(1 << 24);
}

enum shape { ANY, TIES, EQUAL, RISING, FALLING, WAVES, N_SHAPES };

static double number(enum shape shape, size_t i)
{
    switch (shape) {
    case TIES:
        return floor(3 * draw());
    case EQUAL:
        return 7;
    case RISING:
        return (double)i;
    case FALLING:
        return -(double)i;
    case WAVES:
        return (double)(i % 131);
    default:
        return i % 97 == 0 ? INFINITY : draw() - 0.5;
    }
}

static int ascending(const void *a, const void *b)
{
    double u = *(const double *)a, v = *(const double *)b;

    return (u > v) - (u < v);
}

static void check_halves(size_t n, size_t p, size_t j, size_t k)
{
    int seen[MAX_N] = {0};
    double pivot;

    for (size_t i = 0; i < n; i++) {
        place[i] = (uint32_t)((i * 7) % n);
        for (size_t c = 0; c < p; c++)
            moved[i * p + c] = x[place[i] * p + c];
        sorted[i] = j < p ? moved[i * p + j] : place[i];
    }
    qsort(sorted, n, sizeof(*sorted), ascending);
    ens_halve(&(struct ens_halve){moved, p, place}, j, 0, (int64_t)n - 1,
              (int64_t)k);
    pivot = j < p ? moved[k * p + j] : place[k];
    ck_assert(pivot == sorted[k]);
    for (size_t i = 0; i < n; i++) {
        double v = j < p ? moved[i * p + j] : place[i];

        ck_assert(i < k ? v <= pivot : v >= pivot);
        ck_assert_int_eq(seen[place[i]]++, 0);
        for (size_t c = 0; c < p; c++)
            ck_assert(moved[i * p + c] == x[place[i] * p + c]);
    }
}

START_TEST(lower_rows_come_first)
{
    static const size_t size[] = {1, 2, 3, 33, 255, 256, 599, 601, 1024, 4999};

    for (size_t s = 0; s < ENS_COUNT(size); s++)
        for (size_t p = 1; p <= MAX_P; p++) {
            size_t n = size[s];

            for (size_t i = 0; i < n * p; i++)
                x[i] = number((enum shape)_i, i / p + 3 * (i % p));
            for (size_t j = 0; j <= p; j++) {
                check_halves(n, p, j, n / 2);
                check_halves(n, p, j, 0);
                check_halves(n, p, j, n - 1);
            }
        }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("halve");
    TCase *t = tcase_create("halve");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, lower_rows_come_first, 0, N_SHAPES);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
