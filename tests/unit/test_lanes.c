/* exp and log of eight lanes against libm's, which are within one unit of the
 * last place. */
#include "math/lanes.h"

#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#define N 200000

static double ulps(double ours, double exact)
{
    return fabs(ours - exact) /
           (nextafter(fabs(exact), INFINITY) - fabs(exact));
}

static double one(ens_lanes (*f)(ens_lanes), double x)
{
    double v[ENS_LANES];

    ens_lanes_store(v, f(ens_lanes_all(x)));
    for (size_t k = 1; k < ENS_LANES; k++)
        ck_assert_mem_eq(&v[k], &v[0], sizeof(v[0]));
    return v[0];
}

static ens_lanes exp_of(ens_lanes x)
{
    return ens_lanes_exp(x);
}

static ens_lanes log_of(ens_lanes x)
{
    return ens_lanes_log(x);
}

START_TEST(exp_and_log_are_within_two_units)
{
    double worst[2] = {0, 0};
    struct ens_rng g;

    ens_rng_set(&g, 1, 2, 3, 4);
    for (size_t i = 0; i < N; i++) {
        double x = 1400 * ens_rng_uniform(&g) - 700;
        double near = i % 2 ? 1 + 0.5 * ens_rng_normal(&g) : 0;
        double y = near > 0 ? near : exp(x);

        if (i % 3 == 0)
            x = ens_rng_normal(&g);
        worst[0] = fmax(worst[0], ulps(one(exp_of, x), exp(x)));
        worst[1] = fmax(worst[1], ulps(one(log_of, y), log(y)));
    }
    ck_assert_msg(worst[0] <= 2, "exp: %g", worst[0]);
    ck_assert_msg(worst[1] <= 2, "log: %g", worst[1]);
}
END_TEST

START_TEST(ends_are_as_said)
{
    ck_assert_double_eq(one(exp_of, 0), 1);
    ck_assert_double_eq(one(log_of, 1), 0);
    ck_assert_double_eq(one(exp_of, 1e10), one(exp_of, 709));
    ck_assert_double_eq(one(exp_of, INFINITY), one(exp_of, 709));
    ck_assert_double_eq(one(exp_of, -1e10), one(exp_of, -708));
    ck_assert(isnan(one(exp_of, NAN)));
    ck_assert(isnan(one(log_of, NAN)));
    ck_assert(ulps(one(log_of, 2.2250738585072014e-308), -708.39641853226408) <
              2);
    ck_assert(ulps(one(log_of, 1.7e308), log(1.7e308)) < 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lanes");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_test(t, exp_and_log_are_within_two_units);
    tcase_add_test(t, ends_are_as_said);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
