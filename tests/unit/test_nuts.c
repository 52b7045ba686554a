/* The no-U-turn sampler: leapfrog, transitions, what they leave invariant. */
#include "mcmc/nuts.h"

#include "base/bug.h"
#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIM  40
#define MAX_WORK 20000

static double work[MAX_WORK], other_work[MAX_WORK];

/* Independent normals with the sds of the model. */
struct normal {
    size_t dim;
    double sd[MAX_DIM];
};

static double normal_at(void *model, const double *q, double *gradient)
{
    const struct normal *m = model;
    double lp = 0;

    for (size_t i = 0; i < m->dim; i++) {
        double z = q[i] / m->sd[i];

        lp -= 0.5 * z * z;
        gradient[i] = -z / m->sd[i];
    }
    return lp;
}

static struct ens_density normal_density(struct normal *m, size_t dim)
{
    m->dim = dim;
    for (size_t i = 0; i < dim; i++)
        m->sd[i] = pow(1.7, (double)(i % 5) - 2);
    return (struct ens_density){.dim = dim, .model = m, .at = normal_at};
}

/* Neal's funnel: v ~ N(0, 3), x_i ~ N(0, exp(v / 2)). */
static double funnel_at(void *model, const double *q, double *gradient)
{
    size_t n = *(const size_t *)model;
    double w = exp(-q[0]), square = 0;

    for (size_t i = 1; i < n; i++) {
        gradient[i] = -q[i] * w;
        square += q[i] * q[i];
    }
    gradient[0] = -q[0] / 9 - 0.5 * (double)(n - 1) + 0.5 * square * w;
    return -q[0] * q[0] / 18 - 0.5 * (double)(n - 1) * q[0] - 0.5 * square * w;
}

/* Standard normal of which only |q| < 1 is there, in three ways to say so. */
static double edge_at(void *model, const double *q, double *gradient)
{
    if (fabs(q[0]) >= 1)
        return *(const double *)model;
    gradient[0] = -q[0];
    return -0.5 * q[0] * q[0];
}

static void check_close(double a, double b, double tolerance)
{
    ck_assert_msg(fabs(a - b) <= tolerance, "%.17g is not %.17g", a, b);
}

/* Steps with the sign of time turned lead back; the energy's error falls with
 * the square of the step size. */
START_TEST(leapfrog_is_reversible)
{
    size_t dim = (size_t)_i;
    struct normal m;
    struct ens_density d = normal_density(&m, dim);
    struct ens_rng g;
    struct ens_nuts s;
    struct ens_nuts_point *x[12];
    double error[2], q[MAX_DIM];

    ens_rng_set(&g, 1, 2, 3, 4);
    ens_nuts_init(&s, &d, 4, &g, work);
    for (size_t k = 0; k < 12; k++)
        x[k] = s.spare[k];
    for (size_t i = 0; i < dim; i++)
        q[i] = ens_rng_normal(&g);
    ck_assert_int_eq(ens_nuts_place(&s, q), 0);
    ens_nuts_try(&s); /* draws a momentum */
    for (size_t k = 0; k < 2; k++) {
        ens_nuts_set_step(&s, k == 0 ? 0.1 : 0.05);
        ens_nuts_leapfrog(&s, 1, s.here, x[0]);
        for (size_t i = 1; i < 6; i++)
            ens_nuts_leapfrog(&s, 1, x[i - 1], x[i]);
        for (size_t i = 6; i < 12; i++)
            ens_nuts_leapfrog(&s, -1, x[i - 1], x[i]);
        for (size_t i = 0; i < dim; i++) {
            check_close(x[11]->q[i], s.here->q[i], 1e-13);
            check_close(x[11]->p[i], s.here->p[i], 1e-13);
        }
        error[k] = fabs(x[0]->energy - s.here->energy);
    }
    ck_assert_double_lt(error[1], error[0] / 3);
}
END_TEST

/* Draws that start from the target stay there: means and mean squares of
 * independent chains of a few transitions each, per step size and depth. */
