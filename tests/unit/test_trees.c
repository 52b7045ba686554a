/* Trees, forests and boosting: what holds of them whatever the data. */
#include "../growing.h"

#include "math/order.h"

#define ROWS 2000
#define P    3

static double x[ROWS * P], y[ROWS], w[ROWS];
static double a[ROWS * 4], b[ROWS * 4];

static const struct way {
    const char *learner;
    enum ens_outcome_family family;
} ways[] = {
    {"tree", ENS_OUTCOME_GAUSSIAN},      {"tree", ENS_OUTCOME_BINOMIAL},
    {"tree", ENS_OUTCOME_MULTINOMIAL},   {"tree", ENS_OUTCOME_POISSON},
    {"forest", ENS_OUTCOME_GAUSSIAN},    {"forest", ENS_OUTCOME_BINOMIAL},
    {"forest", ENS_OUTCOME_MULTINOMIAL}, {"forest", ENS_OUTCOME_POISSON},
    {"boost", ENS_OUTCOME_GAUSSIAN},     {"boost", ENS_OUTCOME_BINOMIAL},
    {"boost", ENS_OUTCOME_MULTINOMIAL},  {"boost", ENS_OUTCOME_POISSON},
};
#define N_WAYS ((int)(sizeof(ways) / sizeof(ways[0])))

/* Random numbers that look like it. */
static double noise(size_t i)
{
    double v = sin(12.9898 * (double)i) * 43758.5453;

    return v - floor(v);
}

/* A response that columns 0 and 1 say something of. */
static struct table data(enum ens_outcome_family family, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double f;

        for (size_t j = 0; j < P; j++)
            x[i * P + j] = noise(i * P + j);
        x[i * P + 2] = floor(5 * x[i * P + 2]);
        f = sin(6 * x[i * P]) + (x[i * P + 1] > 0.4) + 0.5 * noise(7 * i + 1);
        y[i] = family == ENS_OUTCOME_GAUSSIAN      ? 1000 + f
               : family == ENS_OUTCOME_BINOMIAL    ? f > 0.7
               : family == ENS_OUTCOME_MULTINOMIAL ? (f > 0) + (f > 1)
                                                   : floor(2 * exp(f));
        w[i] = 1;
    }
    return (struct table){.x = x,
                          .y = y,
                          .n_source = n,
                          .p = P,
                          .n = n,
                          .family = family,
                          .n_classes = family == ENS_OUTCOME_MULTINOMIAL ? 3
                                       : family == ENS_OUTCOME_BINOMIAL  ? 2
                                                                         : 0};
}

static size_t outputs(const struct table *t)
{
    return t->family == ENS_OUTCOME_MULTINOMIAL ? t->n_classes : 1;
}

/* Mean loss of predictions: squared error, of class shares over all of them. */
static double badness(const struct table *t, const double *out)
{
    size_t k = outputs(t);
    double sum = 0;

    for (size_t i = 0; i < t->n; i++)
        for (size_t j = 0; j < k; j++) {
            double is = k > 1 ? y[i] == (double)j : y[i];

            sum += (is - out[i * k + j]) * (is - out[i * k + j]);
        }
    return sum / (double)t->n;
}

/* The same of the best constant. */
static double variance(const struct table *t)
{
    size_t k = outputs(t);
    double sum = 0;

    for (size_t j = 0; j < k; j++) {
        double mean = 0;

        for (size_t i = 0; i < t->n; i++)
            mean += (k > 1 ? y[i] == (double)j : y[i]) / (double)t->n;
        for (size_t i = 0; i < t->n; i++) {
            double d = (k > 1 ? y[i] == (double)j : y[i]) - mean;

            sum += d * d;
        }
    }
    return sum / (double)t->n;
}

START_TEST(learns_something)
{
    struct table t = data(ways[_i].family, ROWS);

    grow_predict(ways[_i].learner, NULL, &t, NULL, 1, &t, a);
    ck_assert_msg(badness(&t, a) < 0.5 * variance(&t), "%s: %g of %g",
                  ways[_i].learner, badness(&t, a), variance(&t));
}
END_TEST

