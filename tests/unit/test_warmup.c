/* Warm-up: dual averaging, windows, the search for a step size, metrics. */
#include "mcmc/adapt.h"
#include "mcmc/dual.h"
#include "mcmc/settle.h"
#include "mcmc/windows.h"

#include "base/bug.h"
#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double nuts_work[8000], adapt_work[2000], whiten_work[400];

static void check_near(double a, double b, double tolerance)
{
    ck_assert_msg(fabs(a - b) <= tolerance * fmax(1, fabs(b)),
                  "%.17g is not %.17g", a, b);
}

/* By hand, with gamma 0.05, t0 10, kappa 0.75, mu = log 10:
 * k  accept  error                        log step                 average
 * 1  0.5     0.3/11 = 0.0272727           mu - 0.545455            itself
 * 2  1.5     (11/12) 0.0272727 - 0.2/12   mu - 0.00833333 sqrt2/.05
 * 3  0       (12/13) 0.00833333 + 0.8/13  mu - 0.0692308 sqrt3/.05 */
START_TEST(dual_averaging_by_hand)
{
    struct ens_dual d;
    double x1 = log(10) - 0.3 / 11 / 0.05;
    double x2 = log(10) - (0.3 - 0.2) / 12 * sqrt(2) / 0.05;
    double x3 = log(10) - (0.3 - 0.2 + 0.8) / 13 * sqrt(3) / 0.05;
    double w2 = pow(2, -0.75), w3 = pow(3, -0.75);
    double mean = (1 - w3) * ((1 - w2) * x1 + w2 * x2) + w3 * x3;

    ens_dual_start(&d, 0.8, 1, INFINITY);
    check_near(ens_dual_final(&d), 1, 0);
    check_near(ens_dual_update(&d, 0.5), exp(x1), 1e-14);
    check_near(ens_dual_final(&d), exp(x1), 1e-14);
    check_near(ens_dual_update(&d, 1.5), exp(x2), 1e-14);
    check_near(ens_dual_update(&d, 0), exp(x3), 1e-14);
    check_near(ens_dual_final(&d), exp(mean), 1e-14);
}
END_TEST

/* An acceptance of exp(-step size) is at its target of 0.8 at -log 0.8. */
START_TEST(dual_averaging_converges)
{
    struct ens_dual d;
    double step_size = 1;

    ens_dual_start(&d, 0.8, step_size, INFINITY);
    for (int i = 0; i < 20000; i++)
        step_size = ens_dual_update(&d, exp(-step_size));
    check_near(ens_dual_final(&d), -log(0.8), 0.01);
    ens_dual_start(&d, 0.8, 1, 2);
    for (int i = 0; i < 100; i++)
        ck_assert_double_le(ens_dual_update(&d, 1), 2 * (1 + 1e-15));
    check_near(ens_dual_final(&d), 2, 1e-12);
}
END_TEST

START_TEST(windows_end_where_stan_says)
{
    static const struct {
        size_t warmup, learned, end[8];
        size_t n;
    } row[] = {
        {1000, 875, {99, 149, 249, 449, 949}, 5},
        {2000, 1875, {99, 149, 249, 449, 849, 1949}, 6},
        {500, 375, {99, 149, 249, 449}, 4},
        {400, 275, {99, 149, 349}, 3},
        {200, 75, {99, 149}, 2},
        {160, 35, {99, 109}, 2},
        {150, 25, {99}, 1},
        {149, 113, {134}, 1},
        {100, 75, {89}, 1},
        {20, 15, {17}, 1},
        {19, 0, {0}, 0},
        {0, 0, {0}, 0},
    };
    struct ens_windows w;
    size_t n = 0, learned = 0;

    ens_windows_init(&w, row[_i].warmup);
    for (size_t i = 0; i < row[_i].warmup; i++) {
        learned += ens_windows_learns(&w, i) != 0;
        if (ens_windows_ends(&w, i)) {
            if (n < row[_i].n)
                ck_assert_uint_eq(i, row[_i].end[n]);
            n++;
        }
    }
    ck_assert_uint_eq(learned, row[_i].learned);
    ck_assert_uint_eq(n, row[_i].n);
}
END_TEST

