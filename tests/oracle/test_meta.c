/* Meta learners: weights against R's nnls and quadprog (meta.inc, made by
 * meta.R), rational arithmetic and scikit-learn (meta_more.inc, made by
 * meta.py). */
#include "meta_problem.h"

#include "meta.inc"
#include "meta_more.inc"

#include "learn/meta/factor.h"
#include "learn/meta/lanes.h"

/* -- squares against R ------------------------------------------------------
 */

static const struct {
    const char *name;
    uint64_t seed;
    size_t n, l;
    double mean, apart;
    int weighted;
    const double *nnls, *convex, *risk;
} by_r[] = {
    {"one", 1, 20, 1, 1, 0.5, 0, one_nnls, one_convex, one_risk},
    {"few", 2, 100, 5, 1, 0.5, 0, few_nnls, few_convex, few_risk},
    {"many", 3, 300, 50, 1, 3, 0, many_nnls, many_convex, many_risk},
    {"weighted", 2, 100, 5, 1, 0.5, 1, weighted_nnls, weighted_convex,
     weighted_risk},
    {"far", 4, 200, 6, 50, 0.5, 0, far_nnls, far_convex, far_risk},
    {"constant", 5, 60, 4, 1, 0.5, 0, constant_nnls, constant_convex,
     constant_risk},
};

START_TEST(squares_are_those_of_r)
{
    struct ens_meta_result r;

    draw(by_r[_i].seed, by_r[_i].n, by_r[_i].l, by_r[_i].mean, by_r[_i].apart,
         0);
    if (!by_r[_i].weighted)
        unweight();
    for (size_t i = 0; i < n_rows && by_r[_i].nnls == constant_nnls; i++)
        y[i] = 3;
    r = fit("nnls");
    compare(by_r[_i].name, r.weight, by_r[_i].nnls, n_learners, 1e-9);
    compare(by_r[_i].name, r.risk, by_r[_i].risk, n_learners, 1e-10);
    ck_assert_str_eq(warned, "");
    r = fit("convex");
    compare(by_r[_i].name, r.weight, by_r[_i].convex, n_learners, 1e-9);
}
END_TEST

START_TEST(more_learners_than_rows)
{
    struct ens_meta_result r;

    draw(6, 5, 8, 0, 3, 0);
    unweight();
    r = fit("nnls");
    compare("short", r.weight, short_nnls, 8, 1e-9);
    for (size_t k = 0; k < ens_n_metas; k++)
        if (!strstr(ens_metas[k].name, "loglik") &&
            strcmp(ens_metas[k].name, "auc") != 0)
            fit(ens_metas[k].name);
}
END_TEST

/* -- against rational arithmetic --------------------------------------------
 */

static const struct {
    const char *name;
    double mean, apart;
    const double *nnls, *convex;
    double tol, tol_convex;
} exact[] = {
    {"close", 0, 1e-3, close_nnls, close_convex, 1e-11, 1e-11},
    {"closer", 1, 1e-5, closer_nnls, closer_convex, 1e-8, 1e-9},
    /* The learners' means are 10^9 times what they differ by: the data
     * themselves have 7 digits of that. */
    {"closest", 1000, 1e-6, closest_nnls, closest_convex, 1e-4, 1e-5},
};

START_TEST(collinear_learners)
{
    struct ens_meta_result r;

    draw(8, 40, 4, exact[_i].mean, exact[_i].apart, 0);
    unweight();
    r = fit("nnls");
    ck_assert_uint_eq(passes, 2);
    compare(exact[_i].name, r.weight, exact[_i].nnls, 4, exact[_i].tol);
    r = fit("convex");
    compare(exact[_i].name, r.weight, exact[_i].convex, 4,
            exact[_i].tol_convex);
}
END_TEST

/* -- regressions against scikit-learn ---------------------------------------
 */

static const struct {
    const char *method;
    uint64_t seed;
    size_t n, l;
    double mean, apart;
    const double *plain, *weighted;
} regression[] = {
    {"ols", 2, 100, 5, 1, 0.5, few_ols, few_ols_weighted},
    {"ridge", 2, 100, 5, 1, 0.5, few_ridge, few_ridge_weighted},
    {"lasso", 2, 100, 5, 1, 0.5, few_lasso, few_lasso_weighted},
    {"ols", 4, 200, 6, 50, 0.5, far_ols, far_ols_weighted},
    {"ridge", 4, 200, 6, 50, 0.5, far_ridge, far_ridge_weighted},
    {"lasso", 4, 200, 6, 50, 0.5, far_lasso, far_lasso_weighted},
    {"ols", 3, 300, 50, 1, 3, many_ols, many_ols_weighted},
    {"ridge", 3, 300, 50, 1, 3, many_ridge, many_ridge_weighted},
    {"lasso", 3, 300, 50, 1, 3, many_lasso, many_lasso_weighted},
};

