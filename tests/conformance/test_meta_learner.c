/* Every meta learner: what its interface promises, on predictions of classes
 * (they suit all) and on odd ones. A new one is tested by its line in x.def. */
#include "../oracle/meta_problem.h"

#define L 5

/* As method says: 0 <= weights, sum 1. */
static int is_convex(const char *method)
{
    static const char *const any[] = {"ols", "ridge", "lasso", "nnls"};

    for (size_t i = 0; i < ENS_COUNT(any); i++)
        if (strcmp(any[i], method) == 0)
            return 0;
    return 1;
}

static void draw_classes(void)
{
    draw(12, 400, L, 0, 0.8, 1);
}

/* Weights and what follows from them: numbers all, whatever the problem. */
static void check(const char *method, const struct ens_meta_result *r,
                  const char *what)
{
    static double out[MOST_ROWS];
    double sum = 0;

    for (size_t j = 0; j < n_learners; j++) {
        ck_assert_msg(isfinite(r->weight[j]), "%s: %s: weight %zu: %g", method,
                      what, j, r->weight[j]);
        sum += r->weight[j];
        ck_assert_msg(!is_convex(method) || r->weight[j] >= 0,
                      "%s: %s: weight %zu: %g", method, what, j, r->weight[j]);
    }
    ck_assert_msg(isfinite(r->intercept) && isfinite(r->risk_all),
                  "%s: %s: intercept %g, risk %g", method, what, r->intercept,
                  r->risk_all);
    ck_assert_msg(!is_convex(method) || fabs(sum - 1) < 1e-9 || sum == 0,
                  "%s: %s: weights add up to %.15g", method, what, sum);
    ens_meta_predict(r, n_learners, z, n_rows, out);
    for (size_t i = 0; i < n_rows; i++)
        ck_assert_msg(isfinite(out[i]), "%s: %s: row %zu: %g", method, what, i,
                      out[i]);
}

START_TEST(same_rows_same_bytes)
{
    const char *method = ens_metas[_i].name;
    struct ens_meta_result r;
    double weight[L], risk[L], intercept;

    draw_classes();
    r = fit(method);
    check(method, &r, "classes");
    ck_assert_msg(r.risk_all <= fmax(fmax(r.risk[0], r.risk[1]), r.risk[2]),
                  "%s: risk %g", method, r.risk_all);
    memcpy(weight, r.weight, sizeof(weight));
    memcpy(risk, r.risk, sizeof(risk));
    intercept = r.intercept;
    r = fit(method);
    ck_assert_mem_eq(weight, r.weight, sizeof(weight));
    ck_assert_mem_eq(risk, r.risk, sizeof(risk));
    ck_assert(intercept == r.intercept);
}
END_TEST

START_TEST(a_weight_of_two_is_a_row_twice)
{
    const char *method = ens_metas[_i].name;
    struct ens_meta_result r;
    double weight[L], risk[L], all, total = 0;
    size_t n = 0;

    draw_classes();
    for (size_t i = 0; i < n_rows; i++)
        total += w[i] = (double)(i % 3);
    r = fit(method);
    /* losses are means over rows, as in R, and not over weights */
    total = r.loss == ENS_META_AUC ? 1 : total / (double)n_rows;
    memcpy(weight, r.weight, sizeof(weight));
    for (size_t j = 0; j < L; j++)
        risk[j] = r.risk[j] / total;
    all = r.risk_all / total;
    for (size_t i = n_rows; i-- > 0;) { /* from behind: in place */
        static double row[L];

        memcpy(row, z + i * L, sizeof(row));
        for (size_t k = 0; k < i % 3; k++, n++) {
            memcpy(z + (MOST_ROWS - 1 - n) * L, row, sizeof(row));
            y[MOST_ROWS - 1 - n] = y[i];
        }
    }
    memmove(z, z + (MOST_ROWS - n) * L, n * L * sizeof(*z));
    memmove(y, y + MOST_ROWS - n, n * sizeof(*y));
    n_rows = n;
    unweight();
    r = fit(method);
    compare(method, r.weight, weight, L, 1e-7);
    compare(method, r.risk, risk, L, 1e-9);
    compare(method, &r.risk_all, &all, 1, 1e-9);
}
END_TEST

/* -- odd problems -----------------------------------------------------------
 */

static void as_drawn(void)
{
}