START_TEST(predictions_are_of_their_kind)
{
    struct table t = data(ways[_i].family, ROWS);
    size_t k = outputs(&t);

    grow_predict(ways[_i].learner, NULL, &t, NULL, 1, &t, a);
    for (size_t i = 0; i < ROWS; i++) {
        double sum = 0;

        for (size_t j = 0; j < k; j++) {
            ck_assert(isfinite(a[i * k + j]));
            sum += a[i * k + j];
            if (t.family != ENS_OUTCOME_GAUSSIAN)
                ck_assert(a[i * k + j] >= 0);
            if (t.n_classes > 0)
                ck_assert(a[i * k + j] <= 1);
        }
        if (k > 1)
            ck_assert_double_eq_tol(sum, 1, 1e-12);
    }
}
END_TEST

START_TEST(same_stream_same_bits)
{
    static struct growing g, h;
    struct table t = data(ways[_i].family, ROWS);

    ck_assert(grow(&g, ways[_i].learner, NULL, &t, NULL, 3, 1) == ENS_OK);
    ck_assert(grow(&h, ways[_i].learner, NULL, &t, NULL, 3, 1) == ENS_OK);
    ck_assert_uint_eq(g.l.model.bytes, h.l.model.bytes);
    ck_assert_mem_eq(g.l.model.data, h.l.model.data, g.l.model.bytes);
    learning_close(&h.l);
    ck_assert(grow(&h, ways[_i].learner, NULL, &t, NULL, 4, 1) == ENS_OK);
    if (strcmp(ways[_i].learner, "forest") == 0)
        ck_assert(g.l.model.bytes != h.l.model.bytes ||
                  memcmp(g.l.model.data, h.l.model.data, g.l.model.bytes) != 0);
    learning_close(&g.l);
    learning_close(&h.l);
}
END_TEST

START_TEST(own_bins_are_the_shared_ones)
{
    static struct growing g, h;
    struct table t = data(ways[_i].family, ROWS);

    ck_assert(grow(&g, ways[_i].learner, NULL, &t, NULL, 3, 1) == ENS_OK);
    ck_assert(grow(&h, ways[_i].learner, NULL, &t, NULL, 3, 0) == ENS_OK);
    ck_assert_uint_eq(g.l.model.bytes, h.l.model.bytes);
    ck_assert_mem_eq(g.l.model.data, h.l.model.data, g.l.model.bytes);
    learning_close(&g.l);
    learning_close(&h.l);
}
END_TEST

START_TEST(a_row_is_predicted_alone)
{
    static struct growing g;
    struct table t = data(ways[_i].family, ROWS);
    size_t k = outputs(&t);

    ck_assert(grow(&g, ways[_i].learner, NULL, &t, NULL, 1, 1) == ENS_OK);
    ck_assert(learning_predict(&g.l, &t, &t, ROWS, a) == ENS_OK);
    ck_assert(learning_predict(&g.l, &t, &t, 1, b) == ENS_OK);
    ck_assert_mem_eq(a, b, ROWS * k * sizeof(*a));
    learning_close(&g.l);
}
END_TEST

/* Rows in any order of the source: a training set that leaves some out. */
START_TEST(rows_are_found_in_the_source)
{
    static uint64_t index[ROWS];
    static struct growing g, h;
    struct table t = data(ways[_i].family, ROWS), rest = t, pieces = t;
    struct ens_rows r;
    size_t n = 0;

    for (uint64_t i = 0; i < ROWS; i++)
        if (i < 300 || i >= 900)
            index[n++] = i;
    rest.index = index;
    rest.n = n;
    ck_assert(grow(&g, ways[_i].learner, NULL, &rest, NULL, 1, 1) == ENS_OK);
    /* the same rows, with weight 0 for the others; drawing samples differs */
    for (size_t i = 0; i < ROWS; i++)
        w[i] = i < 300 || i >= 900;
    ck_assert(grow(&h, ways[_i].learner, NULL, &pieces, w, 1, 1) == ENS_OK);
    ck_assert(learning_predict(&g.l, &rest, &t, 100, a) == ENS_OK);
    ck_assert(learning_predict(&h.l, &t, &t, 100, b) == ENS_OK);
    for (size_t i = 0; i < ROWS * outputs(&t); i++)
        if (strcmp(ways[_i].learner, "forest") != 0)
            ck_assert_double_eq_tol(a[i], b[i], 1e-9 * fabs(a[i]) + 1e-12);
    learning_close(&h.l);
    /* Rows 900 and on, said to be in one piece, or row by row. */
    rest.index = index + 300;
    rest.n = n - 300;
    ck_assert(grow(&h, ways[_i].learner, NULL, &rest, NULL, 1, 1) == ENS_OK);
    r = table_rows(&rest);
    r.first_row = 900;
    r.w = growing_w;
    r.bins = &h.bins;
    growing_weight = NULL;
    ens_rng_set(&h.result.rng, 1, 1, 1, 1);
    learning_close(&g.l);
    ck_assert(learning_open(&g.l, ways[_i].learner, NULL, &rest) == ENS_OK);
    g.l.job.host = &h.host;
    g.l.job.result = &h.result;
    ck_assert(g.l.ops->fit(&g.l.job, &r, &g.l.err) == ENS_OK);
    ck_assert_uint_eq(g.l.model.bytes, h.l.model.bytes);
    ck_assert_mem_eq(g.l.model.data, h.l.model.data, g.l.model.bytes);
    learning_close(&g.l);
    learning_close(&h.l);
}
END_TEST

