/* Modes: found exactly, or why not. */
#include "mcmc/mode.h"

#include "base/bug.h"
#include "math/linalg.h"
#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIM 60

static double work[6 * MAX_DIM + 3 * MAX_DIM * MAX_DIM];

/* Normal with a mean and a precision matrix, which is also its Hessian. */
struct normal {
    size_t dim;
    double mean[MAX_DIM];
    double precision[MAX_DIM * MAX_DIM]; /* both triangles */
};

static double normal_at(void *model, const double *q, double *gradient)
{
    const struct normal *m = model;
    double lp = 0;

    for (size_t i = 0; i < m->dim; i++) {
        gradient[i] = 0;
        for (size_t j = 0; j < m->dim; j++)
            gradient[i] -= m->precision[i + j * m->dim] * (q[j] - m->mean[j]);
        lp += 0.5 * gradient[i] * (q[i] - m->mean[i]);
    }
    return lp;
}

static int normal_hessian(void *model, const double *q, double *hessian)
{
    const struct normal *m = model;

    (void)q;
    for (size_t k = 0; k < m->dim * m->dim; k++)
        hessian[k] = -m->precision[k];
    return 0;
}

static int no_hessian(void *model, const double *q, double *hessian)
{
    (void)model;
    (void)q;
    (void)hessian;
    return -1;
}

/* Precision B'B of a random B, with scales from 1e-3 to 1e3. */
static void fill_normal(struct normal *m, size_t dim)
{
    static double b[MAX_DIM * MAX_DIM], scale[MAX_DIM];
    struct ens_rng g;

    ens_rng_set(&g, 3, 3, 3, dim);
    m->dim = dim;
    for (size_t i = 0; i < dim; i++) {
        scale[i] = pow(10, (double)(i % 7) - 3);
        m->mean[i] = 3 * ens_rng_normal(&g) / scale[i];
    }
    for (size_t k = 0; k < dim * dim; k++)
        b[k] = ens_rng_normal(&g);
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < dim; j++) {
            double sum = i == j;

            for (size_t k = 0; k < dim; k++)
                sum += b[k + i * dim] * b[k + j * dim];
            m->precision[i + j * dim] = scale[i] * scale[j] * sum;
        }
}

static void check_near(double a, double b, double tolerance)
{
    ck_assert_msg(fabs(a - b) <= tolerance, "%.17g is not %.17g", a, b);
}

/* Mode, covariance and determinant of a normal are its own; covariance against
 * LAPACK-free arithmetic: precision times covariance is the identity. */
START_TEST(normal_is_found)
{
    static const size_t dims[] = {1, 2, 5, 8, 41, 60};
    static struct normal m;
    static double covariance[MAX_DIM * MAX_DIM], l[MAX_DIM * MAX_DIM];
    int exact = _i % 2;
    size_t d = dims[_i / 2];
    struct ens_density density = {.dim = d,
                                  .model = &m,
                                  .at = normal_at,
                                  .hessian = exact ? normal_hessian : NULL};
    double tolerance = exact ? 1e-9 : 1e-5, log_det = 0;
    struct ens_mode mode;

    fill_normal(&m, d);
    ens_mode_find(&density, NULL, work, &mode);
    ck_assert_int_eq(mode.status, ENS_MODE_FOUND);
    ck_assert_int_eq(ens_mode_explain(&mode, NULL, NULL), ENS_OK);
    check_near(mode.log_density, 0, 1e-9);
    ens_mode_covariance(&mode, covariance);
    memcpy(l, m.precision, d * d * sizeof(*l));
    ck_assert_double_gt(ens_cholesky(l, d), 0);
    for (size_t i = 0; i < d; i++) {
        double sd = sqrt(covariance[i + i * d]);

        log_det -= 2 * log(l[i + i * d]);
        check_near(mode.q[i] / sd, m.mean[i] / sd, 1e-5);
        for (size_t j = 0; j < d; j++) {
            double sum = 0, other = sqrt(covariance[j + j * d]);

            for (size_t k = 0; k < d; k++)
                sum += m.precision[i + k * d] * covariance[k + j * d];
            check_near(sum * sd / other, i == j, 100 * tolerance);
        }
    }
    check_near(mode.log_det, log_det, (double)d * tolerance);
}
END_TEST

/* Gamma(a, b) of exp(u): mode log(a / b), curvature a. */
static double gamma_at(void *model, const double *q, double *gradient)
{
    const double *ab = model;

    gradient[0] = ab[0] - ab[1] * exp(q[0]);
    return ab[0] * q[0] - ab[1] * exp(q[0]);
}

START_TEST(log_gamma_is_found)
{
    double ab[][2] = {{3, 1}, {0.5, 100}, {1e6, 1e-6}, {1e-2, 1}};
    struct ens_density d = {.dim = 1, .model = ab[_i], .at = gamma_at};
    struct ens_mode mode;

    ens_mode_find(&d, NULL, work, &mode);
    ck_assert_int_eq(mode.status, ENS_MODE_FOUND);
    check_near(mode.q[0], log(ab[_i][0] / ab[_i][1]), 1e-6);
    check_near(mode.log_det, -log(ab[_i][0]), 1e-6);
}
END_TEST

/* Logistic regression on two rows per group, flat priors. */
struct rows {
    size_t n, p;
    const double *x, *y; /* x: row-major */
};

