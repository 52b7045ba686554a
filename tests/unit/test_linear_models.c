/* Linear learners at the edges: separated and absent classes, weights, blocks,
 * damage; coordinate descent by its conditions. */
#include "../learning.h"

#include "base/bug.h"
#include "learn/descent.h"
#include "learn/linear.h"
#include "math/rng.h"

#define N     500
#define MAX_P 40

static double x[2 * N * MAX_P], y[2 * N], w[2 * N], out[3 * N], other[3 * N];

static void fill(size_t n, size_t p)
{
    struct ens_rng g;

    ens_rng_set(&g, 11, p, 0, 0);
    for (size_t i = 0; i < n; i++) {
        double eta = 0;

        for (size_t j = 0; j < p; j++) {
            x[i * p + j] = ens_rng_normal(&g) + (double)j;
            eta += j < 3 ? x[i * p + j] - (double)j : 0;
        }
        y[i] = eta + ens_rng_normal(&g);
        w[i] = (double)(1 + i % 3);
    }
}

/* Responses that a learner takes. */
static enum ens_outcome_family respond(const char *name, size_t n)
{
    int counts = strcmp(name, "poisson") == 0;
    int three = strcmp(name, "logistic3") == 0;

    if (strcmp(name, "logistic") && !counts && !three)
        return ENS_OUTCOME_GAUSSIAN;
    for (size_t i = 0; i < n; i++)
        y[i] = counts  ? floor(fabs(y[i]))
               : three ? (double)((y[i] > -1) + (y[i] > 1))
                       : (double)(y[i] > 0);
    return counts  ? ENS_OUTCOME_POISSON
           : three ? ENS_OUTCOME_MULTINOMIAL
                   : ENS_OUTCOME_BINOMIAL;
}

static const struct {
    const char *name; /* "logistic3": of three classes */
    const char *settings[3];
} learner[] = {
    {"ols", {NULL}},
    {"ridge", {NULL}},
    {"ridge", {"intercept=no", NULL}},
    {"lasso", {"alpha=0.1", NULL}},
    {"elastic_net", {"alpha=0.1", NULL}},
    {"lasso_cv", {NULL}},
    {"elastic_net_cv", {NULL}},
    {"ridge_cv", {NULL}},
    {"logistic", {NULL}},
    {"logistic", {"penalty=l1", "C=0.1", NULL}},
    {"logistic", {"penalty=none", NULL}},
    {"logistic3", {NULL}},
    {"logistic3", {"penalty=none", NULL}},
    {"logistic3", {"penalty=l1", "C=0.1", NULL}},
    {"poisson", {NULL}},
};

static struct table table_for(int i, size_t n, size_t p)
{
    fill(n, p);
    return (struct table){.x = x,
                          .y = y,
                          .n_source = n,
                          .p = p,
                          .n = n,
                          .family = respond(learner[i].name, n),
                          .n_classes =
                              strcmp(learner[i].name, "logistic3") ? 2 : 3};
}

static void open_and_fit(struct learning *l, int i, struct table *t)
{
    char name[20];

    strncpy(name, learner[i].name, sizeof(name) - 1);
    name[strcspn(name, "3")] = '\0';
    ck_assert(learning_open(l, name, learner[i].settings, t) == ENS_OK);
    ck_assert_msg(learning_fit(l, t) == ENS_OK, "%s", l->err.text);
}

START_TEST(rows_are_predicted_by_themselves)
{
    static const size_t columns[] = {1, 7, 8, 9, 17};

    for (size_t c = 0; c < ENS_COUNT(columns); c++) {
        struct table t = table_for(_i, N, columns[c]);
        struct learning l;
        size_t bytes;

        open_and_fit(&l, _i, &t);
        bytes = N * l.job.n_out * sizeof(*out);
        ck_assert(learning_predict(&l, &t, &t, N, out) == ENS_OK);
        for (size_t k = 0; k < N * l.job.n_out; k++)
            ck_assert(isfinite(out[k]));
        for (size_t block = 1; block < 40; block += 6) {
            ck_assert(learning_predict(&l, &t, &t, block, other) == ENS_OK);
            ck_assert_mem_eq(out, other, bytes);
        }
        learning_close(&l);
    }
}
END_TEST