/* Weights are replicated rows, where no rows are counted or drawn. One round:
 * later on splits may be equally good to rounding. */
START_TEST(weights_are_replicated_rows)
{
    static const char *const settings[] = {"min_leaf=1", "min_child_weight=1",
                                           "rounds=1", NULL};
    static uint64_t index[3 * ROWS];
    struct table t = data(ways[_i].family, 400), twice = t;
    size_t n = 0, k = outputs(&t);

    if (strcmp(ways[_i].learner, "forest") == 0)
        return;
    for (size_t i = 0; i < t.n; i++) {
        w[i] = (double)(i % 4);
        for (size_t c = 0; c < i % 4; c++)
            index[n++] = i;
    }
    twice.index = index;
    twice.n = n;
    grow_predict(ways[_i].learner, settings, &t, w, 1, &t, a);
    grow_predict(ways[_i].learner, settings, &twice, NULL, 1, &t, b);
    for (size_t i = 0; i < t.n * k; i++)
        if (w[i / k] > 0)
            ck_assert_double_eq_tol(a[i], b[i], 1e-8 * fabs(b[i]) + 1e-10);
}
END_TEST

static void check_constant(const struct table *t, const double *out,
                           double value)
{
    for (size_t i = 0; i < t->n; i++)
        ck_assert_double_eq_tol(out[i], value, 1e-8 * fabs(value) + 1e-8);
}

START_TEST(nothing_to_split_on_gives_the_mean)
{
    static const char *const large[] = {"min_leaf=1001", NULL};
    struct table t = data(ways[_i].family, ROWS);
    double mean = 0;

    if (outputs(&t) > 1)
        return;
    for (size_t i = 0; i < ROWS; i++)
        mean += y[i] / ROWS;
    if (strcmp(ways[_i].learner, "forest") != 0) {
        grow_predict(ways[_i].learner, large, &t, NULL, 1, &t, a);
        check_constant(&t, a, mean);
    }
    for (size_t i = 0; i < ROWS * P; i++)
        x[i] = (int)i % P; /* constant columns: all rows in one bin */
    grow_predict(ways[_i].learner, NULL, &t, NULL, 1, &t, a);
    if (strcmp(ways[_i].learner, "forest") != 0)
        check_constant(&t, a, mean);
    else
        check_constant(&t, a, a[0]);
}
END_TEST

START_TEST(one_class_is_what_it_is)
{
    struct table t = data(ways[_i].family, 300);
    size_t k = outputs(&t);

    for (size_t i = 0; i < t.n; i++)
        y[i] = 1;
    grow_predict(ways[_i].learner, NULL, &t, NULL, 1, &t, a);
    for (size_t i = 0; i < t.n; i++)
        for (size_t j = 0; j < k; j++)
            ck_assert_double_eq_tol(a[i * k + j], k == 1 || j == 1, 1e-6);
}
END_TEST

