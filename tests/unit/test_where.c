/* Conditions on axes (--where): names, values in any spelling, errors that
 * list what there is. */
#include "config/where.h"

#include "study_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static const char study_text[] =
    "[study]\nkind = trial\n[inputs]\nwells = w.csv\n"
    "[data small]\ngenerator = linear\nn = 10, 200\nslope = 2 0.5, 0\n"
    "[data boot]\ngenerator = bootstrap\ninput = wells\nn = 30, 0\n"
    "[fit ols]\n"
    "[fit logit]\nfitter = glm\nprior = normal(0, 2.5), flat\n"
    "formula = \"a, b\", y ~ x\n";

static struct ens_study *st;

static void setup(void)
{
    struct ens_buf errors = ENS_BUF_INIT;

    if (ens_study_parse(&st, "s.ini", study_text, strlen(study_text), "/base",
                        NULL, 0, &fix_all, &errors, NULL) != ENS_OK)
        ck_abort_msg("%s", ens_buf_text(&errors));
    ens_buf_fini(&errors);
}

static void teardown(void)
{
    ens_study_free(st);
}

/* 6 data cells (4 of small) x 5 fits (ols, then 4 of logit). */
static const struct {
    const char *text;
    unsigned n;
} good[] = {
    {"", 30},
    {"data=small", 20},
    {" data = small , fit=ols", 4},
    {"data_n=10", 10},
    {"n=1e1", 10},
    {"data_n=2e2,data_slope= 2  0.5", 5},
    {"slope=2 5e-1", 10},
    {"data_slope=", 10}, /* rows that have no such key */
    {"prior=flat", 12},
    {"fit_prior=normal(sd=2.5)", 12},
    {"fit_prior=normal(0, 2.5)", 12},
    {"formula=\"a, b\"", 12},
    {"data=boot,n=0,fit=logit,prior=flat", 2},
};

START_TEST(all_conditions_hold)
{
    const char *text[] = {good[_i].text};
    struct ens_where w;
    struct ens_error err;
    unsigned n = 0;

    if (ens_where_init(&w, st, text, 1, &err) != ENS_OK)
        ck_abort_msg("%s: %s", text[0], err.text);
    for (uint64_t i = 0; i < ens_study_n_cells(st); i++)
        n += ens_where_has(&w, i) != 0;
    ck_assert_msg(n == good[_i].n, "%s: %u cells", text[0], n);
    ens_where_fini(&w);
}
END_TEST

static const struct {
    const char *text, *says;
} bad[] = {
    {"m=3", "--where m: no such axis; there are data, data_n, data_slope, fit, "
            "fit_prior, fit_formula"},
    {"data_sigma=1", "no such axis"},
    {"n=11", "--where n=11: no cell has it; there are 10, 200, 30, 0"},
    {"n=ten", "no cell has it"},
    {"data=large", "there are small, boot"},
    {"fit_prior=normal(1)", "there are"},
    {"n", "\"n\": expected NAME=VALUE"},
    {"=3", "expected NAME=VALUE"},
    {"n=10,,fit=ols", "expected NAME=VALUE"},
    {"n=(", "do not match"},
    {"data=boot,n=10", "no cell has all of these values together"},
    {"n=10,n=200", "no cell has all"},
};

START_TEST(errors_list_what_there_is)
{
    const char *text[] = {bad[_i].text};
    struct ens_where w;
    struct ens_error err;

    ck_assert_int_eq(ens_where_init(&w, st, text, 1, &err), ENS_EUSAGE);
    ck_assert_msg(strstr(err.text, bad[_i].says) != NULL, "%s: %s", text[0],
                  err.text);
}
END_TEST

START_TEST(lists_add_up)
{
    const char *text[] = {"data=small", "n=10,fit=ols"};
    struct ens_where w;
    unsigned n = 0;

    ck_assert_int_eq(ens_where_init(&w, st, text, 2, NULL), ENS_OK);
    for (uint64_t i = 0; i < ens_study_n_cells(st); i++)
        n += ens_where_has(&w, i) != 0;
    ck_assert_uint_eq(n, 2);
    ens_where_fini(&w);
    ens_where_fini(&w);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("where");
    TCase *t = tcase_create("where");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, all_conditions_hold, 0,
                        (int)(sizeof(good) / sizeof(good[0])));
    tcase_add_loop_test(t, errors_list_what_there_is, 0,
                        (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_test(t, lists_add_up);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed > 0;
}