static void one_learner(void)
{
    for (size_t i = 0; i < n_rows; i++)
        z[i] = z[i * L];
    n_learners = 1;
}

static void one_row(void)
{
    n_rows = 1;
    w[0] = 1;
}

static void two_rows(void)
{
    n_rows = 2;
    unweight();
    y[0] = 0;
    y[1] = 1;
}

static void one_class(void)
{
    for (size_t i = 0; i < n_rows; i++)
        y[i] = 1;
}

static void no_class(void)
{
    memset(y, 0, sizeof(y));
}

static void all_equal(void)
{
    for (size_t i = 0; i < n_rows * L; i++)
        z[i] = 0.3;
}

static void all_zero(void)
{
    memset(z, 0, sizeof(z));
}

static void certain_and_wrong(void)
{
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < L; j++)
            z[i * L + j] = j % 2 ? y[i] : 1 - y[i];
}

static void perfect(void)
{
    for (size_t i = 0; i < n_rows; i++)
        z[i * L + 2] = y[i];
}

static void scale(double by, size_t j)
{
    for (size_t i = 0; i < n_rows; i++)
        z[i * L + j] *= by;
}

static void tiny(void)
{
    for (size_t j = 0; j < L; j++)
        scale(1e-200, j);
}

static void huge_values(void)
{
    for (size_t j = 0; j < L; j++)
        scale(1e200, j);
}

static void one_is_huge(void)
{
    scale(1e200, 1);
}

static void one_value_is_huge(void)
{
    z[L * 7 + 1] = 1.7e308;
}

static void one_is_large(void)
{
    scale(1e9, 1);
}

static void tiny_weights(void)
{
    for (size_t i = 0; i < n_rows; i++)
        w[i] = 1e-140;
}

static void huge_weights(void)
{
    for (size_t i = 0; i < n_rows; i++)
        w[i] = 1e140;
}

static void one_weight(void)
{
    memset(w, 0, sizeof(w));
    w[9] = 1;
}

static void no_weight(void)
{
    memset(w, 0, sizeof(w));
}

static void one_is_missing(void)
{
    z[L * 7 + 1] = (double)NAN;
}

static void all_are_missing(void)
{
    for (size_t j = 0; j < L; j++)
        z[L * 7 + j] = (double)INFINITY;
}

static void response_is_missing(void)
{
    y[3] = (double)NAN;
}

#define ODD(f)                                                                 \
    {                                                                          \
#f, f                                                                  \
    }
static const struct {
    const char *name;
    void (*make)(void);
} odds[] = {
    ODD(as_drawn),
    ODD(one_learner),
    ODD(one_row),
    ODD(two_rows),
    ODD(one_class),
    ODD(no_class),
    ODD(all_equal),
    ODD(all_zero),
    ODD(certain_and_wrong),
    ODD(perfect),
    ODD(tiny),
    ODD(huge_values),
    ODD(one_is_huge),
    ODD(one_value_is_huge),
    ODD(one_is_large),
    ODD(tiny_weights),
    ODD(huge_weights),
    ODD(one_weight),
    ODD(no_weight),
    ODD(one_is_missing),
    ODD(all_are_missing),
    ODD(response_is_missing),
};

START_TEST(odd_problems_are_survived_or_refused)
{
    const char *method = ens_metas[_i].name;

    for (size_t k = 0; k < ENS_COUNT(odds); k++) {
        struct ens_meta_result r;
        struct ens_error err = {0};
        enum ens_status s;

        draw_classes();
        unweight();
        odds[k].make();
        s = try_fit(method, &r, &err);
        ck_assert_msg(s == ENS_OK || (s == ENS_EDOMAIN && err.text[0] != '\0'),
                      "%s: %s: status %d: %s", method, odds[k].name, (int)s,
                      err.text);
        if (s == ENS_OK)
            check(method, &r, odds[k].name);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("meta_learner");
    TCase *t = tcase_create("meta_learner");
    SRunner *r = srunner_create(s);
    int failed, n = (int)ens_n_metas;

    ens_arena_init(&arena);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, same_rows_same_bytes, 0, n);
    tcase_add_loop_test(t, a_weight_of_two_is_a_row_twice, 0, n);
    tcase_add_loop_test(t, odd_problems_are_survived_or_refused, 0, n);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    ens_arena_fini(&arena);
    return failed != 0;
}