struct normal {
    size_t dim;
    double sd[8];
};

static double normal_at(void *model, const double *q, double *gradient)
{
    const struct normal *m = model;
    double lp = 0;

    for (size_t i = 0; i < m->dim; i++) {
        gradient[i] = -q[i] / (m->sd[i] * m->sd[i]);
        lp += 0.5 * q[i] * gradient[i];
    }
    return lp;
}

/* Constant: nothing is ever rejected. */
static double improper_at(void *model, const double *q, double *gradient)
{
    (void)model;
    (void)q;
    gradient[0] = 0;
    return 0;
}

/* Finite at 0.5 alone. */
static double point_at(void *model, const double *q, double *gradient)
{
    (void)model;
    gradient[0] = 1;
    return q[0] == 0.5 ? 0 : NAN;
}

/* Rises, faster and faster, to an edge at 700. */
static double cliff_at(void *model, const double *q, double *gradient)
{
    (void)model;
    gradient[0] = exp(q[0]);
    return q[0] < 700 ? exp(q[0]) : NAN;
}

START_TEST(step_size_is_found)
{
    struct normal m = {.dim = 4};
    struct ens_density d = {.dim = 4, .model = &m, .at = normal_at};
    struct ens_rng g;
    struct ens_nuts s;
    double q[4] = {0}, scale = pow(10, (double)(_i - 3));

    for (size_t i = 0; i < 4; i++)
        m.sd[i] = scale;
    ens_rng_set(&g, 1, 1, 1, (uint64_t)_i);
    ens_nuts_init(&s, &d, 3, &g, nuts_work);
    ck_assert_int_eq(ens_nuts_place(&s, q), 0);
    ck_assert_int_eq(ens_adapt_find_step(&s, NULL), ENS_OK);
    ck_assert_double_gt(s.step_size, 0.2 * scale);
    ck_assert_double_lt(s.step_size, 8 * scale);
    ck_assert_mem_eq(s.here->q, q, sizeof(q));
}
END_TEST

START_TEST(no_step_size_says_why)
{
    const struct {
        double (*at)(void *, const double *, double *);
        const char *text;
    } row[] = {{improper_at, "improper"}, {point_at, "small enough"}};
    struct ens_density d = {.dim = 1, .model = NULL, .at = row[_i].at};
    struct ens_error err = {0};
    struct ens_rng g;
    struct ens_nuts s;
    double q = 0.5;

    ens_rng_set(&g, 1, 1, 1, 1);
    ens_nuts_init(&s, &d, 3, &g, nuts_work);
    ck_assert_int_eq(ens_nuts_place(&s, &q), 0);
    ck_assert_int_eq(ens_adapt_find_step(&s, &err), ENS_EDOMAIN);
    ck_assert_msg(strstr(err.text, row[_i].text) != NULL, "%s", err.text);
}
END_TEST

START_TEST(spread_is_mean_and_squares)
{
    double mean[2] = {9, 9}, square[2] = {9, 9};
    const double x[3][2] = {{1, 10}, {2, 10}, {6, 40}};
    struct ens_spread s = {7, mean, square};

    ens_spread_clear(&s, 2);
    for (size_t i = 0; i < 3; i++)
        ens_spread_add(&s, x[i], 2);
    check_near(s.n, 3, 0);
    check_near(mean[0], 3, 1e-15);
    check_near(mean[1], 20, 1e-15);
    check_near(square[0], 14, 1e-15);
    check_near(square[1], 600, 1e-15);
}
END_TEST

