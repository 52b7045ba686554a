/* Kind simulation: its plan, its labels, its tasks and their bootstrap. */
#include "simulation_fixture.h"

#include "base/bug.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

START_TEST(plan_declares_a_schema_per_list_of_terms)
{
    struct fixture x;
    const struct ens_schema *s;

    ck_assert_msg(begin(&x, two_by_three, NULL) == ENS_OK, "%s", x.err.text);
    ck_assert_uint_eq(x.plan.n_stages, 1);
    ck_assert_str_eq(x.plan.stage[0].key, "fit");
    ck_assert_uint_eq(x.plan.schemas.n, 2);
    s = x.plan.schemas.item[0];
    ck_assert_uint_eq(s->n, 15);
    ck_assert_str_eq(s->field[0].name, "estimate__intercept");
    ck_assert_str_eq(s->field[1].name, "estimate__x1");
    ck_assert_str_eq(s->field[5].name, "std_error__x2");
    ck_assert_str_eq(s->field[6].name, "conf_low__intercept");
    ck_assert_str_eq(s->field[11].name, "conf_high__x2");
    ck_assert_str_eq(s->field[12].name, "truth__intercept");
    ck_assert_uint_eq(x.plan.schemas.item[1]->n, 10);
    end(&x);
}
END_TEST

START_TEST(label_names_data_fit_and_replicate)
{
    struct fixture x;
    struct ens_task task = {.stage = "fit", .replicate = 3};
    char text[64];

    ck_assert_int_eq(begin(&x, two_by_three, NULL), ENS_OK);
    ens_study_cell(x.study, 4, &task.cell);
    ens_plan_label(&x.plan, &task, text, sizeof(text));
    ck_assert_str_eq(text, "d002_f002_r00003");
    end(&x);
}
END_TEST

START_TEST(same_task_same_bits_and_same_data_for_every_fit)
{
    struct fixture x;
    struct ens_result a, b, c, d;

    ck_assert_int_eq(begin(&x, two_by_three, NULL), ENS_OK);
    ck_assert_int_eq(run(&x, 0, 7, &a), ENS_OK);
    ck_assert_int_eq(run(&x, 1, 7, &b), ENS_OK);
    ck_assert_int_eq(run(&x, 2, 7, &c), ENS_OK);
    ck_assert_int_eq(run(&x, 0, 7, &d), ENS_OK);
    ck_assert(memcmp(a.value, d.value, sizeof(a.value)) == 0);
    ck_assert_uint_eq(a.data.low, b.data.low);
    ck_assert_uint_eq(a.data.low, c.data.low);
    ck_assert_uint_eq(a.fit.low, d.fit.low);
    ck_assert_uint_eq(a.schema, 0);
    ck_assert_uint_eq(b.schema, 1);
    ck_assert_uint_eq(c.schema, 0);
    for (size_t k = 0; k < 6; k++) /* glm gaussian is ols, but for its level */
        ck_assert(a.value[k] == c.value[k]);
    ck_assert(a.value[6] < c.value[6]);
    ck_assert_int_eq(run(&x, 0, 8, &d), ENS_OK);
    ck_assert_uint_ne(a.data.low, d.data.low);
    ck_assert_int_eq(run(&x, 3, 7, &d), ENS_OK); /* n = 50 */
    ck_assert_uint_eq(d.data_bytes, 128 + 50 * 3 * 8);
    ck_assert_uint_eq(d.fit_bytes, 128 + 3 * 4 * 8);
    ck_assert(memcmp(d.head, "\x93NUMPY\x01\x00\x76\x00", 10) == 0);
    end(&x);
}
END_TEST

/* Without common random numbers: data of its own for every fit row, and for
 * each the same as ever. */
START_TEST(independent_streams_give_every_fit_data_of_its_own)
{
    char text[1024];
    struct fixture x;
    struct ens_result a, b, c;
    struct ens_buf fingerprint = ENS_BUF_INIT;

    snprintf(text, sizeof(text), "[study]\nstreams = independent\n%s",
             two_by_three + strlen("[study]\n"));
    ck_assert_msg(begin(&x, text, NULL) == ENS_OK, "%s", x.err.text);
    ck_assert_int_eq(run(&x, 0, 7, &a), ENS_OK);
    ck_assert_int_eq(run(&x, 1, 7, &b), ENS_OK);
    ck_assert_int_eq(run(&x, 0, 7, &c), ENS_OK);
    ck_assert_uint_ne(a.data.low, b.data.low);
    ck_assert_uint_eq(a.data.low, c.data.low);
    ens_study_fingerprint(x.study, &fingerprint);
    ck_assert_ptr_nonnull(
        strstr(ens_buf_text(&fingerprint), "study.streams=independent\n"));
    ens_buf_fini(&fingerprint);
    end(&x);
}
END_TEST

/* -- bootstrap
 * -------------------------------------------------------------------- */

static double cells[3][40];

static struct ens_mapped table_of(struct ens_column column[3])
{
    static const char *const name[] = {"a", "b", "y"};
    struct ens_mapped m = {0};
    struct ens_rng g;

