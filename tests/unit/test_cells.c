/* Cells: ordinals, canonical text, hashes, columns. */
#include "study_fixture.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char golden_text[] =
    "[study]\nkind = trial\n[inputs]\nwells = w.csv\n"
    "[data]\nsigma = 2\n"
    "[data small]\ngenerator = linear\nn = 10, 20\nslope = 2 0.5, 0\n"
    "[data boot]\ngenerator = bootstrap\ninput = wells\n"
    "[fit ols]\n"
    "[fit logit]\nfitter = glm\nfamily = gaussian, binomial\n"
    "formula = y ~ a + I(b/100)\nprior = normal(0, 2.5)\n";

static struct ens_study *must(const char *text)
{
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_study *st = NULL;

    if (ens_study_parse(&st, "s.ini", text, strlen(text), "/base", NULL, 0,
                        &fix_all, &errors, NULL) != ENS_OK)
        ck_abort_msg("%s", ens_buf_text(&errors));
    ens_buf_fini(&errors);
    return st;
}

/* Written out: a change of any of these makes old results unusable. */
static const struct {
    uint64_t ordinal;
    const char *text, *data;
    uint64_t hash[2], data_hash[2];
} golden[] = {
    {0,
     "data.generator=linear\ndata.n=10\ndata.sigma=2\ndata.slope=2 0.5\n"
     "fit.fitter=ols\n",
     "data.generator=linear\ndata.n=10\ndata.sigma=2\ndata.slope=2 0.5\n",
     {UINT64_C(0xd6219b66a88a2997), UINT64_C(0xd0815c8b814ecdd7)},
     {UINT64_C(0x7869921ecf577acd), UINT64_C(0xd330782525871bfe)}},
    {11,
     "data.generator=linear\ndata.n=20\ndata.sigma=2\nfit.family=binomial\n"
     "fit.fitter=glm\nfit.formula=y ~ a + I(b/100)\nfit.prior=normal(sd=2.5)\n",
     "data.generator=linear\ndata.n=20\ndata.sigma=2\n",
     {UINT64_C(0xd5a90761c75f1424), UINT64_C(0xc6b3b0a6aa15d083)},
     {UINT64_C(0xc5f3721e1843663f), UINT64_C(0xaad5b0bacb5007a5)}},
    {13,
     "data.generator=bootstrap\ndata.input=wells\nfit.fitter=glm\n"
     "fit.formula=y ~ a + I(b/100)\nfit.prior=normal(sd=2.5)\n",
     "data.generator=bootstrap\ndata.input=wells\n",
     {UINT64_C(0x538e16f71a328982), UINT64_C(0xa67948c9121ce6d7)},
     {UINT64_C(0x54e598606fd15665), UINT64_C(0x3cdb855422e4d3a6)}},
};

START_TEST(golden_cells)
{
    struct ens_study *st = must(golden_text);
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_cell cell;

    ck_assert_uint_eq(ens_study_n_cells(st), 15);
    ens_study_cell(st, golden[_i].ordinal, &cell);
    ens_cell_canonical(&cell, 0, &b);
    ck_assert_str_eq(ens_buf_text(&b), golden[_i].text);
    ens_buf_clear(&b);
    ens_cell_canonical(&cell, 1, &b);
    ck_assert_str_eq(ens_buf_text(&b), golden[_i].data);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(cell.hash[i], golden[_i].hash[i]);
        ck_assert_uint_eq(cell.data_hash[i], golden[_i].data_hash[i]);
    }
    ens_buf_fini(&b);
    ens_study_free(st);
}
END_TEST

START_TEST(hash_is_of_the_canonical_text)
{
    struct ens_study *st = must(golden_text);
    struct ens_buf b = ENS_BUF_INIT;

    for (uint64_t i = 0; i < ens_study_n_cells(st); i++) {
        struct ens_cell cell;
        struct ens_hash128 h;

        ens_study_cell(st, i, &cell);
        for (int part = 0; part < 2; part++) {
            ens_buf_clear(&b);
            ens_cell_canonical(&cell, part, &b);
            h = ens_hash128(b.data, b.len);
            ck_assert_uint_eq(h.low, part ? cell.data_hash[0] : cell.hash[0]);
            ck_assert_uint_eq(h.high, part ? cell.data_hash[1] : cell.hash[1]);
        }
    }
    ens_buf_fini(&b);
    ens_study_free(st);
}
END_TEST

