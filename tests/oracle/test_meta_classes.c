/* Meta learners of classes 0 and 1 against R's optim and nloptr
 * (meta_classes.inc, made by meta.R), and their conditions of optimality. */
#include "meta_problem.h"

#include "meta_classes.inc"

/* -- classes ----------------------------------------------------------------
 */

static double logit(double p)
{
    p = fmin(fmax(p, 0.001), 0.999);
    return log(p / (1 - p));
}

/* Slopes of the -2 log likelihood at weights. */
static void slopes(const double *x, double *g)
{
    memset(g, 0, n_learners * sizeof(*g));
    for (size_t i = 0; i < n_rows; i++) {
        double eta = 0, p;

        for (size_t j = 0; j < n_learners; j++)
            eta += x[j] * logit(z[i * n_learners + j]);
        p = 1 / (1 + exp(-eta));
        for (size_t j = 0; j < n_learners; j++)
            g[j] += 2 * w[i] * (p - y[i]) * logit(z[i * n_learners + j]);
    }
}

/* SLSQP stops up to 1e-6 away, L-BFGS-B likewise: the slopes say who is
 * right. */
START_TEST(likelihoods)
{
    struct ens_meta_result r;
    double g[4], level = INFINITY;

    draw(7, 400, 4, 0, 1.5, 1);
    if (!_i)
        unweight();
    r = fit("convex_loglik");
    compare("convex", r.weight,
            _i ? class_weighted_convex_loglik : class_convex_loglik, 4, 1e-6);
    compare("deviance", r.risk, _i ? class_weighted_deviance : class_deviance,
            4, 1e-12);
    slopes(r.weight, g);
    for (size_t j = 0; j < 4; j++)
        level = fmin(level, g[j]);
    for (size_t j = 0; j < 4; j++)
        ck_assert_msg(r.weight[j] == 0 || g[j] - level < 1e-9, "%zu %g", j,
                      g[j] - level);
    for (size_t j = 0; j < 4; j++)
        ck_assert(r.risk_all <= r.risk[j]);
    r = fit("nnloglik");
    compare("nn", r.weight, _i ? class_weighted_nnloglik : class_nnloglik, 4,
            1e-6);
}
END_TEST

/* Of weights that are not divided by their sum. */
START_TEST(likelihood_is_at_its_maximum)
{
    struct ens_meta_problem p;
    struct ens_meta_options o = options("nnloglik");
    struct ens_meta_result r;
    double g[4];

    draw(7, 400, 4, 0, 1.5, 1);
    o.normalise = 0;
    p = problem();
    ens_arena_reset(&arena);
    ck_assert(ens_meta_fit(ens_meta_find("nnloglik")->ops, &o, &p, &r, NULL) ==
              ENS_OK);
    slopes(r.weight, g);
    for (size_t j = 0; j < 4; j++)
        ck_assert_msg(r.weight[j] == 0 ? g[j] >= 0 : fabs(g[j]) < 1e-9,
                      "%zu %g %g", j, r.weight[j], g[j]);
    ck_assert_msg(passes < 12, "%zu", passes);
}
END_TEST

START_TEST(separated_classes)
{
    draw(7, 400, 4, 0, 1.5, 1);
    unweight();
    for (size_t i = 0; i < n_rows; i++)
        z[i * 4 + 2] = y[i];
    fit("nnloglik");
    ck_assert_msg(strstr(warned, "separate") != NULL, "%s", warned);
    fit("convex_loglik");
    ck_assert_str_eq(warned, "");
}
END_TEST

START_TEST(areas)
{
    struct ens_meta_result r;

    draw(7, 400, 4, 0, 1.5, 1);
    if (!_i)
        unweight();
    r = fit("auc");
    compare("risk", r.risk, _i ? class_weighted_auc_risk : class_auc_risk, 4,
            1e-13);
    ck_assert_msg(r.risk_all <=
                      (_i ? class_weighted_auc_optim : class_auc_optim)[0],
                  "%g", r.risk_all);
}
END_TEST

START_TEST(classes_are_0_and_1)
{
    static const char *const method[] = {"nnloglik", "convex_loglik", "auc"};
    struct ens_meta_result r;
    struct ens_error err;

    for (size_t k = 0; k < ENS_COUNT(method); k++) {
        draw(7, 400, 4, 0, 1.5, 1);
        y[17] = 2;
        ck_assert(try_fit(method[k], &r, &err) == ENS_EDOMAIN);
        ck_assert_msg(strstr(err.text, "row 18: 2 is no class") != NULL, "%s",
                      err.text);
    }
    for (size_t i = 0; i < n_rows; i++)
        y[i] = 1;
    ck_assert(try_fit("auc", &r, &err) == ENS_EDOMAIN);
    ck_assert_msg(strstr(err.text, "class 1 alone") != NULL, "%s", err.text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("meta_classes");
    TCase *tc = tcase_create("meta_classes");
    SRunner *runner;
    int failed;

    ens_arena_init(&arena);
    tcase_add_loop_test(tc, likelihoods, 0, 2);
    tcase_add_test(tc, likelihood_is_at_its_maximum);
    tcase_add_test(tc, separated_classes);
    tcase_add_loop_test(tc, areas, 0, 2);
    tcase_add_test(tc, classes_are_0_and_1);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    ens_arena_fini(&arena);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