START_TEST(regressions_are_those_of_scikit_learn)
{
    draw(regression[_i].seed, regression[_i].n, regression[_i].l,
         regression[_i].mean, regression[_i].apart, 0);
    for (int weighted = 1; weighted >= 0; weighted--) {
        const double *expected =
            weighted ? regression[_i].weighted : regression[_i].plain;
        struct ens_meta_result r;

        if (!weighted)
            unweight();
        r = fit(regression[_i].method);
        compare(regression[_i].method, &r.intercept, expected, 1, 1e-8);
        compare(regression[_i].method, r.weight, expected + 1, n_learners,
                1e-9);
    }
}
END_TEST

/* The memory page's second benchmark: one regression three times. */
START_TEST(smallest_norm_shares_equal_weights)
{
    struct ens_meta_result r;

    draw(2, 100, 3, 1, 0.5, 0);
    unweight();
    for (size_t i = 0; i < n_rows; i++) /* the third is the others' mean */
        z[i * 3 + 2] = (z[i * 3] + z[i * 3 + 1]) / 2;
    r = fit("ols");
    ck_assert(fabs(r.weight[2] - (r.weight[0] + r.weight[1]) / 2) < 1e-9);
    r = fit("nnls");
    ck_assert(r.risk_all > 0);
}
END_TEST

/* -- learners that are left out ---------------------------------------------
 */

/* l1 failed in one fold, l3 is 0, l4 is l0, l5 almost: weights of the others
 * are those without them. */
START_TEST(some_learners_are_left_out)
{
    static const size_t kept[] = {0, 2, 6};
    double weight[7], risk[7];
    struct ens_meta_result r;

    draw(9, 300, 7, 1, 0.8, 1);
    for (size_t i = 0; i < n_rows; i++) {
        double *row = z + i * 7;

        if (i < 100)
            row[1] = NAN;
        row[3] = 0;
        row[4] = row[0];
        row[5] = row[0] * (1 + 1e-12);
    }
    r = fit(ens_metas[_i].name);
    ck_assert_msg(
        strcmp(warned,
               "learner 'l1' left out: predictions that are not finite;"
               "learner 'l3' left out: predictions are all 0;"
               "learners 'l4', 'l5' left out: predictions equal those of an "
               "earlier learner;") == 0,
        "%s", warned);
    ck_assert(r.n_failed == 1 && r.n_zero == 1 && r.n_duplicates == 2);
    ck_assert(isnan(r.risk[1]) && !isnan(r.risk[3]));
    ck_assert(r.risk[4] == r.risk[0]);
    memcpy(weight, r.weight, sizeof(weight));
    memcpy(risk, r.risk, sizeof(risk));
    for (size_t i = 0; i < n_rows; i++)
        for (size_t k = 0; k < 3; k++)
            z[i * 3 + k] = z[i * 7 + kept[k]];
    n_learners = 3;
    r = fit(ens_metas[_i].name);
    ck_assert_str_eq(warned, "");
    for (size_t k = 0; k < 3; k++) {
        ck_assert_msg(fabs(r.weight[k] - weight[kept[k]]) < 1e-9,
                      "%s %zu %g %g", ens_metas[_i].name, k, r.weight[k],
                      weight[kept[k]]);
        ck_assert(fabs(r.risk[k] - risk[kept[k]]) < 1e-12);
        weight[kept[k]] = 0;
    }
    for (size_t j = 0; j < 7; j++)
        ck_assert(weight[j] == 0);
}
END_TEST

