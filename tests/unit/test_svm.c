/* Learners svm and svm_linear beside their numbers (tests/oracle/test_near). */
#include "../learning.h"

#include "base/bug.h"
#include "learn/svm_kernel.h"

#include <fcntl.h>
#include <unistd.h>

#define N 200
#define P 3

static const char *const learners[] = {"svm", "svm_linear"};
static double x[N * P], y[N];

static struct table fill(enum ens_outcome_family family, uint32_t n_classes)
{
    uint32_t seed = 7;

    for (size_t i = 0; i < N; i++)
        y[i] = n_classes > 0 ? (double)(i * 7 % n_classes) : (double)(i % 13);
    for (size_t i = 0; i < N * P; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = 2 * (seed >> 8) / (double)(1 << 24) + (i % P == 0) * y[i / P];
    }
    return (struct table){.x = x,
                          .y = y,
                          .n_source = N,
                          .p = P,
                          .n = N,
                          .family = family,
                          .n_classes = n_classes};
}

static void run(const char *name, const char *const *settings, struct table *t,
                double *out)
{
    struct learning l;

    ck_assert_int_eq(learning_open(&l, name, settings, t), ENS_OK);
    ck_assert_msg(learning_fit(&l, t) == ENS_OK, "%s", l.err.text);
    ck_assert_msg(learning_predict(&l, t, t, 33, out) == ENS_OK, "%s",
                  l.err.text);
    learning_close(&l);
}

/* Both libraries draw from rand(): neither what was drawn before nor another
 * fit in between may be seen, nor may they be seen by others. */
START_TEST(random_numbers_are_those_of_the_task)
{
    static double a[N * 3], b[N * 3];
    struct table t = fill(ENS_OUTCOME_MULTINOMIAL, 3);
    uint32_t expected, got;
    char state[128];
    char *before = initstate(5, state, sizeof(state));

    run(learners[_i], NULL, &t, a);
    expected = (uint32_t)random();
    setstate(before);
    before = initstate(5, state, sizeof(state));
    got = (uint32_t)random();
    ck_assert_uint_eq(got, expected);
    for (int k = 0; k < 100; k++)
        (void)random();
    run(learners[_i], NULL, &t, b);
    setstate(before);
    ck_assert_int_eq(memcmp(a, b, sizeof(a)), 0);
}
END_TEST

START_TEST(libraries_print_nothing)
{
    static double out[N];
    struct table t = fill(ENS_OUTCOME_BINOMIAL, 2);
    char path[] = "/tmp/ens_svm_XXXXXX", byte;
    int file = mkstemp(path), keep[2] = {dup(1), dup(2)};

    ck_assert_int_ge(file, 0);
    unlink(path);
    fflush(NULL);
    ck_assert(dup2(file, 1) == 1 && dup2(file, 2) == 2);
    run(learners[_i], NULL, &t, out);
    fflush(NULL);
    ck_assert(dup2(keep[0], 1) == 1 && dup2(keep[1], 2) == 2);
    ck_assert_int_eq(pread(file, &byte, 1, 0), 0);
    close(file);
    close(keep[0]);
    close(keep[1]);
}
END_TEST

START_TEST(probabilities_are_probabilities)
{
    static double out[N * 3], two[N];
    struct table t = fill(ENS_OUTCOME_MULTINOMIAL, 3);
    size_t right = 0;

    run("svm", NULL, &t, out);
    for (size_t i = 0; i < N; i++) {
        const double *share = out + i * 3;
        size_t best = share[1] > share[0];

        best = share[2] > share[best] ? 2 : best;
        right += (double)best == y[i];
        ck_assert_double_eq_tol(share[0] + share[1] + share[2], 1, 1e-12);
    }
    ck_assert_uint_gt(right, N / 2);
    t = fill(ENS_OUTCOME_BINOMIAL, 2);
    run("svm", NULL, &t, two);
    right = 0;
    for (size_t i = 0; i < N; i++) {
        ck_assert(two[i] > 0 && two[i] < 1);
        right += (two[i] > 0.5) == (y[i] > 0.5);
    }
    ck_assert_uint_gt(right, N * 6 / 10);
}
END_TEST