START_TEST(one_row_is_enough)
{
    struct table t = data(ways[_i].family, 1);

    grow_predict(ways[_i].learner, NULL, &t, NULL, 1, &t, a);
    for (size_t j = 0; j < outputs(&t); j++)
        ck_assert_double_eq_tol(a[j],
                                outputs(&t) > 1 ? y[0] == (double)j : y[0],
                                1e-6 + 1e-6 * y[0]);
}
END_TEST

static void check_error(const struct way *way, struct table *t,
                        const double *weight, const char *text)
{
    static struct growing g;

    ck_assert_int_eq(grow(&g, way->learner, NULL, t, weight, 1, 0),
                     ENS_EDOMAIN);
    ck_assert_msg(strstr(g.l.err.text, text) != NULL, "%s", g.l.err.text);
    learning_close(&g.l);
}

START_TEST(bad_rows_are_errors)
{
    struct table t = data(ways[_i].family, 300);

    memset(w, 0, sizeof(w));
    check_error(&ways[_i], &t, w, "all weights are 0");
    if (t.family == ENS_OUTCOME_MULTINOMIAL) {
        y[7] = 3;
        check_error(&ways[_i], &t, NULL, "class 3 of a response that has 3");
    }
    t.n = 0;
    check_error(&ways[_i], &t, NULL, "no rows to learn from");
}
END_TEST

/* Random draws taken away, a forest of one is a tree, and so is boosting with
 * one whole step. */
START_TEST(one_tree_is_a_tree)
{
    static const char *const tree[] = {"min_leaf=3", NULL};
    static const char *const forest[] = {"min_leaf=3", "trees=1", "mtry=3",
                                         "replace=no", NULL};
    static const char *const boost[] = {"min_leaf=3", "rounds=1", "rate=1",
                                        "leaves=0", NULL};
    struct table t = data(ENS_OUTCOME_GAUSSIAN, ROWS);

    grow_predict("tree", tree, &t, NULL, 1, &t, a);
    grow_predict("forest", forest, &t, NULL, 1, &t, b);
    for (size_t i = 0; i < ROWS; i++)
        ck_assert_double_eq_tol(a[i], b[i], 1e-9);
    grow_predict("boost", boost, &t, NULL, 1, &t, b);
    for (size_t i = 0; i < ROWS; i++)
        ck_assert_double_eq_tol(a[i], b[i], 1e-9);
}
END_TEST

static size_t count_values(const double *v, size_t n)
{
    static double sorted[ROWS], work[ENS_ORDER_WORK(ROWS)];
    size_t distinct = 1;

    ens_order(v, n, sorted, NULL, work);
    for (size_t i = 1; i < n; i++)
        distinct += sorted[i] != sorted[i - 1];
    return distinct;
}

START_TEST(limits_are_kept)
{
    static const char *const leaves[] = {"leaves=7", NULL};
    static const char *const depth[] = {"depth=3", NULL};
    static const char *const split[] = {"min_split=1001", NULL};
    static const char *const pruned[] = {"alpha=1e9", NULL};
    struct table t = data(ENS_OUTCOME_GAUSSIAN, ROWS);
    double best;

    grow_predict("tree", leaves, &t, NULL, 1, &t, a);
    ck_assert_uint_eq(count_values(a, ROWS), 7);
    best = badness(&t, a);
    grow_predict("tree", depth, &t, NULL, 1, &t, a);
    ck_assert_uint_eq(count_values(a, ROWS), 8);
    ck_assert(badness(&t, a) < 2 * best);
    grow_predict("tree", split, &t, NULL, 1, &t, a);
    ck_assert_uint_ge(count_values(a, ROWS), 2);
    ck_assert_uint_le(count_values(a, ROWS), 3);
    grow_predict("tree", pruned, &t, NULL, 1, &t, a);
    ck_assert_uint_eq(count_values(a, ROWS), 1);
}
END_TEST