START_TEST(nothing_to_weigh)
{
    struct ens_meta_result r;
    struct ens_error err;

    draw(9, 50, 2, 5, 0.8, 0);
    for (size_t i = 0; i < n_rows; i++)
        y[i] = -y[i];
    r = fit("nnls"); /* all are on the wrong side */
    ck_assert(r.weight[0] == 0 && r.weight[1] == 0);
    ck_assert_str_eq(warned, "all learners have zero weight;");
    for (size_t i = 0; i < n_rows; i++)
        z[2 * i] = NAN, z[2 * i + 1] = 0;
    fit("convex");
    ck_assert(strstr(warned, "all learners have zero weight") != NULL);
    z[1] = INFINITY;
    ck_assert(try_fit("convex", &r, &err) == ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "no learner is left: all of them failed");
    draw(9, 50, 2, 5, 0.8, 0);
    memset(w, 0, sizeof(w));
    ck_assert(try_fit("convex", &r, &err) == ENS_EDOMAIN);
    ck_assert_str_eq(err.text, "weights of all rows are 0");
    unweight();
    y[7] = NAN;
    ck_assert(try_fit("convex", &r, &err) == ENS_EDOMAIN);
    ck_assert(strstr(err.text, "response") != NULL);
}
END_TEST

START_TEST(discrete_takes_the_first_best)
{
    struct ens_meta_result r;

    draw(2, 100, 3, 1, 0.5, 0);
    unweight();
    for (size_t i = 0; i < n_rows; i++) { /* equal risks, other predictions */
        z[i * 3] = y[i] + 2;
        z[i * 3 + 1] = y[i] + 1;
        z[i * 3 + 2] = y[i] - 1;
    }
    r = fit("discrete");
    ck_assert(fabs(r.risk[0] - 4) < 1e-12);
    ck_assert(r.weight[0] == 0 && r.weight[1] + r.weight[2] == 1);
    ck_assert(fabs(r.risk_all - 1) < 1e-12);
    r = fit("average");
    ck_assert(r.weight[1] == 1.0 / 3);
    r = fit("convex"); /* 1 above and 1 below: no error is left */
    ck_assert(r.risk_all < 1e-24);
}
END_TEST

/* -- moments ----------------------------------------------------------------
 */

/* Any shift, no rows: the same weights and risks. */
START_TEST(moments_are_enough)
{
    enum { L = 6, WIDTH = L + 2 };
    double gram[WIDTH * WIDTH] = {0}, shift[L + 1], row[WIDTH];
    struct ens_meta_moments m = {0, shift, gram};
    struct ens_meta_problem p;
    struct ens_meta_result a, b;
    struct ens_meta_options o = options("convex");
    struct ens_error err;

    draw(4, 200, L, 50, 0.5, 0);
    m.n = n_rows;
    for (size_t j = 0; j <= L; j++)
        shift[j] = 49 + (double)j / 3;
    for (size_t i = 0; i < n_rows; i++) {
        row[0] = 1;
        for (size_t j = 0; j < L; j++)
            row[j + 1] = z[i * L + j] - shift[j];
        row[L + 1] = y[i] - shift[L];
        for (size_t j = 0; j < WIDTH; j++)
            for (size_t k = j; k < WIDTH; k++)
                gram[k + j * WIDTH] += w[i] * row[j] * row[k];
    }
    a = fit("convex");
    p = problem();
    p.moments = &m;
    p.read = NULL;
    ck_assert(ens_meta_fit(ens_meta_find("convex")->ops, &o, &p, &b, &err) ==
              ENS_OK);
    ck_assert_uint_eq(passes, 0);
    compare("weight", b.weight, a.weight, L, 1e-9);
    compare("risk", b.risk, a.risk, L, 1e-9);
    ck_assert(ens_meta_fit(ens_meta_find("auc")->ops, &o, &p, &b, &err) ==
              ENS_EDOMAIN);
    ck_assert(strstr(err.text, "needs rows") != NULL);
}
END_TEST

/* Rows of a lane, once or as often as it asks. */
static void sum_lane(struct ens_meta_lane *lane, size_t from, size_t to,
                     size_t block)
{
    size_t rounds = 0;

    do {
        for (size_t i = from; i < to; i += block)
            ens_meta_lane_add(lane, z + i * n_learners, y + i, w + i,
                              to - i < block ? to - i : block);
        ck_assert_uint_le(++rounds, 3);
    } while (ens_meta_lane_end(lane));
}

/* Sums of lanes that end at those rows. */
static struct ens_meta_lanes make_lanes(const size_t *end, size_t n,
                                        size_t block)
{
    struct ens_meta_problem p = problem();
    size_t size = ens_meta_lane_doubles(n_learners);
    double *shift = alloc(NULL, n_learners + 1, sizeof(*shift));
    double *sums = alloc(NULL, n * size, sizeof(*sums));

    ck_assert(shift && sums);
    ck_assert(ens_meta_shift(&p, shift, NULL) == ENS_OK);
    for (size_t i = 0; i < n; i++) {
        struct ens_meta_lane lane;

        ck_assert(ens_meta_lane_open(&lane, &p, shift, sums + i * size, NULL) ==
                  ENS_OK);
        sum_lane(&lane, i > 0 ? end[i - 1] : 0, end[i], block);
    }
    return (struct ens_meta_lanes){n, shift, sums, size};
}