/* Pairs of texts whose (only or first) cells are the same, or are not. */
static const struct {
    int same;
    const char *a, *b;
} pairs[] = {
    {1, "[ruler]\nwork_us = 0\n", ""},
    {1, "[ruler]\nwork_us = 1.50\n", "[ruler]\nwork_us = 1.5\n"},
    {1, "[ruler x]\nwork_us = 1\n", "[ruler]\nwork_us = 1\n"},
    {1, "[ruler]\nwait = 1 m\n", "[ruler]\nwait = 60\n"},
    {1, "[ruler]\nsize = 1 KiB\n", "[ruler]\nsize = 1024\n"},
    {1, "[ruler]\nfields = 2\nwork_us = 3\n",
     "[ruler]\nwork_us = 3\nfields = 2\n"},
    {1, "[ruler]\nwork_us = 4, 5\n", "[ruler]\nwork_us = 4\n"},
    {1, "[inputs]\nX = a\n[ruler]\ninput = X\n",
     "[inputs]\nX = other\n[ruler]\ninput = X\n"},
    {1, "[run]\ntimeout = 5\n", ""},
    {0, "[ruler]\nwork_us = 1\n", ""},
    {0, "[ruler]\nlabels = a, b\n", "[ruler]\nlabels = \"a, b\"\n"},
    {0, "[ruler]\nwork_us = 1\n", "[ruler]\nfields = 1\nlevel = 2\n"},
    {0, "[inputs]\nX = a\n[ruler]\ninput = X\n",
     "[inputs]\nY = a\n[ruler]\ninput = Y\n"},
};

START_TEST(identity_is_what_settings_mean)
{
    char text[2][256];
    struct ens_study *st[2];
    struct ens_cell c[2];

    snprintf(text[0], 256, "[study]\nkind = ruler\n%s", pairs[_i].a);
    snprintf(text[1], 256, "[study]\nkind = ruler\n%s", pairs[_i].b);
    for (int i = 0; i < 2; i++) {
        st[i] = must(text[i]);
        ens_study_cell(st[i], 0, &c[i]);
    }
    ck_assert_int_eq(c[0].hash[0] == c[1].hash[0] &&
                         c[0].hash[1] == c[1].hash[1],
                     pairs[_i].same);
    ens_study_free(st[0]);
    ens_study_free(st[1]);
}
END_TEST

START_TEST(the_last_axis_varies_fastest)
{
    static const char *const want[] = {
        "data=a data_n=1 data_sigma=1 fit_ridge=3",
        "data=a data_n=1 data_sigma=1 fit_ridge=4",
        "data=a data_n=1 data_sigma=2 fit_ridge=3",
        "data=a data_n=1 data_sigma=2 fit_ridge=4",
        "data=a data_n=5 data_sigma=1 fit_ridge=3",
        "data=a data_n=5 data_sigma=1 fit_ridge=4",
        "data=a data_n=5 data_sigma=2 fit_ridge=3",
        "data=a data_n=5 data_sigma=2 fit_ridge=4",
        "data=b data_n=0 data_sigma= fit_ridge=3",
        "data=b data_n=0 data_sigma= fit_ridge=4",
    };
    struct ens_study *st =
        must("[study]\nkind = trial\n[inputs]\nX = x\n"
             "[data a]\ngenerator = linear\nn = 1, 5\nsigma = 1, 2\n"
             "[data b]\ngenerator = bootstrap\ninput = X\n"
             "[fit]\nfitter = ols\nridge = 3, 4\n");
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_cell c;

    ck_assert_uint_eq(ens_study_n_cells(st), 10);
    ck_assert_uint_eq(ens_study_role_count(st, "data"), 5);
    ck_assert_uint_eq(ens_study_role_count(st, "fit"), 2);
    ck_assert_uint_eq(ens_study_role_count(st, "none"), 0);
    for (uint64_t i = 0; i < 10; i++) {
        ens_study_cell(st, i, &c);
        ens_buf_clear(&b);
        for (size_t k = 0; k < ens_study_n_axis_columns(st); k++)
            ens_buf_printf(&b, "%s%s=%s", k > 0 ? " " : "",
                           ens_study_axis_column(st, k)->name,
                           ens_cell_axis_text(&c, k));
        ck_assert_str_eq(ens_buf_text(&b), want[i]);
        ck_assert_uint_eq(ens_cell_role_index(&c, "data"), i / 2 + 1);
        ck_assert_uint_eq(ens_cell_role_index(&c, "fit"), i % 2 + 1);
        ck_assert_str_eq(ens_cell_impl(&c, "data")->name,
                         i < 8 ? "linear" : "bootstrap");
        ck_assert_str_eq(ens_cell_row(&c, "fit"), "");
    }
    ck_assert_ptr_null(ens_cell_value(&c, "data", "sigma"));
    ck_assert_ptr_null(ens_cell_value(&c, "none", "sigma"));
    ck_assert_ptr_null(ens_cell_impl(&c, "none"));
    ck_assert_str_eq(ens_cell_value(&c, "fit", "engine")->text, "fast");
    ck_assert_ptr_null(ens_study_axis_column(st, 0)->key);
    ck_assert_str_eq(ens_study_axis_column(st, 1)->setting->key, "n");
    ens_buf_fini(&b);
    ens_study_free(st);
}
END_TEST

