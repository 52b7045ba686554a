/* Trees on few distinct values against scikit-learn: the same splits at the
 * same places (trees.py). */
#include "../growing.h"

#define N 600
#define M 50
#define P 4

#define LIST(...)                                                              \
    {                                                                          \
        __VA_ARGS__                                                            \
    }
#define SCORE(data, learner, settings, mean, sd, peer)
#define PREDICTIONS(f, w, l, s, v)                                             \
    {.family = ENS_OUTCOME_##f,                                                \
     .weighted = w,                                                            \
     .leaves = l,                                                              \
     .settings = s,                                                            \
     .value = v},
static const struct expected {
    enum ens_outcome_family family;
    int weighted;
    uint64_t leaves;
    const char *settings[5];
    double value[M * 3];
} expected[] = {
#include "trees.inc"
};
#define N_EXPECTED ((int)(sizeof(expected) / sizeof(expected[0])))

static double x[(N + M) * P], y[N + M], w[N + M];

static double next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (double)(*seed >> 8) / (1 << 24);
}

static struct table make(enum ens_outcome_family family)
{
    uint32_t seed = 4711;

    for (size_t i = 0; i < N + M; i++) {
        double *r = x + i * P, score, e;

        for (size_t j = 0; j < P; j++)
            r[j] = floor(next(&seed) * 60 * (double)(j + 1)) / 64;
        e = next(&seed);
        w[i] = 0.5 + next(&seed);
        score = r[0] + r[1] * (r[2] > 1) - 0.2 * r[3] + e;
        y[i] = family == ENS_OUTCOME_GAUSSIAN ? score + r[3] * r[3]
               : family == ENS_OUTCOME_BINOMIAL
                   ? score > 1.2
                   : fmin(2, fmax(0, floor(score)));
    }
    return (struct table){.x = x,
                          .y = y,
                          .n_source = N + M,
                          .p = P,
                          .n = N,
                          .family = family,
                          .n_classes = family == ENS_OUTCOME_MULTINOMIAL ? 3
                                       : family == ENS_OUTCOME_BINOMIAL  ? 2
                                                                         : 0};
}

START_TEST(splits_are_those_of_scikit_learn)
{
    const struct expected *e = &expected[_i];
    static struct growing g;
    static double out[M * 3];
    struct table train = make(e->family), at = train;
    uint64_t index[M], nodes;

    for (size_t i = 0; i < M; i++)
        index[i] = N + i;
    at.index = index;
    at.n = M;
    ck_assert_msg(grow(&g, "tree", e->settings, &train, e->weighted ? w : NULL,
                       1, 0) == ENS_OK,
                  "%s", g.l.err.text);
    memcpy(&nodes, (const char *)g.l.model.data + 32, sizeof(nodes));
    ck_assert_uint_eq(nodes, 2 * e->leaves - 1);
    ck_assert(learning_predict(&g.l, &train, &at, M, out) == ENS_OK);
    for (size_t i = 0; i < M * g.l.job.n_out; i++)
        ck_assert_double_eq_tol(out[i], e->value[i],
                                1e-10 * (1 + fabs(e->value[i])));
    learning_close(&g.l);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cart");
    TCase *t = tcase_create("cart");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, splits_are_those_of_scikit_learn, 0, N_EXPECTED);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