START_TEST(fits_give_the_same_bytes)
{
    struct table t = table_for(_i, N, 9);
    struct learning a, b;

    open_and_fit(&a, _i, &t);
    open_and_fit(&b, _i, &t);
    ck_assert_uint_eq(a.model.bytes, b.model.bytes);
    ck_assert_mem_eq(a.model.data, b.model.data, a.model.bytes);
    learning_close(&a);
    learning_close(&b);
}
END_TEST

/* But for inner folds, which are made of rows. */
START_TEST(a_weight_of_two_is_a_row_twice)
{
    size_t p = 5, n = N / 2;
    struct table t = table_for(_i, n, p), twice;
    struct learning a, b;

    if (strstr(learner[_i].name, "_cv"))
        return;
    for (size_t i = 0; i < n; i++)
        w[i] = (double)(i % 3);
    t.w = w;
    open_and_fit(&a, _i, &t);
    ck_assert(learning_predict(&a, &t, &t, n, out) == ENS_OK);
    twice = t;
    twice.w = NULL;
    twice.index = ens_arena_alloc(&a.arena, 2 * n, sizeof(uint64_t));
    twice.n = 0;
    for (uint64_t i = 0; i < n; i++)
        for (size_t k = 0; k < i % 3; k++)
            ((uint64_t *)(uintptr_t)twice.index)[twice.n++] = i;
    open_and_fit(&b, _i, &twice);
    ck_assert(learning_predict(&b, &twice, &t, n, other) == ENS_OK);
    for (size_t i = 0; i < n * a.job.n_out; i++)
        ck_assert_msg(fabs(out[i] - other[i]) < 1e-9, "%g, not %g", out[i],
                      other[i]);
    learning_close(&a);
    learning_close(&b);
}
END_TEST

START_TEST(damaged_models_are_refused)
{
    struct table t = table_for(_i, 50, 4), wider = t;
    struct learning l;
    struct ens_linear *m;

    open_and_fit(&l, _i, &t);
    m = (void *)(uintptr_t)l.model.data;
    wider.p = 5;
    wider.n = 10;
    ck_assert(learning_predict(&l, &t, &wider, 5, out) == ENS_EDOMAIN);
    l.model.bytes -= 8;
    ck_assert(learning_predict(&l, &t, &t, 5, out) == ENS_EDOMAIN);
    l.model.bytes = 3;
    ck_assert(learning_predict(&l, &t, &t, 5, out) == ENS_EDOMAIN);
    ck_assert_str_eq(l.err.text, "linear learner: damaged model");
    l.model.bytes = sizeof(*m) + (8 + l.job.n_out * 16) * sizeof(double);
    ck_assert(learning_predict(&l, &t, &t, 5, out) == ENS_OK);
    m->stride = UINT64_MAX;
    ck_assert(learning_predict(&l, &t, &t, 5, out) == ENS_EDOMAIN);
    m->stride = 8;
    m->link = 99;
    ck_assert(learning_predict(&l, &t, &t, 5, out) == ENS_EDOMAIN);
    learning_close(&l);
}
END_TEST

START_TEST(hopeless_rows_are_refused)
{
    static double wide[2 * (ENS_LINEAR_MAX + 1)];
    struct table t = table_for(_i, 50, 4);
    struct learning l;

    memset(w, 0, sizeof(w));
    t.w = w;
    ck_assert(learning_open(&l,
                            t.n_classes == 3 ? "logistic" : learner[_i].name,
                            learner[_i].settings, &t) == ENS_OK);
    ck_assert(learning_fit(&l, &t) == ENS_EDOMAIN);
    ck_assert_str_eq(l.err.text, "all weights are 0");
    t.w = NULL;
    t.n = 0;
    ck_assert(learning_fit(&l, &t) == ENS_EDOMAIN);
    ck_assert_str_eq(l.err.text, "no rows");
    t.n = 50;
    x[4 * 17 + 2] = 1e200;
    ck_assert(learning_fit(&l, &t) == ENS_EDOMAIN);
    ck_assert(strstr(l.err.text, "too large") != NULL);
    t.n = 2;
    t.x = wide;
    t.p = ENS_LINEAR_MAX + 1;
    ck_assert(learning_fit(&l, &t) == ENS_EDOMAIN);
    ck_assert_str_eq(l.err.text,
                     "8193 columns; a linear learner takes at most 8192: "
                     "screen them first");
    learning_close(&l);
}
END_TEST