/* From far out a state comes near the mode, with scales in proportion. */
START_TEST(start_settles)
{
    struct normal m = {.dim = 4, .sd = {0.01, 1, 5, 100}};
    struct ens_density d = {.dim = 4, .model = &m, .at = normal_at};
    struct ens_rng g;
    struct ens_nuts s;
    double q[4] = {9, -2, 200, 1e4};

    ck_assert_uint_le(ens_settle_work(4), ENS_COUNT(adapt_work));
    ens_rng_set(&g, 1, 1, 1, 1);
    ens_nuts_init(&s, &d, 3, &g, nuts_work);
    ck_assert_int_eq(ens_nuts_place(&s, q), 0);
    ens_settle(&s, adapt_work);
    ck_assert_double_gt(s.here->lp, -5);
    ck_assert_double_gt(s.scale[1] / s.scale[0], 10);
    ck_assert_double_gt(s.scale[3] / s.scale[2], 2);
    ck_assert_uint_lt(s.n_gradients, 300);
}
END_TEST

/* No mode, no rise, an edge: the state is left where it may be. */
START_TEST(start_stays_finite)
{
    static double (*const at[])(void *, const double *,
                                double *) = {improper_at, point_at, cliff_at};
    struct ens_density d = {.dim = 1, .model = NULL, .at = at[_i]};
    struct ens_rng g;
    struct ens_nuts s;
    double q = 0.5;

    ens_rng_set(&g, 1, 1, 1, 1);
    ens_nuts_init(&s, &d, 3, &g, nuts_work);
    ck_assert_int_eq(ens_nuts_place(&s, &q), 0);
    ens_settle(&s, adapt_work);
    ck_assert(isfinite(s.here->lp) && isfinite(s.here->q[0]));
    ck_assert(s.scale[0] > 0 && isfinite(s.scale[0]));
    ck_assert_uint_lt(s.n_gradients, 5000);
}
END_TEST

/* Each scheme ends with scales in proportion to the sds. */
START_TEST(metric_is_learned)
{
    const struct ens_adaptation *scheme = ens_adaptation_at((size_t)_i);
    struct normal m = {.dim = 5, .sd = {1e-3, 0.1, 1, 10, 1e3}};
    struct ens_density d = {.dim = 5, .model = &m, .at = normal_at};
    struct ens_whiten whiten;
    struct ens_nuts_info info;
    struct ens_error err = {0};
    struct ens_rng g;
    struct ens_nuts s;
    struct ens_adapt a = {.scheme = scheme, .nuts = &s, .target = 0.8};
    double q[5] = {1e-3, 0.2, -1, 1, 900}, sum = 0;

    a.warmup = scheme->warmup;
    ck_assert_uint_le(scheme->work(5), ENS_COUNT(adapt_work));
    ck_assert_ptr_eq(ens_adaptation_find(scheme->name), scheme);
    ens_rng_set(&g, 1, 1, 5, 1);
    ens_whiten_init(&whiten, &d, whiten_work);
    if (scheme->is_whitened)
        a.whiten = &whiten;
    ens_nuts_init(&s, scheme->is_whitened ? &whiten.outer : &d, 10, &g,
                  nuts_work);
    ck_assert_int_eq(ens_nuts_place(&s, q), 0);
    ck_assert_int_eq(scheme->start(&a, adapt_work, &err), ENS_OK);
    for (size_t i = 0; i < a.warmup; i++) {
        ens_nuts_transition(&s, &info);
        ck_assert_msg(scheme->learn(&a, &info, &err) == ENS_OK, "%s", err.text);
    }
    for (size_t i = 0; i < 5; i++) {
        double scale = s.scale[i] * whiten.factor[i + i * whiten.n];

        check_near(log(scale / m.sd[i]), 0, i > 0 ? 0.35 : 4);
    }
    for (int i = 0; i < 200; i++) {
        ens_nuts_transition(&s, &info);
        sum += info.accept;
    }
    check_near(sum / 200, 0.85, 0.13);
}
END_TEST

