/* Learner knn beside its numbers (tests/oracle/test_near). */
#include "../learning.h"

#include "base/bug.h"

#define N 400
#define P 3

static double x[N * P], y[N];

static struct table fill(double levels)
{
    uint32_t seed = 7;

    for (size_t i = 0; i < N * P; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = floor((seed >> 8) / (double)(1 << 24) * levels);
    }
    for (size_t i = 0; i < N; i++)
        y[i] = x[i * P] + 0.1 * (double)i;
    return (struct table){
        .x = x, .y = y, .n_source = N, .p = P, .n = N, .direct = 1};
}

/* Algorithm, layout and the size of blocks are no part of a result, ties or
 * not. */
START_TEST(ways_to_look_agree_in_every_bit)
{
    static const char *const way[][3] = {{"algorithm=kd_tree", "k=6", NULL},
                                         {"algorithm=brute", "k=6", NULL}};
    static double out[4][N];
    struct table t = fill(_i ? 3 : 1e6);

    for (size_t i = 0; i < 4; i++) {
        struct learning l;

        t.direct = i < 2;
        ck_assert_int_eq(learning_open(&l, "knn", way[i % 2], &t), ENS_OK);
        ck_assert_int_eq(learning_fit(&l, &t), ENS_OK);
        ck_assert_int_eq(learning_predict(&l, &t, &t, i == 0 ? 1 : 150, out[i]),
                         ENS_OK);
        ck_assert_int_eq(memcmp(out[i], out[0], sizeof(out[0])), 0);
        learning_close(&l);
    }
}
END_TEST

/* Of nine rows equally far the first five count. */
START_TEST(of_ties_the_first_rows_count)
{
    double same[9] = {0}, number[9] = {0, 1, 2, 3, 4, 50, 60, 70, 80}, out;
    struct table t = {
        .x = same, .y = number, .n_source = 9, .p = 1, .n = 9, .direct = 1};
    struct table one = t;
    struct learning l;

    one.n = 1;
    ck_assert_int_eq(learning_open(&l, "knn", NULL, &t), ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &t), ENS_OK);
    ck_assert_int_eq(learning_predict(&l, &t, &one, 1, &out), ENS_OK);
    ck_assert_double_eq(out, 2);
    learning_close(&l);
}
END_TEST

START_TEST(more_neighbours_than_rows_are_refused)
{
    static const char *const k[] = {"k=401", NULL};
    struct table t = fill(10);
    struct learning l;

    ck_assert_int_eq(learning_open(&l, "knn", k, &t), ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &t), ENS_EDOMAIN);
    ck_assert_str_eq(l.err.text,
                     "knn: k = 401, but there are 400 training rows");
    learning_close(&l);
}
END_TEST

START_TEST(a_model_of_other_rows_is_refused)
{
    struct table t = fill(10), fewer = t;
    struct learning l;
    double out[N];

    ck_assert_int_eq(learning_open(&l, "knn", NULL, &t), ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &t), ENS_OK);
    fewer.n--;
    ck_assert_int_eq(learning_predict(&l, &fewer, &t, N, out), ENS_EDOMAIN);
    l.model.bytes -= 4;
    ck_assert_int_eq(learning_predict(&l, &t, &t, N, out), ENS_EDOMAIN);
    l.model.bytes = 3;
    ck_assert_int_eq(learning_predict(&l, &t, &t, N, out), ENS_EDOMAIN);
    learning_close(&l);
}
END_TEST

START_TEST(memory_is_what_a_tree_takes)
{
    static const char *const brute[] = {"algorithm=brute", NULL};
    struct table t = fill(10);
    struct learning l;

    ck_assert_int_eq(learning_open(&l, "knn", NULL, &t), ENS_OK);
    ck_assert_uint_gt(l.ops->memory(l.job.options, 1000000, 2), 20000000);
    ck_assert_uint_lt(l.ops->memory(l.job.options, 1000000, 2), 22000000);
    ck_assert_uint_eq(l.ops->memory(l.job.options, 1000000, 50), 0);
    learning_close(&l);
    ck_assert_int_eq(learning_open(&l, "knn", brute, &t), ENS_OK);
    ck_assert_uint_eq(l.ops->memory(l.job.options, 1000000, 2), 0);
    learning_close(&l);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("knn");
    TCase *t = tcase_create("knn");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, ways_to_look_agree_in_every_bit, 0, 2);
    tcase_add_test(t, of_ties_the_first_rows_count);
    tcase_add_test(t, more_neighbours_than_rows_are_refused);
    tcase_add_test(t, a_model_of_other_rows_is_refused);
    tcase_add_test(t, memory_is_what_a_tree_takes);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