/* Axes of [ROLE] come first, in the order they are written there. */
START_TEST(axes_of_defaults_are_outermost)
{
    struct ens_study *st = must("[study]\nkind = ruler\n"
                                "[ruler x]\nwork_us = 1, 2\nlevel = 5, 6\n"
                                "[ruler]\nfields = 3, 4\nlevel = 7, 8, 9\n");
    struct ens_cell c;

    ck_assert_uint_eq(ens_study_n_cells(st), 8);
    ens_study_cell(st, 1, &c);
    ck_assert_int_eq(ens_cell_value(&c, "ruler", "fields")->i, 3);
    ck_assert_int_eq(ens_cell_value(&c, "ruler", "level")->i, 6);
    ens_study_cell(st, 4, &c);
    ck_assert_int_eq(ens_cell_value(&c, "ruler", "fields")->i, 4);
    ck_assert_str_eq(ens_study_axis_column(st, 1)->name, "ruler_fields");
    ck_assert_str_eq(ens_study_axis_column(st, 2)->name, "ruler_work_us");
    ens_study_free(st);
}
END_TEST

START_TEST(rows_that_say_the_same_are_refused)
{
    struct ens_study *st = must("[study]\nkind = ruler\n"
                                "[ruler a]\nwork_us = 1, 2\n"
                                "[ruler b]\nwork_us = 2, 3\n");
    struct ens_error err;

    ck_assert_int_eq(ens_study_check_cells(st, &err), ENS_ESTUDY);
    ck_assert_ptr_nonnull(
        strstr(err.text, "s.ini:3: [ruler a] work_us=2 and s.ini:5: [ruler b] "
                         "work_us=2"));
    ens_study_free(st);
}
END_TEST

static int by_id(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

START_TEST(a_million_cells_take_no_memory)
{
    struct ens_study *st = must("[study]\nkind = ruler\n[ruler]\n"
                                "work_us = 1:100\nfields = 1:100\n"
                                "level = 1:100\n");
    uint64_t n = ens_study_n_cells(st);
    uint64_t *id = calloc(n, sizeof(*id));
    struct ens_cell c;

    ck_assert_uint_eq(n, 1000000);
    ck_assert_ptr_nonnull(id);
    for (uint64_t i = 0; i < n; i++) {
        ens_study_cell(st, i, &c);
        id[i] = c.hash[0];
    }
    ens_study_cell(st, 123456, &c);
    ck_assert_int_eq(ens_cell_value(&c, "ruler", "work_us")->d == 13, 1);
    ck_assert_int_eq(ens_cell_value(&c, "ruler", "fields")->i, 35);
    ck_assert_int_eq(ens_cell_value(&c, "ruler", "level")->i, 57);
    qsort(id, n, sizeof(*id), by_id);
    for (uint64_t i = 1; i < n; i++)
        ck_assert(id[i] != id[i - 1]);
    ck_assert_int_eq(ens_study_check_cells(st, NULL), ENS_OK);
    ck_assert_uint_ne(ens_study_cells_hash(st), 0);
    free(id);
    ens_study_free(st);
}
END_TEST

START_TEST(a_billion_cells_are_numbered)
{
    struct ens_study *st = must("[study]\nkind = ruler\n[ruler]\n"
                                "work_us = 1:1000\nfields = 1:1000\n"
                                "level = 1:1000\n");
    struct ens_cell c;

    ck_assert_uint_eq(ens_study_n_cells(st), 1000000000);
    ens_study_cell(st, 999999999, &c);
    ck_assert_int_eq(ens_cell_value(&c, "ruler", "level")->i, 1000);
    ck_assert_int_eq(ens_study_check_cells(st, NULL), ENS_OK);
    ens_study_free(st);
}
END_TEST

START_TEST(lists_of_cells_have_a_name)
{
    struct ens_study *a = must("[study]\nkind = ruler\n[ruler]\nlevel = 1:700"
                               "\n");
    struct ens_study *b = must("[study]\nkind = ruler\n[ruler]\nlevel = "
                               "1:699, 701\n");
    struct ens_study *c = must("[study]\nkind = ruler\n[ruler x]\nlevel = "
                               "1:350, 351:700\n");

    ck_assert_uint_ne(ens_study_cells_hash(a), ens_study_cells_hash(b));
    ck_assert_uint_eq(ens_study_cells_hash(a), ens_study_cells_hash(c));
    ens_study_free(a);
    ens_study_free(b);
    ens_study_free(c);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
    Suite *s = suite_create("cells");
    TCase *t = tcase_create("cells");
    SRunner *sr = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, golden_cells, 0, ROWS(golden));
    tcase_add_test(t, hash_is_of_the_canonical_text);
    tcase_add_loop_test(t, identity_is_what_settings_mean, 0, ROWS(pairs));
    tcase_add_test(t, the_last_axis_varies_fastest);
    tcase_add_test(t, axes_of_defaults_are_outermost);
    tcase_add_test(t, rows_that_say_the_same_are_refused);
    tcase_add_test(t, a_million_cells_take_no_memory);
    tcase_add_test(t, a_billion_cells_are_numbered);
    tcase_add_test(t, lists_of_cells_have_a_name);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