/* All columns constant: the mean of the response is all that is known. */
START_TEST(constant_columns_predict_the_mean)
{
    struct table t = table_for(_i, 60, 3);
    struct learning l;
    double mean = 0;

    if (learner[_i].settings[0] &&
        strcmp(learner[_i].settings[0], "intercept=no") == 0)
        return;
    for (size_t i = 0; i < 180; i++)
        x[i] = 0.1 * (double)(1 + i % 3);
    for (size_t i = 0; i < 60; i++)
        mean += (t.n_classes == 3 ? y[i] == 0 : y[i]) / 60;
    open_and_fit(&l, _i, &t);
    ck_assert(learning_predict(&l, &t, &t, 60, out) == ENS_OK);
    for (size_t i = 0; i < 60; i++)
        ck_assert(fabs(out[i * l.job.n_out] - mean) < 1e-9);
    learning_close(&l);
}
END_TEST

static struct table two_classes(size_t n, size_t p)
{
    fill(n, p);
    respond("logistic", n);
    return (struct table){.x = x,
                          .y = y,
                          .n_source = n,
                          .p = p,
                          .n = n,
                          .family = ENS_OUTCOME_BINOMIAL,
                          .n_classes = 2};
}

/* Wholly, or by one column that some rows of one class alone have. */
START_TEST(separation_is_warned_of)
{
    static const char *const none[] = {"penalty=none", NULL};
    struct table t = two_classes(100, 4);
    struct learning l;

    for (size_t i = 0; i < 100; i++)
        if (_i == 0)
            x[i * 4] = y[i] > 0 ? 1 + x[i * 4 + 1] / 10 : -3;
        else
            x[i * 4] = y[i] > 0 && i % 4 == 0;
    ck_assert(learning_open(&l, "logistic", none, &t) == ENS_OK);
    ck_assert(learning_fit(&l, &t) == ENS_OK);
    ck_assert(strstr(l.warning, "told apart") != NULL);
    ck_assert(learning_predict(&l, &t, &t, 100, out) == ENS_OK);
    for (size_t i = 0; i < 100; i++) {
        ck_assert(out[i] >= 0 && out[i] <= 1);
        if (_i == 0)
            ck_assert(fabs(out[i] - y[i]) < 1e-6);
        else if (x[i * 4] > 0)
            ck_assert(out[i] > 1 - 1e-6);
    }
    learning_close(&l);
    ck_assert(learning_open(&l, "logistic", NULL, &t) == ENS_OK);
    ck_assert(learning_fit(&l, &t) == ENS_OK);
    ck_assert_str_eq(l.warning, "");
    learning_close(&l);
}
END_TEST

START_TEST(classes_without_rows_have_no_probability)
{
    struct table t = two_classes(90, 3), two = t;
    struct learning l, m;

    for (size_t i = 0; i < 90; i++)
        y[i] = y[i] > 0 ? 3 : 1;
    t.family = ENS_OUTCOME_MULTINOMIAL;
    t.n_classes = 4;
    ck_assert(learning_open(&l, "logistic", NULL, &t) == ENS_OK);
    ck_assert(learning_fit(&l, &t) == ENS_OK);
    ck_assert(strstr(l.warning, "not all classes") != NULL);
    ck_assert(learning_predict(&l, &t, &t, 90, out) == ENS_OK);
    for (size_t i = 0; i < 90; i++) {
        ck_assert(out[4 * i] == 0 && out[4 * i + 2] == 0);
        ck_assert(fabs(out[4 * i + 1] + out[4 * i + 3] - 1) < 1e-15);
    }
    learning_close(&l);
    /* the two that are there alone */
    for (size_t i = 0; i < 90; i++)
        y[i] = y[i] > 1;
    two.family = ENS_OUTCOME_MULTINOMIAL;
    ck_assert(learning_open(&m, "logistic", NULL, &two) == ENS_OK);
    ck_assert(learning_fit(&m, &two) == ENS_OK);
    ck_assert_str_eq(m.warning, "");
    ck_assert(learning_predict(&m, &two, &two, 90, other) == ENS_OK);
    for (size_t i = 0; i < 90; i++)
        ck_assert(fabs(out[4 * i + 3] - other[2 * i + 1]) < 1e-12);
    learning_close(&m);
}
END_TEST