START_TEST(transition_keeps_the_target)
{
    static const struct {
        size_t dim;
        double step_size, scale, jitter;
        unsigned depth;
    } row[] = {
        {1, 1.9, 1, 0, 10}, {1, 0.2, 3, 0.3, 3}, {2, 0.7, 1, 0, 10},
        {3, 0.6, 2, 0, 1},  {5, 0.3, 1, 0.5, 2}, {7, 0.4, 0.5, 0, 10},
    };
    const int n = 20000;
    double sum[MAX_DIM] = {0}, square[MAX_DIM] = {0}, fourth[MAX_DIM] = {0};
    size_t dim = row[_i].dim;
    struct normal m;
    struct ens_density d = normal_density(&m, dim);
    struct ens_nuts_info info;
    struct ens_rng g;
    struct ens_nuts s;

    ens_rng_set(&g, 5, 6, 7, (uint64_t)_i);
    ens_nuts_init(&s, &d, row[_i].depth, &g, work);
    for (size_t i = 0; i < dim; i++)
        s.scale[i] = row[_i].scale;
    s.jitter = row[_i].jitter;
    for (int k = 0; k < n; k++) {
        double q[MAX_DIM];

        for (size_t i = 0; i < dim; i++)
            q[i] = m.sd[i] * ens_rng_normal(&g);
        ck_assert_int_eq(ens_nuts_place(&s, q), 0);
        ens_nuts_set_step(&s, row[_i].step_size);
        for (int t = 0; t < 2; t++) {
            ens_nuts_transition(&s, &info);
            ck_assert_uint_le(info.depth, row[_i].depth);
            ck_assert_uint_lt(info.n_leapfrog, 1u << row[_i].depth);
            ck_assert(info.accept >= 0 && info.accept <= 1);
            ck_assert(info.symmetric >= 0 && info.symmetric <= 1);
            check_close(info.lp, d.at(&m, s.here->q, q), 1e-12);
        }
        for (size_t i = 0; i < dim; i++) {
            double z = s.here->q[i] / m.sd[i];

            sum[i] += z;
            square[i] += z * z;
            fourth[i] += z * z * z * z;
        }
    }
    for (size_t i = 0; i < dim; i++) { /* standard errors of n normals */
        check_close(sum[i] / n, 0, 4.5 / sqrt(n));
        check_close(square[i] / n, 1, 4.5 * sqrt(2.0 / n));
        check_close(fourth[i] / n, 3, 4.5 * sqrt(96.0 / n));
    }
}
END_TEST

/* The energy that a transition reports is that of its draw: minus lp plus
 * half a chi-squared, of dim degrees of freedom over the chain. */
START_TEST(energy_belongs_to_the_draw)
{
    struct normal m;
    struct ens_density d = normal_density(&m, 8);
    struct ens_nuts_info info;
    struct ens_rng g;
    struct ens_nuts s;
    double q[8] = {0}, kinetic = 0;
    const int n = 20000;

    ens_rng_set(&g, 8, 6, 7, 1);
    ens_nuts_init(&s, &d, 10, &g, work);
    memcpy(s.scale, m.sd, sizeof(q));
    ens_nuts_set_step(&s, 0.5);
    ck_assert_int_eq(ens_nuts_place(&s, q), 0);
    for (int k = 0; k < n; k++) {
        ens_nuts_transition(&s, &info);
        kinetic += info.energy + info.lp;
        ck_assert_double_ge(info.energy, -info.lp);
    }
    check_close(kinetic / n, 4, 0.1);
}
END_TEST

START_TEST(same_stream_same_bits)
{
    struct normal m;
    struct ens_density d = normal_density(&m, 6);
    struct ens_nuts_info info, other_info;
    struct ens_rng g, other_g;
    struct ens_nuts s, other;
    double q[6] = {1, 2, 3, 4, 5, 6};

    for (size_t i = 0; i < MAX_WORK; i++)
        other_work[i] = NAN;
    ens_rng_set(&g, 1, 1, 1, 1);
    ens_rng_set(&other_g, 1, 1, 1, 1);
    ens_nuts_init(&s, &d, 10, &g, work);
    ens_nuts_init(&other, &d, 10, &other_g, other_work);
    ens_nuts_set_step(&s, 0.11);
    ens_nuts_set_step(&other, 0.11);
    ck_assert_int_eq(ens_nuts_place(&s, q), 0);
    ck_assert_int_eq(ens_nuts_place(&other, q), 0);
    for (int k = 0; k < 200; k++) {
        ens_nuts_transition(&s, &info);
        ens_nuts_transition(&other, &other_info);
        ck_assert_mem_eq(s.here->q, other.here->q, sizeof(q));
        ck_assert_uint_eq(info.n_leapfrog, other_info.n_leapfrog);
        ck_assert(info.energy == other_info.energy);
    }
    ck_assert_uint_eq(s.n_gradients, other.n_gradients);
}
END_TEST

