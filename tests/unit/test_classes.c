/* Learners of classes from moments, where data are awkward; their numbers are
 * in tests/oracle/test_near. */
#include "../learning.h"

#include "base/bug.h"
#include "learn/classes.h"

#define N 600
#define P 3

static const char *const learners[] = {"naive_bayes", "lda", "qda"};
static double x[N * P], y[N];

/* Class k about k in each column. */
static struct table fill(uint32_t n_classes)
{
    uint32_t seed = 7;

    for (size_t i = 0; i < N; i++)
        y[i] = (double)(i * 7 % n_classes);
    for (size_t i = 0; i < N * P; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (seed >> 8) / (double)(1 << 24) + y[i / P];
    }
    return (struct table){.x = x,
                          .y = y,
                          .n_source = N,
                          .p = P,
                          .n = N,
                          .family = n_classes == 2 ? ENS_OUTCOME_BINOMIAL
                                                   : ENS_OUTCOME_MULTINOMIAL,
                          .n_classes = n_classes};
}

/* Moments far from zero, over many blocks, against two passes. */
START_TEST(moments_are_those_of_two_passes)
{
    struct table t = fill(3);
    struct ens_rows r = table_rows(&t);
    struct ens_classes c;
    struct learning l;

    for (size_t i = 0; i < N * P; i++)
        x[i] += 1e7;
    ck_assert_int_eq(learning_open(&l, "lda", NULL, &t), ENS_OK);
    ck_assert_int_eq(ens_classes_count(&c, &l.job, &r, 1, NULL), ENS_OK);
    for (size_t k = 0; k < 3; k++) {
        double mean[P] = {0}, n = 0;

        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < P && y[i] == (double)k; j++)
                mean[j] += x[i * P + j] - 1e7;
        for (size_t i = 0; i < N; i++)
            n += y[i] == (double)k;
        ck_assert_uint_eq(c.rows[k], (uint64_t)n);
        for (size_t j = 0; j < P; j++) {
            mean[j] /= n;
            ck_assert_double_eq_tol(c.mean[k * P + j], mean[j] + 1e7, 1e-8);
        }
        for (size_t j = 0; j < P; j++)
            for (size_t h = 0; h < P; h++) {
                double m2 = 0;

                for (size_t i = 0; i < N; i++)
                    if (y[i] == (double)k)
                        m2 += (x[i * P + j] - 1e7 - mean[j]) *
                              (x[i * P + h] - 1e7 - mean[h]);
                ck_assert_double_eq_tol(c.m2[(k * P + j) * P + h], m2, 1e-6);
            }
    }
    learning_close(&l);
}
END_TEST

/* A class that no training row has gets the probability 0, the others share
 * the rest. */
START_TEST(an_absent_class_has_no_probability)
{
    struct table t = fill(3);
    double out[100 * 4];
    struct learning l;

    t.n_classes = 4;
    for (size_t i = 0; i < N; i++)
        y[i] = y[i] > 0 ? y[i] + 1 : 0; /* 0, 2, 3 */
    ck_assert_int_eq(learning_open(&l, learners[_i], NULL, &t), ENS_OK);
    ck_assert_msg(learning_fit(&l, &t) == ENS_OK, "%s", l.err.text);
    t.n = 100;
    ck_assert_int_eq(learning_predict(&l, &t, &t, 100, out), ENS_OK);
    for (size_t i = 0; i < 100; i++) {
        const double *share = out + i * 4;

        ck_assert_double_eq(share[1], 0);
        ck_assert_double_eq_tol(share[0] + share[2] + share[3], 1, 1e-12);
        ck_assert_double_gt(share[(size_t)y[i]], 0.5);
    }
    learning_close(&l);
}
END_TEST

START_TEST(a_single_class_is_certain)
{
    struct table t = fill(2);
    double out[N];
    struct learning l;

    for (size_t i = 0; i < N; i++)
        y[i] = 1;
    ck_assert_int_eq(learning_open(&l, learners[_i], NULL, &t), ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &t), ENS_OK);
    ck_assert_int_eq(learning_predict(&l, &t, &t, 100, out), ENS_OK);
    for (size_t i = 0; i < N; i++)
        ck_assert_double_eq(out[i], 1);
    learning_close(&l);
}
END_TEST

