/* Scores and risks against scikit-learn 1.2.1: scores.inc, made by scores.py.
 */
#include "learn/scores.h"

#include "base/bug.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scores.inc"

#define N 500

static double y[N], p[N], w[N], c[N], q[N], k[N], m[N], three[N], prob[N][3];
static uint64_t state;

/* Park and Miller (1988), as in scores.py. */
static double u(void)
{
    state = 16807 * state % 2147483647;
    return (double)state / 2147483647;
}

static void draw_classes(size_t i)
{
    double row[3], sum;

    three[i] = (int)(3 * u());
    for (size_t j = 0; j < 3; j++)
        row[j] = u() + (three[i] == (double)j ? 0.5 : 0);
    sum = row[0] + row[1] + row[2];
    for (size_t j = 0; j < 3; j++)
        prob[i][j] = row[j] / sum;
}

static void draw(void)
{
    state = 11;
    for (size_t i = 0; i < N; i++) {
        double t = 2 * u() - 1;

        y[i] = t + u();
        p[i] = t + 0.5 * u();
        w[i] = (int)(4 * u());
        c[i] = t + u() > 0.5;
        q[i] = (int)(20 * (t + 1) / 2 + 2 * u()) / 22.0;
        k[i] = (int)(5 * u());
        m[i] = k[i] + 3 * u() + 0.1;
        draw_classes(i);
    }
}

static const struct {
    const char *name;
    const double *y, *p;
    size_t m;
    const double *value; /* unweighted, weighted */
} row[] = {
    {"mse", y, p, 1, mse},
    {"rmse", y, p, 1, rmse},
    {"mae", y, p, 1, mae},
    {"mape", y, p, 1, mape},
    {"wape", y, p, 1, wape},
    {"r2", y, p, 1, r2},
    {"logloss", c, q, 1, logloss},
    {"deviance", c, q, 1, deviance},
    {"poisson_deviance", k, m, 1, poisson_deviance},
    {"brier", c, q, 1, brier},
    {"auc", c, q, 1, auc},
    {"accuracy", c, q, 1, accuracy},
    {"error", c, q, 1, error},
    {"logloss", three, prob[0], 3, logloss3},
    {"accuracy", three, prob[0], 3, accuracy3},
    {"brier", three, prob[0], 3, brier3},
};

/* In blocks of `step` rows. */
static struct ens_scorer score(const char *name, const double *truth,
                               const double *prediction, size_t width,
                               const double *weight, size_t step)
{
    static double kept[2 * N];
    struct ens_scorer s;

    ck_assert_msg(ens_score_find(name) != NULL, "%s", name);
    ens_scorer_init(&s, ens_score_find(name), width, kept, N);
    for (size_t at = 0; at < N; at += step)
        ens_scorer_add(&s, truth + at, prediction + at * width,
                       weight ? weight + at : NULL,
                       N - at < step ? N - at : step);
    return s;
}

START_TEST(scores_are_those_of_scikit_learn)
{
    draw();
    for (int weighted = 0; weighted < 2; weighted++) {
        struct ens_scorer s = score(row[_i].name, row[_i].y, row[_i].p,
                                    row[_i].m, weighted ? w : NULL, N);
        double value = ens_scorer_value(&s);

        ck_assert_msg(fabs(value - row[_i].value[weighted]) <
                          1e-13 * (1 + fabs(value)),
                      "%s: %.17g, not %.17g", row[_i].name, value,
                      row[_i].value[weighted]);
    }
}
END_TEST

START_TEST(all_scores_are_compared)
{
    for (size_t i = 0; i < ens_n_scores; i++) {
        int found = 0;

        for (size_t j = 0; j < ENS_COUNT(row); j++)
            found += strcmp(row[j].name, ens_scores[i].name) == 0;
        ck_assert_msg(found, "%s", ens_scores[i].name);
    }
}
END_TEST

START_TEST(same_bits_in_any_blocks)
{
    static const size_t step[] = {1, 7, 128, 333};

    draw();
    for (size_t i = 0; i < ENS_COUNT(step); i++) {
        struct ens_scorer one =
            score(row[_i].name, row[_i].y, row[_i].p, row[_i].m, w, N);
        double first = ens_scorer_value(&one), a, b, sa, sb;
        struct ens_scorer two;

        a = ens_scorer_risk(&one, &sa);
        two = score(row[_i].name, row[_i].y, row[_i].p, row[_i].m, w, step[i]);
        ck_assert(ens_scorer_value(&two) == first);
        b = ens_scorer_risk(&two, &sb);
        ck_assert(memcmp(&a, &b, sizeof(a)) == 0);
        ck_assert(memcmp(&sa, &sb, sizeof(sa)) == 0);
    }
}
END_TEST

