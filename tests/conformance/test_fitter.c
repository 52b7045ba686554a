/* What every fitter must do, looped over their table. */
#include "../fit.h"

#include "base/bug.h"

#include <math.h>

static const struct entry {
    const char *name;
    const struct ens_fitter *fitter;
    const struct ens_setting *settings;
    size_t n_settings;
} fitters[] = {
#define ENS_FITTER(name, n, help)                                              \
    {#name, &ens_fitter_##name, ens_fitter_##name##_settings, n},
#include "fit/x.def"
#undef ENS_FITTER
};
#define N_FITTERS ((int)ENS_COUNT(fitters))

#define ROWS 40

static const char *const names[] = {"a", "b", "y"};
static double value[3][ROWS];
static struct ens_data_column column[3];

/* y is 0 or 1, so that every family takes it; not separable. */
static struct ens_data fill(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        value[0][i] = sin(1.7 * (double)i);
        value[1][i] = cos(2.3 * (double)i) + 0.1 * value[0][i];
        value[2][i] = (i * 7 + 3) % 5 < 2;
    }
    for (size_t j = 0; j < 3; j++)
        column[j] = (struct ens_data_column){.values = value[j]};
    return (struct ens_data){ROWS, 3, names, column, NULL};
}

/* Those that draw, or keep memory of the task, are run by whole studies
 * (tests/system/test_bayes_fits). */
static int needs_task(int i)
{
    return fitters[i].fitter->work == NULL;
}

static enum ens_status fit(struct fit *f, int i, int is_normal)
{
    struct ens_data data = {ROWS, 3, names, column, NULL};

    return fit_run(f, fitters[i].fitter, is_normal, "y ~ a + b", &data);
}

START_TEST(same_problem_same_bits)
{
    struct fit f, g;

    if (needs_task(_i))
        return;
    fill();
    for (int normal = 0; normal < 2; normal++) {
        ck_assert_msg(fit(&f, _i, normal) == ENS_OK, "%s", f.err.text);
        ck_assert_int_eq(fit(&g, _i, normal), ENS_OK);
        ck_assert_mem_eq(f.estimate, g.estimate, sizeof(f.estimate));
        ck_assert_mem_eq(f.cov, g.cov, sizeof(f.cov));
        ck_assert_mem_eq(f.low, g.low, sizeof(f.low));
        fit_fini(&f);
        fit_fini(&g);
    }
}
END_TEST

START_TEST(limits_enclose_the_estimate)
{
    struct fit f;

    if (needs_task(_i))
        return;
    fill();
    ck_assert_int_eq(fit(&f, _i, 1), ENS_OK);
    ck_assert_uint_eq(f.n, ROWS);
    for (size_t j = 0; j < 3; j++) {
        ck_assert_double_gt(f.std_error[j], 0);
        ck_assert_double_lt(f.low[j], f.estimate[j]);
        ck_assert_double_gt(f.high[j], f.estimate[j]);
        ck_assert_double_eq_tol(f.cov[j * 4], f.std_error[j] * f.std_error[j],
                                1e-12);
    }
    fit_fini(&f);
}
END_TEST

/* As R's na.omit: a row with a missing value counts for nothing. */
START_TEST(missing_rows_are_left_out)
{
    struct fit f, g;

    if (needs_task(_i))
        return;
    fill();
    value[0][ROWS - 1] = NAN;
    value[2][ROWS - 2] = NAN;
    ck_assert_int_eq(fit(&f, _i, 1), ENS_OK);
    ck_assert_uint_eq(f.n, ROWS - 2);
    value[0][ROWS - 1] = 1e6; /* a value that would tell */
    value[2][ROWS - 1] = NAN;
    ck_assert_int_eq(fit(&g, _i, 1), ENS_OK);
    ck_assert_mem_eq(f.estimate, g.estimate, sizeof(f.estimate));
    fit_fini(&f);
    fit_fini(&g);
}
END_TEST

START_TEST(no_fit_is_an_outcome_with_a_text)
{
    struct fit f;

    if (needs_task(_i))
        return;
    fill();
    value[1][3] = INFINITY;
    ck_assert_int_eq(fit(&f, _i, 1), ENS_EDOMAIN);
    ck_assert_uint_gt(strlen(f.err.text), 0);
    fit_fini(&f);
    fill();
    memcpy(value[1], value[0], sizeof(value[0]));
    if (fit(&f, _i, 1) == ENS_OK) /* a penalty or prior decides */
        for (size_t j = 0; j < 3; j++)
            ck_assert(isfinite(f.estimate[j]) && isfinite(f.std_error[j]));
    else
        ck_assert_msg(strstr(f.err.text, "'b'") != NULL, "%s", f.err.text);
    fit_fini(&f);
    fill();
    for (size_t i = 0; i < ROWS; i++)
        value[2][i] = NAN;
    ck_assert_int_eq(fit(&f, _i, 1), ENS_EDOMAIN);
    fit_fini(&f);
}
END_TEST

START_TEST(settings_are_those_of_role_fit)
{
    const struct entry *e = &fitters[_i];
    int has_formula = 0;

    for (size_t i = 0; i < e->n_settings; i++) {
        const char *section = e->settings[i].section;

        /* or of an argument of a call: "normal()" */
        if (strcmp(section + strlen(section) - 2, "()") != 0)
            ck_assert_str_eq(section, "fit");
        ck_assert_uint_gt(strlen(e->settings[i].help), 0);
        has_formula |= strcmp(e->settings[i].key, "formula") == 0;
    }
    ck_assert_int_eq(has_formula, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fitters");
    TCase *t = tcase_create("each");
    SRunner *r;
    int failed;

    tcase_add_loop_test(t, same_problem_same_bits, 0, N_FITTERS);
    tcase_add_loop_test(t, limits_enclose_the_estimate, 0, N_FITTERS);
    tcase_add_loop_test(t, missing_rows_are_left_out, 0, N_FITTERS);
    tcase_add_loop_test(t, no_fit_is_an_outcome_with_a_text, 0, N_FITTERS);
    tcase_add_loop_test(t, settings_are_those_of_role_fit, 0, N_FITTERS);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