static double logistic_at(void *model, const double *q, double *gradient)
{
    const struct rows *m = model;
    double lp = 0;

    memset(gradient, 0, m->p * sizeof(*gradient));
    for (size_t i = 0; i < m->n; i++) {
        double eta = 0, e;

        for (size_t j = 0; j < m->p; j++)
            eta += m->x[i * m->p + j] * q[j];
        e = exp(-fabs(eta));
        lp += m->y[i] * eta - fmax(eta, 0) - log1p(e);
        for (size_t j = 0; j < m->p; j++)
            gradient[j] +=
                m->x[i * m->p + j] * (m->y[i] - (eta > 0 ? 1 : e) / (1 + e));
    }
    return lp;
}

static const double separated_x[] = {1, -2, 1, -1, 1, -0.5, 1, 0.5, 1, 1, 1, 2};
static const double separated_y[] = {0, 0, 0, 1, 1, 1};
static const double mixed_y[] = {0, 1, 0, 1, 0, 1};
static const double ones_y[] = {1, 1, 1, 1, 1, 1};
static const double collinear_x[] = {1, -2,  -4, 1, -1, -2, 1, -0.5, -1,
                                     1, 0.5, 1,  1, 1,  2,  1, 2,    4};

static double linear_at(void *model, const double *q, double *gradient)
{
    (void)model;
    gradient[0] = 1;
    return q[0];
}

static double constant_at(void *model, const double *q, double *gradient)
{
    (void)model;
    (void)q;
    gradient[0] = 0;
    return 1;
}

static double nan_at(void *model, const double *q, double *gradient)
{
    (void)model;
    gradient[0] = q[0];
    return NAN;
}

static double nan_gradient_at(void *model, const double *q, double *gradient)
{
    (void)model;
    gradient[0] = NAN;
    return -q[0] * q[0];
}

/* The gradient points downhill. */
static double wrong_at(void *model, const double *q, double *gradient)
{
    (void)model;
    gradient[0] = 2 * (q[0] - 1);
    return -(q[0] - 1) * (q[0] - 1);
}

/* A spike at a standard deviation of 0: lp grows as -q[1]. */
static double spike_at(void *model, const double *q, double *gradient)
{
    double w = exp(-2 * q[1]);

    (void)model;
    gradient[0] = -q[0] * w;
    gradient[1] = q[0] * q[0] * w - 1;
    return -0.5 * q[0] * q[0] * w - q[1];
}

START_TEST(no_mode_says_why)
{
    struct rows separated = {6, 2, separated_x, separated_y};
    struct rows all_ones = {6, 2, separated_x, ones_y};
    struct rows collinear = {6, 3, collinear_x, mixed_y};
    const struct {
        size_t dim;
        void *model;
        double (*at)(void *model, const double *q, double *gradient);
        enum ens_mode_status status;
        const char *text;
    } row[] = {
        {2, &separated, logistic_at, ENS_MODE_RISES, "rises without end"},
        {2, &all_ones, logistic_at, ENS_MODE_RISES, "along a "},
        {3, &collinear, logistic_at, ENS_MODE_FLAT, "flat"},
        {1, NULL, linear_at, ENS_MODE_RISES, "along a "},
        {1, NULL, constant_at, ENS_MODE_FLAT, "along a (now at 0)"},
        {1, NULL, nan_at, ENS_MODE_NO_START, "at the starting point"},
        {1, NULL, nan_gradient_at, ENS_MODE_NO_START, "not finite"},
        {1, NULL, wrong_at, ENS_MODE_STUCK, "gradient is wrong"},
        {2, NULL, spike_at, ENS_MODE_RISES, "along b "},
    };
    static const char *const name[] = {"a", "b", "c"};
    struct ens_density d = {.dim = row[_i].dim,
                            .model = row[_i].model,
                            .at = row[_i].at,
                            .hessian = NULL};
    struct ens_error err = {0};
    struct ens_mode mode;

    ens_mode_find(&d, NULL, work, &mode);
    ck_assert_int_eq(ens_mode_explain(&mode, name, &err), ENS_EDOMAIN);
    ck_assert_msg(mode.status == row[_i].status, "%s", err.text);
    ck_assert_msg(strstr(err.text, row[_i].text) != NULL, "%s", err.text);
    ck_assert_int_eq(ens_mode_explain(&mode, NULL, &err), ENS_EDOMAIN);
}
END_TEST

/* Logit of 4 of 6 ones: log 2, information 6 (2/3) (1/3). */
START_TEST(logistic_intercept_is_exact)
{
    static const double x[] = {1, 1, 1, 1, 1, 1}, y[] = {1, 1, 0, 1, 0, 1};
    struct rows rows = {6, 1, x, y};
    struct ens_density d = {.dim = 1, .model = &rows, .at = logistic_at};
    struct ens_mode mode;
    double start = -30;

    ens_mode_find(&d, &start, work, &mode);
    ck_assert_int_eq(mode.status, ENS_MODE_FOUND);
    check_near(mode.q[0], log(2), 1e-8);
    check_near(mode.log_det, -log(12.0 / 9), 1e-7);
}
END_TEST

START_TEST(hessian_that_cannot_be_had)
{
    static struct normal m;
    struct ens_density d = {
        .dim = 2, .model = &m, .at = normal_at, .hessian = no_hessian};
    struct ens_mode mode;

    fill_normal(&m, 2);
    ens_mode_find(&d, NULL, work, &mode);
    ck_assert_int_eq(mode.status, ENS_MODE_STUCK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mode");
    TCase *t = tcase_create("mode");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(t, normal_is_found, 0, 12);
    tcase_add_loop_test(t, log_gamma_is_found, 0, 4);
    tcase_add_loop_test(t, no_mode_says_why, 0, 9);
    tcase_add_test(t, logistic_intercept_is_exact);
    tcase_add_test(t, hessian_that_cannot_be_had);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
