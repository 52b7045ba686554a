/* Forests and boosting on real data: the loss of 5-fold cross-validation lies
 * within the spread that scikit-learn and XGBoost have over seeds of folds and
 * learners (trees.py). */
#include "../growing.h"

#include <jansson.h>
#include <stdio.h>
#include <zlib.h>

#define SEEDS    5
#define FOLDS    5
#define MAX_ROWS 5000
#define MAX_P    24

#define LIST(...)                                                              \
    {                                                                          \
        __VA_ARGS__                                                            \
    }
#define PREDICTIONS(family, weighted, leaves, settings, values)
#define SCORE(d, l, s, m, e, p)                                                \
    {.load = load_##d,                                                         \
     .learner = #l,                                                            \
     .settings = s,                                                            \
     .mean = m,                                                                \
     .sd = e,                                                                  \
     .peer = p},

static double x[MAX_ROWS * MAX_P], y[MAX_ROWS];

static struct table load_wells(void)
{
    FILE *f = fopen(TEST_DATA "/wells/wells.csv", "r");
    char line[256];
    size_t n = 0;

    ck_assert(f != NULL);
    ck_assert(fgets(line, sizeof(line), f) != NULL);
    while (fgets(line, sizeof(line), f) != NULL) {
        char *at = line;

        ck_assert_uint_lt(n, MAX_ROWS);
        y[n] = strtod(at, &at);
        for (size_t j = 0; j < 4; j++) {
            ck_assert(*at == ',');
            x[4 * n + j] = strtod(at + 1, &at);
        }
        n++;
    }
    fclose(f);
    ck_assert_uint_eq(n, 3020);
    return (struct table){.x = x,
                          .y = y,
                          .n_source = n,
                          .p = 4,
                          .family = ENS_OUTCOME_BINOMIAL,
                          .n_classes = 2};
}

static json_t *read_json(const char *path)
{
    gzFile f = gzopen(path, "rb");
    size_t cap = 8 << 20, n = 0;
    char *text = malloc(cap);
    json_t *all;
    int got;

    ck_assert(f != NULL && text != NULL);
    while ((got = gzread(f, text + n, (unsigned)(cap - n))) > 0)
        n += (size_t)got;
    ck_assert_int_eq(gzclose(f), Z_OK);
    all = json_loadb(text, n, 0, NULL);
    ck_assert(all != NULL);
    free(text);
    return all;
}

/* But the first column, which is ones. */
static struct table load_diamonds(void)
{
    json_t *all = read_json(TEST_DATA "/posteriordb/data/diamonds.json.gz");
    json_t *rows = json_object_get(all, "X"),
           *price = json_object_get(all, "Y");
    size_t n = json_array_size(rows);

    ck_assert_uint_eq(n, MAX_ROWS);
    for (size_t i = 0; i < n; i++) {
        y[i] = json_number_value(json_array_get(price, i));
        for (size_t j = 0; j < MAX_P; j++)
            x[i * MAX_P + j] = json_number_value(
                json_array_get(json_array_get(rows, i), j + 1));
    }
    json_decref(all);
    return (struct table){.x = x,
                          .y = y,
                          .n_source = n,
                          .p = MAX_P,
                          .family = ENS_OUTCOME_GAUSSIAN};
}

static const struct score {
    struct table (*load)(void);
    const char *learner;
    const char *settings[10];
    double mean, sd;
    const char *peer;
} scores[] = {
#include "trees.inc"
};
#define N_SCORES ((int)(sizeof(scores) / sizeof(scores[0])))

static void shuffle(uint64_t *order, size_t n, uint64_t seed)
{
    struct ens_rng g;

    ens_rng_set(&g, seed, 7, 7, 7);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)ens_rng_below(&g, i);
        uint64_t swap = order[i - 1];

        order[i - 1] = order[k];
        order[k] = swap;
    }
}

/* Squared error, or minus the log probability of the class. */
static double loss(const struct table *t, uint64_t row, double out)
{
    double p = y[row] > 0 ? out : 1 - out;

    if (t->family == ENS_OUTCOME_GAUSSIAN)
        return (y[row] - out) * (y[row] - out);
    return -log(p > 1e-15 ? p : 1e-15);
}

/* Fold k tests positions k n / FOLDS on of the order. */
static double cross_validate(const struct score *s, struct table *t,
                             uint64_t seed)
{
    static uint64_t order[MAX_ROWS], index[MAX_ROWS];
    static double out[MAX_ROWS];
    size_t n = t->n_source;
    double sum = 0;

    shuffle(order, n, seed);
    for (size_t k = 0; k < FOLDS; k++) {
        size_t first = k * n / FOLDS, end = (k + 1) * n / FOLDS;
        struct table train = *t, test = *t;

        memcpy(index, order, first * sizeof(*index));
        memcpy(index + first, order + end, (n - end) * sizeof(*index));
        train.index = index;
        train.n = n - (end - first);
        test.index = order + first;
        test.n = end - first;
        grow_predict(s->learner, s->settings, &train, NULL, seed, &test, out);
        for (size_t i = 0; i < test.n; i++)
            sum += loss(t, test.index[i], out[i]);
    }
    return sum / (double)n;
}

START_TEST(loss_is_within_the_spread_of_others)
{
    const struct score *s = &scores[_i];
    struct table t = s->load();
    double mean = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        mean += cross_validate(s, &t, seed) / SEEDS;
    ck_assert_msg(fabs(mean - s->mean) < 2 * s->sd,
                  "%s: %.6f, %s %.6f (sd %.6f)", s->learner, mean, s->peer,
                  s->mean, s->sd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("accuracy");
    TCase *t = tcase_create("accuracy");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, loss_is_within_the_spread_of_others, 0, N_SCORES);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
