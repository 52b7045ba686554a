/* Wrong gradients are found, right ones pass. */
#include "mcmc/gradient.h"

#include "../posteriors.h"
#include "base/bug.h"
#include "math/rng.h"

#include <check.h>

static double work[3 * POSTERIOR_MAX_DIM];

START_TEST(right_gradients_pass)
{
    const struct posterior *p = &posteriors[_i];
    struct ens_density d = posterior_load(p, TEST_DATA);
    struct ens_error err = {0};
    struct ens_rng g;

    ck_assert_uint_le(ens_gradient_work(d.dim), ENS_COUNT(work));
    ens_rng_set(&g, 1, 2, 3, (uint64_t)_i);
    for (int k = 0; k < 20; k++) {
        double q[POSTERIOR_MAX_DIM];

        for (size_t i = 0; i < d.dim; i++)
            q[i] = 4 * ens_rng_uniform(&g) - 2;
        ck_assert_msg(ens_gradient_check(&d, q, NULL, work, &err) == ENS_OK,
                      "%s: %s", p->name, err.text);
    }
}
END_TEST

/* A posterior whose gradient is wrong in one number. */
struct broken {
    struct ens_density right;
    size_t at;
    double factor, add;
};

static double broken_at(void *model, const double *q, double *gradient)
{
    const struct broken *m = model;
    double lp = m->right.at(m->right.model, q, gradient);

    gradient[m->at] = m->factor * gradient[m->at] + m->add;
    return lp;
}

START_TEST(wrong_gradients_are_found)
{
    static const double wrong[][2] = {{-1, 0},  {0.99, 0}, {1, 0.5},
                                      {1, NAN}, {0, 0},    {1, INFINITY}};
    static const char *const name[] = {"z1", "z2", "z3", "z4", "z5",
                                       "z6", "z7", "z8", "mu", "log_tau"};
    struct broken m = {.right = posterior_load(&posteriors[0], TEST_DATA)};
    struct ens_density d = {.dim = 10, .model = &m, .at = broken_at};
    const double q[10] = {1, -1, 0.5, 0.2, 2, -2, 0.1, 1.5, 3, 1};
    struct ens_error err = {0};

    m.factor = wrong[_i][0];
    m.add = wrong[_i][1];
    for (m.at = 0; m.at < 10; m.at++) {
        ck_assert_int_eq(ens_gradient_check(&d, q, name, work, &err),
                         ENS_EDOMAIN);
        ck_assert_msg(strstr(err.text, name[m.at]) != NULL, "%s", err.text);
        ck_assert_int_eq(ens_gradient_check(&d, q, NULL, work, &err),
                         ENS_EDOMAIN);
        ck_assert_msg(strstr(err.text, "wrong gradient: along parameter ") !=
                          NULL,
                      "%s", err.text);
    }
}
END_TEST

/* Values up to 1e12 and down to 1e-6, sds from 1e-4. */
static double scaled_at(void *model, const double *q, double *gradient)
{
    double r = (q[0] - 3) * 1e4, s = (q[1] - 1e6) / 1e3;

    gradient[0] = -r * 1e4;
    gradient[1] = -s / 1e3;
    return *(const double *)model - 0.5 * (r * r + s * s);
}

START_TEST(scales_do_not_matter)
{
    static double constant[] = {0, -1e6, 1e12};
    struct ens_density d = {.dim = 2, .model = &constant[_i], .at = scaled_at};
    const double q[2] = {3.0001, 1e6 + 500};
    struct ens_error err = {0};

    ck_assert_msg(ens_gradient_check(&d, q, NULL, work, &err) == ENS_OK, "%s",
                  err.text);
}
END_TEST

static double nan_at(void *model, const double *q, double *gradient)
{
    (void)model;
    gradient[0] = q[0];
    return NAN;
}

START_TEST(outside_the_support_says_so)
{
    struct ens_density d = {.dim = 1, .model = NULL, .at = nan_at};
    struct ens_error err = {0};
    double q = 1;

    ck_assert_int_eq(ens_gradient_check(&d, &q, NULL, work, &err), ENS_EDOMAIN);
    ck_assert_msg(strstr(err.text, "not finite") != NULL, "%s", err.text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gradient");
    TCase *t = tcase_create("gradient");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(t, right_gradients_pass, 0, ENS_COUNT(posteriors));
    tcase_add_loop_test(t, wrong_gradients_are_found, 0, 6);
    tcase_add_loop_test(t, scales_do_not_matter, 0, 3);
    tcase_add_test(t, outside_the_support_says_so);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