/* Rows of a block: fewer than columns, some, all. */
static const size_t block_rows[] = {3, 16, ENS_META_BLOCK};

static struct ens_meta_result fit_lanes(const char *method, const size_t *end,
                                        size_t n, size_t block)
{
    struct ens_meta_options o = options(method);
    struct ens_meta_problem p;
    struct ens_meta_lanes lanes;
    struct ens_meta_result r;
    struct ens_error err = {0};

    lanes = make_lanes(end, n, block);
    p = problem();
    p.lanes = &lanes;
    p.read = NULL;
    ck_assert_msg(ens_meta_fit(ens_meta_find(method)->ops, &o, &p, &r, &err) ==
                      ENS_OK,
                  "%s: %s", method, err.text);
    ck_assert_uint_eq(passes, 0);
    return r;
}

/* Of rows in any lanes, some without a row and one of a single row: what R says
 * of all. */
START_TEST(lanes_are_enough)
{
    size_t end[] = {0, 1, 1, 0, 0};
    struct ens_meta_result r;

    draw(by_r[_i].seed, by_r[_i].n, by_r[_i].l, by_r[_i].mean, by_r[_i].apart,
         0);
    if (!by_r[_i].weighted)
        unweight();
    for (size_t i = 0; i < n_rows && by_r[_i].nnls == constant_nnls; i++)
        y[i] = 3;
    end[3] = n_rows / 3;
    end[4] = n_rows;
    for (size_t k = 0; k < ENS_COUNT(block_rows); k++) {
        ens_arena_reset(&arena);
        r = fit_lanes("nnls", end, ENS_COUNT(end), block_rows[k]);
        compare(by_r[_i].name, r.weight, by_r[_i].nnls, n_learners, 1e-9);
        compare(by_r[_i].name, r.risk, by_r[_i].risk, n_learners, 1e-10);
        ck_assert_str_eq(warned, "");
        r = fit_lanes("convex", end, ENS_COUNT(end), block_rows[k]);
        compare(by_r[_i].name, r.weight, by_r[_i].convex, n_learners, 1e-9);
    }
}
END_TEST

/* Where the Gram matrix loses digits; not the closest ones, of which the last
 * bit of the triangle decides which learners are chosen. */
START_TEST(collinear_lanes)
{
    static const size_t end[] = {7, 20, 33, 40};
    struct ens_meta_result r;

    draw(8, 40, 4, exact[_i].mean, exact[_i].apart, 0);
    unweight();
    for (size_t k = 0; k < ENS_COUNT(block_rows); k++) {
        ens_arena_reset(&arena);
        r = fit_lanes("nnls", end, ENS_COUNT(end), block_rows[k]);
        compare(exact[_i].name, r.weight, exact[_i].nnls, 4, exact[_i].tol);
        r = fit_lanes("convex", end, ENS_COUNT(end), block_rows[k]);
        compare(exact[_i].name, r.weight, exact[_i].convex, 4,
                exact[_i].tol_convex);
    }
}
END_TEST

/* In one lane alone, or in the first block of each. */
START_TEST(collinear_in_part)
{
    static const size_t end[] = {100, 200};
    struct ens_meta_result r, whole;
    double first[2];

    draw(4, 200, 2, 50, 0.5, 0);
    for (size_t i = 0; i < n_rows; i++)
        if (_i == 0 ? i < 100 : i % 100 < 16)
            z[2 * i + 1] = z[2 * i];
    ens_arena_reset(&arena);
    whole = fit("ols");
    memcpy(first, whole.weight, sizeof(first));
    for (size_t k = 0; k < ENS_COUNT(block_rows); k++) {
        r = fit_lanes("ols", end, 2, block_rows[k]);
        compare("collinear in part", r.weight, first, 2, 1e-9);
        ck_assert_uint_eq(r.n_duplicates, 0);
    }
}
END_TEST

/* What is found of columns is found in lanes: equal ones, zeros, those that
 * are not finite in some rows of one lane alone, of any block. */