START_TEST(one_class_alone_is_certain)
{
    struct table t = two_classes(30, 3);
    struct learning l;

    for (int one = 0; one < 2; one++) {
        for (size_t i = 0; i < 30; i++)
            y[i] = one;
        ck_assert(learning_open(&l, "logistic", NULL, &t) == ENS_OK);
        ck_assert(learning_fit(&l, &t) == ENS_OK);
        ck_assert(strstr(l.warning, "not all classes") != NULL);
        ck_assert(learning_predict(&l, &t, &t, 30, out) == ENS_OK);
        for (size_t i = 0; i < 30; i++)
            ck_assert(fabs(out[i] - one) < 1e-300);
        learning_close(&l);
    }
}
END_TEST

START_TEST(responses_are_checked)
{
    struct table t = two_classes(30, 3);
    struct learning l;

    y[7] = 0.5;
    ck_assert(learning_open(&l, "logistic", NULL, &t) == ENS_OK);
    ck_assert(learning_fit(&l, &t) == ENS_EDOMAIN);
    ck_assert_str_eq(l.err.text, "the response is 0.5 in row 8; a class number "
                                 "of 0 .. 1");
    y[7] = 2;
    ck_assert(learning_fit(&l, &t) == ENS_EDOMAIN);
    learning_close(&l);
    t.family = ENS_OUTCOME_POISSON;
    y[7] = -1;
    ck_assert(learning_open(&l, "poisson", NULL, &t) == ENS_OK);
    ck_assert(learning_fit(&l, &t) == ENS_EDOMAIN);
    ck_assert_str_eq(l.err.text, "the response is -1 in row 8; at least 0");
    memset(y, 0, sizeof(y));
    ck_assert(learning_fit(&l, &t) == ENS_OK);
    ck_assert_str_eq(l.warning, "all responses are 0");
    ck_assert(learning_predict(&l, &t, &t, 30, out) == ENS_OK);
    ck_assert(out[0] >= 0 && out[29] < 1e-300);
    learning_close(&l);
}
END_TEST

/* The same column twice: predictions are those of one of them. */
START_TEST(columns_that_are_twice_there_change_nothing)
{
    static const char *const none[] = {"penalty=none", NULL};
    struct table t = two_classes(100, 3);
    struct learning l;

    ck_assert(learning_open(&l, "logistic", none, &t) == ENS_OK);
    ck_assert(learning_fit(&l, &t) == ENS_OK);
    ck_assert(learning_predict(&l, &t, &t, 100, out) == ENS_OK);
    learning_close(&l);
    for (size_t i = 100; i-- > 0;) {
        double row[4] = {x[i * 3], x[i * 3 + 1], x[i * 3 + 2], x[i * 3 + 1]};

        memcpy(x + i * 4, row, sizeof(row));
    }
    t.p = 4;
    ck_assert(learning_open(&l, "logistic", none, &t) == ENS_OK);
    ck_assert(learning_fit(&l, &t) == ENS_OK);
    ck_assert(strstr(l.warning, "depend on each other") != NULL);
    ck_assert(learning_predict(&l, &t, &t, 100, other) == ENS_OK);
    for (size_t i = 0; i < 100; i++)
        ck_assert(fabs(out[i] - other[i]) < 1e-9);
    learning_close(&l);
}
END_TEST

/* -- coordinate descent ------------------------------------------------ */