/* Classes that the training rows lack are never predicted. */
START_TEST(absent_classes_are_not_predicted)
{
    static double out[N * 4];
    struct table t = fill(ENS_OUTCOME_MULTINOMIAL, 2);

    for (size_t i = 0; i < N; i++)
        y[i] = y[i] > 0 ? 3 : 1;
    t.n_classes = 4;
    run(learners[_i], NULL, &t, out);
    for (size_t i = 0; i < N; i++) {
        ck_assert(out[i * 4] == 0 && out[i * 4 + 2] == 0);
        ck_assert_double_eq_tol(out[i * 4 + 1] + out[i * 4 + 3], 1, 1e-12);
    }
    for (size_t i = 0; i < N; i++)
        y[i] = 2;
    run(learners[_i], NULL, &t, out);
    for (size_t i = 0; i < N; i++)
        ck_assert_double_eq(out[i * 4 + 2], 1);
    t = fill(ENS_OUTCOME_BINOMIAL, 2);
    for (size_t i = 0; i < N; i++)
        y[i] = 0;
    run(learners[_i], NULL, &t, out);
    for (size_t i = 0; i < N; i++)
        ck_assert_double_eq(out[i], 0);
}
END_TEST

START_TEST(a_row_limit_is_an_error_that_says_so)
{
    static const char *const few[] = {"max_rows=100", NULL};
    struct table t = fill(ENS_OUTCOME_GAUSSIAN, 0);
    struct learning l;

    ck_assert_int_eq(learning_open(&l, "svm", few, &t), ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &t), ENS_EDOMAIN);
    ck_assert_ptr_nonnull(
        strstr(l.err.text, "200 training rows, max_rows = 100"));
    learning_close(&l);
}
END_TEST

START_TEST(settings_that_do_not_fit_are_study_errors)
{
    static const char *const linear[] = {"loss=linear", "solver=primal", NULL};
    static const char *const gamma[][2] = {{"gamma=wide", NULL},
                                           {"gamma=0", NULL},
                                           {"gamma=-1", NULL},
                                           {"gamma=inf", NULL}};
    struct table t = fill(ENS_OUTCOME_BINOMIAL, 2);
    struct learning l;

    ck_assert_int_eq(learning_open(&l, "svm_linear", linear, &t), ENS_ESTUDY);
    learning_close(&l);
    for (size_t i = 0; i < ENS_COUNT(gamma); i++) {
        ck_assert_int_eq(learning_open(&l, "svm", gamma[i], &t), ENS_ESTUDY);
        learning_close(&l);
    }
}
END_TEST

START_TEST(a_damaged_machine_is_refused_or_survived)
{
    static double out[N * 3];
    struct table t = fill(ENS_OUTCOME_MULTINOMIAL, 3);
    struct learning l;
    unsigned char *byte;
    size_t bytes;

    t.n = 40;
    ck_assert_int_eq(learning_open(&l, "svm", NULL, &t), ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &t), ENS_OK);
    byte = (unsigned char *)(uintptr_t)l.model.data;
    bytes = l.model.bytes;
    for (size_t i = 0; i < bytes && i < 600; i++) {
        byte[i] ^= 0x91;
        (void)learning_predict(&l, &t, &t, 40, out);
        byte[i] ^= 0x91;
    }
    for (l.model.bytes = 0; l.model.bytes < bytes; l.model.bytes += 56)
        ck_assert_int_eq(learning_predict(&l, &t, &t, 40, out), ENS_EDOMAIN);
    learning_close(&l);
}
END_TEST

START_TEST(memory_counts_the_copy)
{
    struct table t = fill(ENS_OUTCOME_GAUSSIAN, 0);
    struct learning l;

    ck_assert_int_eq(learning_open(&l, learners[_i], NULL, &t), ENS_OK);
    ck_assert_uint_ge(l.ops->memory(l.job.options, 1000, 10), 1000 * 11 * 16);
    learning_close(&l);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("svm");
    TCase *t = tcase_create("svm");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, random_numbers_are_those_of_the_task, 0, 2);
    tcase_add_loop_test(t, libraries_print_nothing, 0, 2);
    tcase_add_test(t, probabilities_are_probabilities);
    tcase_add_loop_test(t, absent_classes_are_not_predicted, 0, 2);
    tcase_add_test(t, a_row_limit_is_an_error_that_says_so);
    tcase_add_test(t, settings_that_do_not_fit_are_study_errors);
    tcase_add_test(t, a_damaged_machine_is_refused_or_survived);
    tcase_add_loop_test(t, memory_counts_the_copy, 0, 2);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