START_TEST(lanes_leave_out_the_same)
{
    static const size_t end[] = {60, 75, 100};
    struct ens_meta_result r, whole;
    double first[5];

    draw(2, 100, 5, 1, 0.5, 0);
    for (size_t i = 0; i < n_rows; i++) {
        z[5 * i + 2] = z[5 * i];
        z[5 * i + 3] = 0;
        w[i] = i < 60 ? 0 : w[i]; /* a lane of no weight */
    }
    z[5 * 95 + 1] = _i ? (double)INFINITY : (double)NAN;
    whole = fit("ols");
    memcpy(first, whole.weight, sizeof(first));
    ck_assert_uint_eq(whole.n_failed + whole.n_zero + whole.n_duplicates, 3);
    for (size_t k = 0; k < ENS_COUNT(block_rows); k++) {
        r = fit_lanes("ols", end, ENS_COUNT(end), block_rows[k]);
        compare("weight", r.weight, first, 5, 1e-9);
        ck_assert_uint_eq(r.n_failed, 1);
        ck_assert_uint_eq(r.n_zero, 1);
        ck_assert_uint_eq(r.n_duplicates, 1);
        ck_assert_str_eq(
            warned, "learner 'l1' left out: predictions that are not finite;"
                    "learner 'l3' left out: predictions are all 0;"
                    "learner 'l2' left out: predictions equal those of an "
                    "earlier learner;");
    }
}
END_TEST

/* Over more than one block: moments, QR, likelihood, sample. */
START_TEST(many_rows)
{
    struct ens_meta_result r;

    draw(12, 2500, 4, 0, 1.5, 1);
    for (size_t k = 0; k < ens_n_metas; k++) {
        struct ens_meta_result again;
        double first[4];

        r = fit(ens_metas[k].name);
        memcpy(first, r.weight, sizeof(first));
        again = fit(ens_metas[k].name);
        ck_assert(memcmp(again.weight, first, sizeof(first)) == 0);
    }
    r = fit("ols");
    for (size_t j = 0; j < 4; j++) { /* residuals are orthogonal */
        double sum = 0, out;

        for (size_t i = 0; i < n_rows; i++) {
            ens_meta_predict(&r, 4, z + i * 4, 1, &out);
            sum += w[i] * z[i * 4 + j] * (y[i] - out);
        }
        ck_assert_msg(fabs(sum) < 1e-9, "%g", sum);
    }
}
END_TEST

START_TEST(predictions)
{
    double weight[] = {0.25, 0, 0.75}, out[2];
    const double rows[] = {0.5, NAN, 0.9, 0.5, NAN, 1};
    struct ens_meta_result r = {.weight = weight, .intercept = 1};

    ens_meta_predict(&r, 3, rows, 2, out);
    ck_assert(fabs(out[0] - 1.8) < 1e-15 && out[1] == 1.875);
    r = (struct ens_meta_result){
        .weight = weight, .link = ENS_META_LOGIT, .trim = 0.1};
    ens_meta_predict(&r, 3, rows, 2, out);
    ck_assert(fabs(out[0] - 1 / (1 + pow(9, -0.75))) < 1e-15);
    ck_assert(fabs(out[1] - out[0]) < 1e-15);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("meta");
    TCase *tc = tcase_create("meta");
    SRunner *runner;
    int failed;

    ens_arena_init(&arena);
    tcase_add_loop_test(tc, squares_are_those_of_r, 0, ENS_COUNT(by_r));
    tcase_add_test(tc, more_learners_than_rows);
    tcase_add_loop_test(tc, collinear_learners, 0, ENS_COUNT(exact));
    tcase_add_loop_test(tc, regressions_are_those_of_scikit_learn, 0,
                        ENS_COUNT(regression));
    tcase_add_test(tc, smallest_norm_shares_equal_weights);
    tcase_add_loop_test(tc, some_learners_are_left_out, 0, (int)ens_n_metas);
    tcase_add_test(tc, nothing_to_weigh);
    tcase_add_test(tc, discrete_takes_the_first_best);
    tcase_add_test(tc, moments_are_enough);
    tcase_add_loop_test(tc, lanes_are_enough, 0, ENS_COUNT(by_r));
    tcase_add_loop_test(tc, collinear_lanes, 0, ENS_COUNT(exact) - 1);
    tcase_add_loop_test(tc, collinear_in_part, 0, 2);
    tcase_add_loop_test(tc, lanes_leave_out_the_same, 0, 2);
    tcase_add_test(tc, many_rows);
    tcase_add_test(tc, predictions);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    ens_arena_fini(&arena);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