static double c[MAX_P * MAX_P], k[MAX_P], b[MAX_P],
    work[MAX_P * MAX_P + 4 * MAX_P];

/* Moments of n rows: n < p makes C singular; near: columns nearly equal. */
static void form(size_t n, size_t p, double near, struct ens_descent *q)
{
    fill(n, p);
    memset(c, 0, sizeof(c));
    memset(k, 0, sizeof(k));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            x[i * p + j] += near * x[i * p] - (double)j;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++) {
            k[j] += x[i * p + j] * y[i] / (double)n;
            for (size_t m = 0; m < p; m++)
                c[j * p + m] += x[i * p + j] * x[i * p + m] / (double)n;
        }
    *q = (struct ens_descent){.p = p, .c = c, .k = k};
}

static const struct {
    size_t n, p;
    double near, share, ratio;
    int positive;
} problem[] = {
    {100, 5, 0, 0.1, 1, 0},     {100, 40, 0, 0.01, 1, 0},
    {100, 40, 0, 0.01, 0.5, 0}, {20, 40, 0, 0.05, 1, 0},
    {20, 40, 0, 0.0001, 1, 0},  {20, 40, 0, 0.05, 0.9, 0},
    {100, 20, 30, 0.001, 1, 0}, {100, 20, 1000, 1e-6, 1, 0},
    {100, 40, 0, 0.01, 1, 1},   {100, 10, 0, 0, 1, 0},
    {100, 10, 0, 0.01, 0, 0},
};

START_TEST(descent_ends_where_no_derivative_is_left)
{
    struct ens_descent q;
    double top;

    form(problem[_i].n, problem[_i].p, problem[_i].near, &q);
    q.positive = problem[_i].positive;
    top = ens_descent_start(&q);
    q.l1 = problem[_i].share * top * problem[_i].ratio;
    q.l2 = problem[_i].share * top * (1 - problem[_i].ratio);
    memset(b, 0, sizeof(b));
    ck_assert(ens_descent_solve(&q, b, work));
    for (size_t j = 0; j < q.p; j++) {
        double r = k[j] - q.l2 * b[j];

        for (size_t i = 0; i < q.p; i++)
            r -= c[j * q.p + i] * b[i];
        if (b[j] != 0)
            ck_assert_msg(fabs(r - copysign(q.l1, b[j])) < 1e-11 * top,
                          "%zu: %g", j, r / top);
        else
            ck_assert((q.positive ? r : fabs(r)) <= q.l1 + 1e-11 * top);
        ck_assert(!q.positive || b[j] >= 0);
    }
    /* from the end it goes nowhere, and beyond the first penalty all is 0 */
    ck_assert(ens_descent_solve(&q, b, work));
    q.l1 = top * (1 + 1e-12);
    ck_assert(ens_descent_solve(&q, b, work));
    for (size_t j = 0; j < q.p && q.l2 == 0; j++)
        ck_assert(b[j] == 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("linear_models");
    TCase *t = tcase_create("linear_models");
    SRunner *r = srunner_create(s);
    int failed, n = (int)ENS_COUNT(learner);

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, rows_are_predicted_by_themselves, 0, n);
    tcase_add_loop_test(t, fits_give_the_same_bytes, 0, n);
    tcase_add_loop_test(t, a_weight_of_two_is_a_row_twice, 0, n);
    tcase_add_loop_test(t, damaged_models_are_refused, 0, n);
    tcase_add_loop_test(t, hopeless_rows_are_refused, 0, n);
    tcase_add_loop_test(t, constant_columns_predict_the_mean, 0, n);
    tcase_add_loop_test(t, separation_is_warned_of, 0, 2);
    tcase_add_test(t, classes_without_rows_have_no_probability);
    tcase_add_test(t, one_class_alone_is_certain);
    tcase_add_test(t, responses_are_checked);
    tcase_add_test(t, columns_that_are_twice_there_change_nothing);
    tcase_add_loop_test(t, descent_ends_where_no_derivative_is_left, 0,
                        (int)ENS_COUNT(problem));
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