/* Normal with precision P, P(i, j) = 0.9 off the diagonal, 1 on it, in units
 * that differ by 10 each. */
static double correlated_at(void *model, const double *q, double *gradient)
{
    size_t n = *(const size_t *)model;
    double lp = 0, sum = 0, unit = 1;

    for (size_t i = 0; i < n; i++, unit *= 10)
        sum += q[i] * unit;
    unit = 1;
    for (size_t i = 0; i < n; i++, unit *= 10) {
        double r = 0.1 * q[i] * unit + 0.9 * sum;

        lp -= 0.5 * q[i] * unit * r;
        gradient[i] = -r * unit;
    }
    return lp;
}

/* Two windows' draws of a short warm-up give the covariance of a normal, not
 * an estimate: correlations to the ridge that keeps them finite. */
START_TEST(dense_metric_of_a_normal_is_exact)
{
    size_t n = 4;
    struct ens_density d = {.dim = n, .model = &n, .at = correlated_at};
    struct ens_whiten w;
    struct ens_nuts_info info;
    struct ens_rng g;
    struct ens_nuts s;
    struct ens_adapt a = {.scheme = &ens_adapt_fisher_dense,
                          .nuts = &s,
                          .whiten = &w,
                          .warmup = 60,
                          .target = 0.8};
    double q[4] = {1, 0.05, -0.002, 0.001};
    /* Of x(i) 10^i: a on the diagonal, b off it. */
    double b = -0.9 / (0.1 * (0.1 + 0.9 * 4)), c = 10 + b;

    ck_assert_uint_le(a.scheme->work(n), ENS_COUNT(adapt_work));
    ens_rng_set(&g, 1, 7, 5, 1);
    ens_whiten_init(&w, &d, whiten_work);
    ens_nuts_init(&s, &w.outer, 10, &g, nuts_work);
    ck_assert_int_eq(ens_nuts_place(&s, q), 0);
    ck_assert_int_eq(a.scheme->start(&a, adapt_work, NULL), ENS_OK);
    for (size_t i = 0; i < 31; i++) {
        ens_nuts_transition(&s, &info);
        ck_assert_int_eq(a.scheme->learn(&a, &info, NULL), ENS_OK);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0, unit = pow(10, (double)(i + j));

            for (size_t k = i > j ? i : j; k < n; k++)
                sum += w.factor[i + k * w.n] * w.factor[j + k * w.n] *
                       s.scale[k] * s.scale[k];
            check_near(sum * unit, i == j ? c : b, 1e-2);
        }
}
END_TEST

START_TEST(schemes_are_in_the_table)
{
    ck_assert_ptr_eq(ens_adaptation_find("stan"), &ens_adapt_stan);
    ck_assert_ptr_eq(ens_adaptation_find("laplace"), &ens_adapt_laplace);
    ck_assert_ptr_null(ens_adaptation_find("none"));
    ck_assert_ptr_null(ens_adaptation_at(5));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("warmup");
    TCase *t = tcase_create("warmup");
    SRunner *runner;
    int failed;

    tcase_add_test(t, dual_averaging_by_hand);
    tcase_add_test(t, dual_averaging_converges);
    tcase_add_loop_test(t, windows_end_where_stan_says, 0, 12);
    tcase_add_loop_test(t, step_size_is_found, 0, 7);
    tcase_add_loop_test(t, no_step_size_says_why, 0, 2);
    tcase_add_test(t, spread_is_mean_and_squares);
    tcase_add_test(t, start_settles);
    tcase_add_loop_test(t, start_stays_finite, 0, 3);
    tcase_add_test(t, schemes_are_in_the_table);
    tcase_add_loop_test(t, metric_is_learned, 0, 5);
    tcase_add_test(t, dense_metric_of_a_normal_is_exact);
    tcase_set_timeout(t, 60);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