/* Every point that a transition took has been given back. */
START_TEST(points_are_not_lost)
{
    size_t n = 5;
    struct ens_density d = {.dim = n, .model = &n, .at = funnel_at};
    struct ens_nuts_info info;
    struct ens_rng g;
    struct ens_nuts s;
    double q[5] = {0};
    int n_divergent = 0;

    ens_rng_set(&g, 2, 1, 1, 1);
    ens_nuts_init(&s, &d, 6, &g, work);
    ens_nuts_set_step(&s, 0.6);
    ck_assert_int_eq(ens_nuts_place(&s, q), 0);
    for (int k = 0; k < 5000; k++) {
        ens_nuts_transition(&s, &info);
        n_divergent += info.divergent;
        ck_assert_uint_eq(s.n_spare, ENS_NUTS_POINTS(6) - 1);
        ck_assert_uint_eq(s.here->refs, 1);
        ck_assert(isfinite(info.lp));
    }
    /* Too large a step for the neck. */
    ck_assert_int_gt(n_divergent, 20);
}
END_TEST

START_TEST(nothing_is_drawn_outside_the_support)
{
    static double outside[] = {-INFINITY, NAN, INFINITY};
    struct ens_density d = {.dim = 1, .model = &outside[_i], .at = edge_at};
    struct ens_nuts_info info;
    struct ens_rng g;
    struct ens_nuts s;
    double q = 0.5, far = 2;
    double sum = 0, square = 0;
    const int n = 40000;

    ens_rng_set(&g, 2, 1, 1, (uint64_t)_i);
    ens_nuts_init(&s, &d, 10, &g, work);
    ck_assert_int_eq(ens_nuts_place(&s, &far), -1);
    ens_nuts_set_step(&s, 0.3);
    ck_assert_int_eq(ens_nuts_place(&s, &q), 0);
    for (int k = 0; k < n; k++) {
        ens_nuts_transition(&s, &info);
        ck_assert(fabs(s.here->q[0]) < 1);
        sum += s.here->q[0];
        square += s.here->q[0] * s.here->q[0];
    }
    /* Variance of the truncated normal: 1 - 2 phi(1) / (2 Phi(1) - 1). */
    check_close(sum / n, 0, 0.05);
    check_close(square / n, 0.29112, 0.03);
}
END_TEST

/* A start far out in the tail: the energy falls by thousands, weights are
 * capped, and the chain still comes in. */
START_TEST(far_start_comes_in)
{
    struct normal m = {.dim = 2, .sd = {1, 1}};
    struct ens_density d = {.dim = 2, .model = &m, .at = normal_at};
    struct ens_nuts_info info;
    struct ens_rng g;
    struct ens_nuts s;
    double q[2] = {4e3, -3e3};

    ens_rng_set(&g, 2, 1, 4, 1);
    ens_nuts_init(&s, &d, 10, &g, work);
    ens_nuts_set_step(&s, 0.5);
    ck_assert_int_eq(ens_nuts_place(&s, q), 0);
    for (int k = 0; k < 100; k++)
        ens_nuts_transition(&s, &info);
    ck_assert_double_gt(info.lp, -20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nuts");
    TCase *t = tcase_create("nuts");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(t, leapfrog_is_reversible, 1, 10);
    tcase_add_loop_test(t, transition_keeps_the_target, 0, 6);
    tcase_add_test(t, energy_belongs_to_the_draw);
    tcase_add_test(t, same_stream_same_bits);
    tcase_add_test(t, points_are_not_lost);
    tcase_add_loop_test(t, nothing_is_drawn_outside_the_support, 0, 3);
    tcase_add_test(t, far_start_comes_in);
    tcase_set_timeout(t, 120);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