    ens_rng_set(&g, 1, 1, 1, 1);
    for (size_t j = 0; j < 3; j++) {
        column[j] = (struct ens_column){.name = name[j]};
        column[j].view =
            (struct ens_view){.data = cells[j], .dtype = ENS_DT_F64, .ndim = 1};
        column[j].view.shape[0] = 40;
        column[j].view.strides[0] = 8;
    }
    for (size_t i = 0; i < 40; i++) {
        cells[0][i] = ens_rng_normal(&g);
        cells[1][i] = ens_rng_normal(&g);
        cells[2][i] = ens_rng_uniform(&g) < 0.5;
    }
    m.input = (struct ens_input){.name = "T",
                                 .path = "t.npy",
                                 .n_rows = 40,
                                 .n_columns = 3,
                                 .columns = column};
    return m;
}

#define BOOTSTRAP                                                              \
    HEAD "[inputs]\nT = t.npy\n[data]\ngenerator = bootstrap\ninput = T\n"     \
         "[fit]\nfitter = glm\nfamily = binomial\nformula = "

START_TEST(bootstrap_draws_rows_of_the_input)
{
    struct ens_column column[3];
    struct ens_mapped input = table_of(column);
    struct fixture x;
    struct ens_result a, b;

    ck_assert_msg(begin(&x, BOOTSTRAP "y ~ a + I(b/2)\n", &input) == ENS_OK,
                  "%s", x.err.text);
    ck_assert_int_eq(run(&x, 0, 1, &a), ENS_OK);
    ck_assert_uint_eq(a.data_bytes, 128 + 40 * 8);
    ck_assert_int_eq(run(&x, 0, 2, &b), ENS_OK);
    ck_assert(a.value[0] != b.value[0]);
    /* by byte order and stride: the same through a gathered view */
    column[0].view.strides[0] = -8;
    column[0].view.data = &cells[0][39];
    for (size_t i = 0; i < 20; i++) {
        double t = cells[0][i];

        cells[0][i] = cells[0][39 - i];
        cells[0][39 - i] = t;
    }
    ck_assert_int_eq(run(&x, 0, 2, &a), ENS_OK);
    ck_assert(memcmp(a.value, b.value, sizeof(a.value)) == 0);
    end(&x);
}
END_TEST

START_TEST(missing_values_are_left_out_with_a_warning)
{
    struct ens_column column[3];
    struct ens_mapped input = table_of(column);
    struct fixture x;
    struct ens_result a;

    ck_assert_int_eq(begin(&x, BOOTSTRAP "y ~ a\n", &input), ENS_OK);
    for (size_t i = 0; i < 20; i++)
        cells[0][2 * i] = NAN;
    ck_assert_msg(run(&x, 0, 1, &a) == ENS_OK, "%s", x.err.text);
    ck_assert_uint_eq(a.n_warnings, 1);
    ck_assert_str_eq(a.warning, "rows with missing values left out");
    ck_assert(isfinite(a.value[0]));
    for (size_t i = 0; i < 40; i++)
        cells[0][i] = NAN;
    ck_assert_int_eq(run(&x, 0, 1, &a), ENS_EDOMAIN);
    ck_assert_str_eq(x.err.text, "0 complete rows for 2 terms");
    end(&x);
}
END_TEST

static const struct {
    const char *text, *message;
} refused[] = {
    {BOOTSTRAP "y ~ a + c\n", "test.ini:14: [fit] over [data]: formula 'y ~ a "
                              "+ c', position 9: no column 'c' "
                              "(columns: a, b, y)"},
    {BOOTSTRAP "y ~ a/2\n",
     "[fit]: formula 'y ~ a/2', position 6: '/' between terms does not "
     "compute; for arithmetic write I(a/2)"},
    {HEAD "[data one]\ngenerator = linear\nslope = 1 1, 1\n"
          "[fit f]\nfitter = ols\nformula = y ~ x1, y ~ x2\n",
     "[fit f] over [data one]: formula 'y ~ x2', position 5: no column 'x2' "
     "(columns: x1, y)"},
    {HEAD "[data]\ngenerator = linear\n[fit]\nfitter = ols\nlevel = 1\n"
          "formula = y ~ x1\n",
     "[fit]: level: 1 is not between 0 and 1"},
    {HEAD "[data]\ngenerator = linear\n[fit]\nfitter = ols\n"
          "formula = y ~ x1\n[metrics]\nuse = bias, bias\n",
     "[metrics] use: bias is there twice"},
    {HEAD "[data]\ngenerator = linear\n[fit]\nfitter = ols\n"
          "formula = y ~ x1\n[metrics]\nuse = coverage(level=1)\n",
     "[metrics] use: coverage: level: '1' is not a number between 0 and 1"},
};

START_TEST(plan_says_what_is_wrong_and_where)
{
    struct ens_column column[3];
    struct ens_mapped input = table_of(column);
    struct fixture x;

    ck_assert_int_ne(begin(&x, refused[_i].text, &input), ENS_OK);
    ck_assert_msg(strstr(x.err.text, refused[_i].message) != NULL, "%s",
                  x.err.text);
    end(&x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("simulation");
    TCase *t = tcase_create("simulation");
    SRunner *r;
    int failed;

    tcase_add_test(t, plan_declares_a_schema_per_list_of_terms);
    tcase_add_test(t, label_names_data_fit_and_replicate);
    tcase_add_test(t, same_task_same_bits_and_same_data_for_every_fit);
    tcase_add_test(t, independent_streams_give_every_fit_data_of_its_own);
    tcase_add_test(t, bootstrap_draws_rows_of_the_input);
    tcase_add_test(t, missing_values_are_left_out_with_a_warning);
    tcase_add_loop_test(t, plan_says_what_is_wrong_and_where, 0,
                        (int)ENS_COUNT(refused));
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
