/* Joint sums: the same of any split, and back again. */
#include "math/joint.h"

#include "math/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#define N 300

static double x[N], v[N];

static void draw(uint64_t seed)
{
    struct ens_rng g;

    ens_rng_set(&g, seed, 0, 0, 0);
    for (int i = 0; i < N; i++) {
        x[i] = 5 + ens_rng_normal(&g);
        v[i] = x[i] * x[i] + 0.3 * ens_rng_normal(&g);
    }
}

/* In two passes, from the definitions. */
static struct ens_joint directly(int from, int to)
{
    struct ens_joint s = {.n = to - from};

    for (int i = from; i < to; i++) {
        s.x += x[i] / s.n;
        s.v += v[i] / s.n;
    }
    for (int i = from; i < to; i++) {
        double a = x[i] - s.x, b = v[i] - s.v;

        s.x2 += a * a;
        s.x3 += a * a * a;
        s.x4 += a * a * a * a;
        s.v2 += b * b;
        s.xv += a * b;
        s.x2v += a * a * b;
    }
    return s;
}

static void same(const struct ens_joint *a, const struct ens_joint *b)
{
    const double p[][2] = {{a->n, b->n},   {a->x, b->x},   {a->v, b->v},
                           {a->x2, b->x2}, {a->x3, b->x3}, {a->x4, b->x4},
                           {a->v2, b->v2}, {a->xv, b->xv}, {a->x2v, b->x2v}};

    for (size_t k = 0; k < sizeof(p) / sizeof(*p); k++)
        ck_assert_msg(fabs(p[k][0] - p[k][1]) <= 1e-11 * fmax(1, fabs(p[k][1])),
                      "%zu: %.17g %.17g", k, p[k][0], p[k][1]);
}

static struct ens_joint add(int from, int to)
{
    struct ens_joint s = {0};

    for (int i = from; i < to; i++)
        ens_joint_add(&s, x[i], v[i], 1);
    return s;
}

START_TEST(any_split_merges_into_the_whole)
{
    const int cut = _i;
    struct ens_joint whole, left, right;

    draw(3);
    whole = directly(0, N);
    left = add(0, cut);
    right = add(cut, N);
    ens_joint_merge(&left, &right);
    same(&left, &whole);
}
END_TEST

START_TEST(what_is_added_can_be_taken_out)
{
    struct ens_joint s, rest;

    draw(4);
    s = add(0, N);
    for (int i = 0; i < 50; i++)
        ens_joint_add(&s, x[i], v[i], -1);
    rest = directly(50, N);
    same(&s, &rest);
    for (int i = 50; i < N; i++)
        ens_joint_add(&s, x[i], v[i], -1);
    ck_assert(s.n == 0 && s.x == 0 && s.x4 == 0 && s.x2v == 0);
}
END_TEST

START_TEST(a_weight_counts_so_often)
{
    struct ens_joint once = {0}, often = {0};

    draw(5);
    for (int i = 0; i < N; i++) {
        ens_joint_add(&once, x[i], v[i], i % 4);
        for (int k = 0; k < i % 4; k++)
            ens_joint_add(&often, x[i], v[i], 1);
    }
    same(&once, &often);
}
END_TEST

START_TEST(equal_numbers_do_not_vary)
{
    struct ens_joint s = {0};

    for (int i = 0; i < 1000; i++)
        ens_joint_add(&s, 0.1, -7, 1);
    ck_assert(s.x == 0.1 && ens_joint_var_x(&s) == 0 &&
              ens_joint_var_v(&s) == 0);
    s = (struct ens_joint){0};
    ck_assert(isnan(ens_joint_var_x(&s)));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("joint");
    TCase *t = tcase_create("joint");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, any_split_merges_into_the_whole, 0, 20);
    tcase_add_test(t, what_is_added_can_be_taken_out);
    tcase_add_test(t, a_weight_counts_so_often);
    tcase_add_test(t, equal_numbers_do_not_vary);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