/* Constant columns carry nothing; a covariance without an inverse is refused
 * by the one learner that needs it. */
START_TEST(constant_columns_are_survived_or_named)
{
    struct table t = fill(2);
    double out[N];
    struct learning l;
    enum ens_status s;

    for (size_t i = 0; i < N; i++)
        x[i * P + 1] = 5;
    ck_assert_int_eq(learning_open(&l, learners[_i], NULL, &t), ENS_OK);
    s = learning_fit(&l, &t);
    if (_i == 2) {
        ck_assert_int_eq(s, ENS_EDOMAIN);
        ck_assert_ptr_nonnull(strstr(l.err.text, "collinear in class 0"));
        learning_close(&l);
        return;
    }
    ck_assert_int_eq(s, ENS_OK);
    ck_assert_int_eq(l.warning[0] != '\0', _i == 1);
    ck_assert_int_eq(learning_predict(&l, &t, &t, 100, out), ENS_OK);
    for (size_t i = 0; i < N; i++)
        ck_assert_int_eq(out[i] > 0.5, y[i] > 0.5);
    learning_close(&l);
}
END_TEST

START_TEST(too_few_rows_are_named)
{
    static const char *const text[] = {"constant in class 0",
                                       "more rows than classes are needed",
                                       "class 0 has one training row"};
    static const char *const none[] = {"var_smoothing=0", NULL};
    struct table t = fill(2);
    struct learning l;

    t.n = 2;
    ck_assert_int_eq(learning_open(&l, learners[_i], _i == 0 ? none : NULL, &t),
                     ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &t), ENS_EDOMAIN);
    ck_assert_msg(strstr(l.err.text, text[_i]) != NULL, "%s", l.err.text);
    learning_close(&l);
}
END_TEST

START_TEST(wrong_priors_are_a_study_error)
{
    static const char *const priors[][2] = {{"priors=0.5 0.2 0.3", NULL},
                                            {"priors=0.5 0.6", NULL},
                                            {"priors=-0.5 1.5", NULL}};
    struct table t = fill(2);
    struct learning l;

    for (size_t i = 0; i < ENS_COUNT(priors); i++) {
        ck_assert_int_eq(learning_open(&l, learners[_i], priors[i], &t),
                         ENS_ESTUDY);
        learning_close(&l);
    }
}
END_TEST

START_TEST(damaged_models_are_refused)
{
    struct table t = fill(2);
    double out[N];
    struct learning l;

    ck_assert_int_eq(learning_open(&l, learners[_i], NULL, &t), ENS_OK);
    ck_assert_int_eq(learning_fit(&l, &t), ENS_OK);
    l.model.bytes -= sizeof(double);
    ck_assert_int_eq(learning_predict(&l, &t, &t, N, out), ENS_EDOMAIN);
    l.model.bytes += sizeof(double);
    memset((void *)(uintptr_t)l.model.data, 0xff, l.model.bytes);
    ck_assert_int_eq(learning_predict(&l, &t, &t, N, out), ENS_EDOMAIN);
    learning_close(&l);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("classes");
    TCase *t = tcase_create("classes");
    SRunner *r = srunner_create(s);
    int failed, n = (int)ENS_COUNT(learners);

    tcase_add_test(t, moments_are_those_of_two_passes);
    tcase_add_loop_test(t, an_absent_class_has_no_probability, 0, n);
    tcase_add_loop_test(t, a_single_class_is_certain, 0, n);
    tcase_add_loop_test(t, constant_columns_are_survived_or_named, 0, n);
    tcase_add_loop_test(t, too_few_rows_are_named, 0, n);
    tcase_add_loop_test(t, wrong_priors_are_a_study_error, 0, n);
    tcase_add_loop_test(t, damaged_models_are_refused, 0, n);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
