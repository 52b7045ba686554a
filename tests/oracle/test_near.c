/* Predictions of learners against scikit-learn 1.2.1 (near.py). */
#include "../learning.h"

#include "base/bug.h"

#define N       150
#define M       20
#define P       4
#define CLASSES 3

static const struct golden {
    const char *learner;
    enum ens_outcome_family family;
    const char *settings[8];
    double value[M * CLASSES];
} goldens[] = {
#include "near.inc"
};

static double x[(N + M) * P], y[4][N + M];

static void fill(void)
{
    uint32_t seed = 12345;

    for (size_t i = 0; i < N + M; i++) {
        double v[P + 1], score, *row = x + i * P;

        for (size_t j = 0; j <= P; j++) {
            seed = seed * 1664525u + 1013904223u;
            v[j] = (double)(seed >> 8) / (double)(1 << 24);
            if (j < P)
                row[j] = v[j] * (double)(j + 1) + (j == 3 ? 2 : 0);
        }
        y[0][i] = 3 * row[0] - row[1] * row[2] + row[3] / 4 + v[P];
        score = row[0] + row[1] - 0.5 * row[2] + v[P];
        y[1][i] = score > 1;
        y[3][i] = fmax(0, floor(2 * score));
        y[2][i] = fmin(2, fmax(0, floor(score + 0.5)));
    }
}

static struct table train_of(enum ens_outcome_family family)
{
    struct table t = {.x = x,
                      .n_source = N + M,
                      .p = P,
                      .n = N,
                      .family = family,
                      .direct = 1};

    fill();
    t.n_classes = family == ENS_OUTCOME_MULTINOMIAL ? CLASSES
                  : family == ENS_OUTCOME_BINOMIAL  ? 2
                                                    : 0;
    t.y = y[family == ENS_OUTCOME_POISSON       ? 3
            : family == ENS_OUTCOME_MULTINOMIAL ? 2
            : family == ENS_OUTCOME_BINOMIAL    ? 1
                                                : 0];
    return t;
}

/* A linear loss is not strictly convex: liblinear ends after 1,000 rounds,
 * before it has reached `tol`. */
static double tolerance(const struct golden *g)
{
    return g->settings[0] && strcmp(g->settings[0], "loss=linear") == 0 ? 1e-3
                                                                        : 1e-8;
}

START_TEST(predictions_are_those_of_scikit_learn)
{
    const struct golden *g = &goldens[_i];
    struct table train = train_of(g->family), at = train;
    double out[M * CLASSES];
    struct learning l;

    at.x = x + (size_t)N * P;
    at.n = M;
    ck_assert_int_eq(learning_open(&l, g->learner, g->settings, &train),
                     ENS_OK);
    ck_assert_msg(learning_fit(&l, &train) == ENS_OK, "%s", l.err.text);
    ck_assert_msg(learning_predict(&l, &train, &at, 7, out) == ENS_OK, "%s",
                  l.err.text);
    for (size_t i = 0; i < M * l.job.n_out; i++)
        ck_assert_msg(fabs(out[i] - g->value[i]) <= tolerance(g),
                      "%s %s %s: value %zu is %.17g, not %.17g", g->learner,
                      g->settings[0] ? g->settings[0] : "",
                      g->settings[0] && g->settings[1] ? g->settings[1] : "", i,
                      out[i], g->value[i]);
    learning_close(&l);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("near");
    TCase *t = tcase_create("near");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, predictions_are_those_of_scikit_learn, 0,
                        (int)ENS_COUNT(goldens));
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