START_TEST(patience_stops_before_it_gets_worse)
{
    static const char *const patient[] = {"rounds=500", "patience=5", NULL};
    static const char *const all[] = {"rounds=500", NULL};
    static struct growing g, h;
    struct table t = data(ways[_i].family, ROWS);

    for (size_t i = 0; i < ROWS; i++)
        if (noise(3 * i) < 0.3)
            y[i] = t.family == ENS_OUTCOME_GAUSSIAN ? 1000 : (int)i % 2;
    if (strcmp(ways[_i].learner, "boost") != 0)
        return;
    ck_assert(grow(&g, "boost", patient, &t, NULL, 1, 1) == ENS_OK);
    ck_assert(grow(&h, "boost", all, &t, NULL, 1, 1) == ENS_OK);
    ck_assert_uint_lt(g.l.model.bytes, h.l.model.bytes / 2);
    ck_assert_uint_gt(g.l.model.bytes, 200);
    learning_close(&g.l);
    learning_close(&h.l);
}
END_TEST

START_TEST(draws_of_rows_and_columns_are_used)
{
    static const char *const drawn[] = {"subsample=0.5", "colsample=0.5", NULL};
    struct table t = data(ways[_i].family, ROWS);

    if (strcmp(ways[_i].learner, "boost") != 0)
        return;
    grow_predict("boost", NULL, &t, NULL, 1, &t, b);
    grow_predict("boost", drawn, &t, NULL, 1, &t, a);
    ck_assert(memcmp(a, b, ROWS * sizeof(*a)) != 0);
    ck_assert(badness(&t, a) < 0.5 * variance(&t));
    grow_predict("boost", drawn, &t, NULL, 2, &t, b);
    ck_assert(memcmp(a, b, ROWS * sizeof(*a)) != 0);
}
END_TEST

/* Any byte of a model may be any other: an error or a prediction, nothing
 * worse. */
START_TEST(damaged_models_are_told)
{
    static const char *const settings[] = {"depth=3", NULL};
    static struct growing g;
    struct table t = data(ways[_i].family, 300);
    struct ens_learn_model whole;
    char *copy;

    ck_assert(grow(&g, ways[_i].learner, settings, &t, NULL, 1, 1) == ENS_OK);
    whole = g.l.model;
    copy = malloc(whole.bytes);
    ck_assert(copy != NULL);
    g.l.model.data = copy;
    for (size_t cut = 0; cut < whole.bytes; cut += 1 + cut / 50) {
        memcpy(copy, whole.data, whole.bytes);
        g.l.model.bytes = cut;
        ck_assert_int_eq(learning_predict(&g.l, &t, &t, 300, a), ENS_EDOMAIN);
    }
    g.l.model.bytes = whole.bytes;
    for (size_t at = 0; at < whole.bytes; at += 1 + at / 100) {
        memcpy(copy, whole.data, whole.bytes);
        copy[at] = (char)~copy[at];
        learning_predict(&g.l, &t, &t, 300, a);
    }
    g.l.model = whole;
    g.l.job.n_out++;
    ck_assert_int_eq(learning_predict(&g.l, &t, &t, 300, a), ENS_EDOMAIN);
    free(copy);
    learning_close(&g.l);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trees");
    TCase *t = tcase_create("trees");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, learns_something, 0, N_WAYS);
    tcase_add_loop_test(t, predictions_are_of_their_kind, 0, N_WAYS);
    tcase_add_loop_test(t, same_stream_same_bits, 0, N_WAYS);
    tcase_add_loop_test(t, own_bins_are_the_shared_ones, 0, N_WAYS);
    tcase_add_loop_test(t, a_row_is_predicted_alone, 0, N_WAYS);
    tcase_add_loop_test(t, rows_are_found_in_the_source, 0, N_WAYS);
    tcase_add_loop_test(t, weights_are_replicated_rows, 0, N_WAYS);
    tcase_add_loop_test(t, nothing_to_split_on_gives_the_mean, 0, N_WAYS);
    tcase_add_loop_test(t, one_class_is_what_it_is, 0, N_WAYS);
    tcase_add_loop_test(t, one_row_is_enough, 0, N_WAYS);
    tcase_add_loop_test(t, bad_rows_are_errors, 0, N_WAYS);
    tcase_add_test(t, one_tree_is_a_tree);
    tcase_add_test(t, limits_are_kept);
    tcase_add_loop_test(t, patience_stops_before_it_gets_worse, 0, N_WAYS);
    tcase_add_loop_test(t, draws_of_rows_and_columns_are_used, 0, N_WAYS);
    tcase_add_loop_test(t, damaged_models_are_told, 0, N_WAYS);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