static void compare_risk(const char *name, const double *truth,
                         const double *prediction, const double *expected)
{
    struct ens_scorer s = score(name, truth, prediction, 1, w, N);
    double se, risk = ens_scorer_risk(&s, &se);

    ck_assert_msg(fabs(risk - expected[0]) < 1e-14, "%s %.17g", name, risk);
    ck_assert_msg(fabs(se - expected[1]) < 1e-14, "%s %.17g", name, se);
}

/* Of rows in lanes, one without a row: the risk of all. */
static void compare_lanes(const char *name, const double *expected)
{
    static const size_t end[] = {0, 1, 1, 5, 300, N};
    struct ens_score_sums all = {0}, part;
    double se, risk;

    for (size_t i = 1; i < ENS_COUNT(end); i++) {
        size_t first = end[i - 1], n = end[i] - first;
        struct ens_scorer s;

        ens_scorer_init(&s, ens_score_find(name), 1, NULL, n);
        ens_scorer_add(&s, y + first, p + first, w + first, n);
        part = ens_scorer_sums(&s);
        ens_score_sums_add(&all, &part);
    }
    risk = ens_score_sums_risk(&all, &se);
    ck_assert_msg(fabs(risk - expected[0]) < 1e-14, "%s %.17g", name, risk);
    ck_assert_msg(fabs(se - expected[1]) < 1e-14, "%s %.17g", name, se);
}

START_TEST(risks_are_those_of_superlearner)
{
    draw();
    compare_lanes("mse", risk_squared);
    compare_lanes("mae", risk_absolute);
    compare_risk("mse", y, p, risk_squared);
    compare_risk("mae", y, p, risk_absolute);
    compare_risk("auc", c, q, risk_auc);
}
END_TEST

/* Values near 10^9 whose variance is below 1. */
START_TEST(r2_of_values_far_from_zero)
{
    struct ens_scorer s;
    double near;

    draw();
    s = score("r2", y, p, 1, NULL, N);
    near = ens_scorer_value(&s);
    for (size_t i = 0; i < N; i++) {
        y[i] += 1e9;
        p[i] += 1e9;
    }
    s = score("r2", y, p, 1, NULL, N);
    ck_assert(fabs(ens_scorer_value(&s) - near) < 1e-6);
}
END_TEST

static double of(const char *name, size_t n, const double *truth,
                 const double *prediction, const double *weight)
{
    double kept[16];
    struct ens_scorer s;

    ens_scorer_init(&s, ens_score_find(name), 1, kept, 8);
    ens_scorer_add(&s, truth, prediction, weight, n);
    return ens_scorer_value(&s);
}

START_TEST(edges)
{
    const double zero_one[] = {0, 1}, ones[] = {1, 1}, half[] = {0.5, 0.5};
    const double none[] = {0, 0}, first[] = {1, 0}, nan[] = {0.5, NAN};

    for (size_t i = 0; i < ens_n_scores; i++) {
        const char *name = ens_scores[i].name;

        ck_assert_msg(isnan(of(name, 0, ones, ones, NULL)), "%s", name);
        ck_assert_msg(isnan(of(name, 2, zero_one, half, none)), "%s", name);
        ck_assert_msg(isnan(of(name, 2, zero_one, nan, NULL)), "%s", name);
    }
    ck_assert(of("auc", 2, zero_one, half, NULL) == 0.5);
    ck_assert(of("auc", 2, zero_one, zero_one, NULL) == 1);
    ck_assert(isnan(of("auc", 2, ones, half, NULL)));
    ck_assert(isnan(of("auc", 2, zero_one, half, first)));
    ck_assert(of("r2", 2, ones, ones, NULL) == 1);
    ck_assert(of("r2", 2, ones, half, NULL) == 0);
    ck_assert(of("accuracy", 2, zero_one, half, NULL) == 0.5);
    ck_assert(of("mse", 2, zero_one, nan, first) == 0.25); /* weight 0 */
    ck_assert(fabs(of("logloss", 2, zero_one, ones, NULL) - 18.0218) < 1e-3);
}
END_TEST

START_TEST(defaults_by_family)
{
    for (int family = 0; family <= ENS_OUTCOME_POISSON; family++) {
        const struct ens_score *s = ens_score_default(family);

        ck_assert(s->smaller_is_better);
        ck_assert(s->families & ENS_LEARN_FAMILY(family));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("score");
    TCase *tc = tcase_create("score");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tc, scores_are_those_of_scikit_learn, 0,
                        ENS_COUNT(row));
    tcase_add_test(tc, all_scores_are_compared);
    tcase_add_loop_test(tc, same_bits_in_any_blocks, 0, ENS_COUNT(row));
    tcase_add_test(tc, risks_are_those_of_superlearner);
    tcase_add_test(tc, r2_of_values_far_from_zero);
    tcase_add_test(tc, edges);
    tcase_add_test(tc, defaults_by_family);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
