/* Arrays, archives and matrices as inputs, and the inputs of a study. */
#include "input_fixture.h"

#include "base/buf.h"
#include "base/bug.h"
#include "input/memory.h"
#include "study_fixture.h"

#include <check.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* a[i, j] = 10 i + j - 5.5, in C and in Fortran order. */
START_TEST(selections_of_arrays)
{
    const char *const some[] = {"2", "4"};
    const char *const uneven[] = {"1", "2", "4"};
    const char *const without[] = {"-1:2"};
    const char *path =
        _i == 0 ? TEST_DATA "/npy/f8_le_c.npy" : TEST_DATA "/npy/f8_le_f.npy";
    struct ens_mapped m;

    must_open(&m, path, (struct ens_input_options){AUTO});
    ck_assert_uint_eq(m.input.n_rows, 3);
    ck_assert_uint_eq(m.input.n_columns, 4);
    ck_assert_uint_eq(m.input.bytes, 96);
    ck_assert_double_eq(value(&m, 2, 1), 15.5);
    ck_assert_str_eq(m.input.columns[1].name, "");
    ck_assert((ens_view_pointer_f64(&m.input.view) != NULL) == (_i == 0));
    ens_mapped_close(&m);

    must_open(&m, path,
              (struct ens_input_options){AUTO, .n_columns = 2, .columns = some,
                                         .has_rows = 1, .first_row = 2});
    ck_assert_uint_eq(m.input.n_rows, 2);
    ck_assert_uint_eq(m.input.n_columns, 2);
    ck_assert_double_eq(value(&m, 0, 0), 5.5);
    ck_assert_double_eq(value(&m, 1, 1), 17.5);
    ck_assert_ptr_nonnull(m.input.view.data); /* evenly spaced */
    ens_mapped_close(&m);

    must_open(
        &m, path,
        (struct ens_input_options){AUTO, .n_columns = 3, .columns = uneven});
    ck_assert_double_eq(value(&m, 1, 2), 7.5);
    ck_assert_ptr_null(m.input.view.data);
    ens_mapped_close(&m);

    must_open(&m, path,
              (struct ens_input_options){AUTO, .n_columns = 1,
                                         .columns = without, .transpose = 1});
    ck_assert_uint_eq(m.input.n_rows, 2);
    ck_assert_uint_eq(m.input.n_columns, 3);
    ck_assert_double_eq(value(&m, 0, 2), 16.5); /* a[2, 2] */
    ens_mapped_close(&m);
}
END_TEST

START_TEST(arrays_of_other_dimensions)
{
    struct ens_mapped m;

    must_open(&m, TEST_DATA "/npy/scalar.npy",
              (struct ens_input_options){AUTO});
    ck_assert_uint_eq(m.input.n_rows, 1);
    ck_assert_double_eq(value(&m, 0, 0), 2.5);
    ens_mapped_close(&m);
    must_open(&m, TEST_DATA "/npy/one.npy", (struct ens_input_options){AUTO});
    ck_assert_uint_eq(m.input.n_columns, 1);
    ck_assert_double_eq(value(&m, 4, 0), 4);
    ens_mapped_close(&m);
    must_open(&m, TEST_DATA "/npy/empty.npy", (struct ens_input_options){AUTO});
    ck_assert_uint_eq(m.input.n_rows, 0);
    ck_assert_uint_eq(m.input.n_columns, 4);
    ens_mapped_close(&m);
    must_open(&m, TEST_DATA "/npy/three.npy", (struct ens_input_options){AUTO});
    ck_assert_uint_eq(m.input.n_rows, 2);
    ck_assert_uint_eq(m.input.n_columns, 12);
    ck_assert_ptr_null(m.input.columns);
    ens_mapped_close(&m);
}
END_TEST

START_TEST(raw_files)
{
    const double x[6] = {1, 2, 3, 4, 5, NAN};
    const char *path = put("x.bin", x, sizeof(x));
    struct ens_mapped m;

    must_open(&m, path,
              (struct ens_input_options){AUTO, .dtype = "f8", .has_shape = 1,
                                         .n_shape = 2, .shape = {-1, 2}});
    ck_assert_uint_eq(m.input.n_rows, 3);
    ck_assert_double_eq(value(&m, 1, 0), 3);
    ck_assert(isnan(value(&m, 2, 1)));
    ck_assert_uint_eq(m.map_bytes, 48);
    ens_mapped_close(&m);
    path = put("empty.bin", "", 0);
    must_open(&m, path,
              (struct ens_input_options){AUTO, .dtype = "f8", .has_shape = 1,
                                         .n_shape = 2, .shape = {0, 2}});
    ck_assert_uint_eq(m.input.n_rows, 0);
    ck_assert_ptr_nonnull(m.input.view.data);
    ck_assert_uint_eq(m.map_bytes, 0);
    ens_mapped_close(&m);
}
END_TEST

/* tests/data/npz/make.py */
START_TEST(arrays_of_archives)
{
    static const char *const path = TEST_DATA "/npz/stored.npz";
    static const char *const wide = TEST_DATA "/npz/zip64.npz";
    struct ens_error err = {.status = 0};
    struct ens_mapped m;
    const char *key;

    must_open(&m, path, (struct ens_input_options){AUTO, .dataset = "x"});
    ck_assert_uint_eq(m.input.n_rows, 4);
    ck_assert_uint_eq(m.input.n_columns, 3);
    for (uint64_t i = 0; i < 4; i++)
        for (uint64_t j = 0; j < 3; j++)
            ck_assert_double_eq(value(&m, i, j), (double)(10 * i + j) + 0.5);
    ens_mapped_close(&m);
    must_open(&m, path, (struct ens_input_options){AUTO, .dataset = "k.npy"});
    ck_assert_int_eq(m.input.view.dtype, ENS_DT_I32);
    ck_assert_double_eq(value(&m, 2, 0), 9);
    ens_mapped_close(&m);
    must_open(&m, wide, (struct ens_input_options){AUTO});
    ck_assert_double_eq(value(&m, 1, 0), 8);
    ens_mapped_close(&m);

    ck_assert_int_eq(
        open_path(&m, path, (struct ens_input_options){AUTO}, &key, &err),
        ENS_EINPUT);
    ck_assert(strstr(err.text, "2 arrays; say `dataset` = one of: x, k"));
    ck_assert_int_eq(open_path(&m, path,
                               (struct ens_input_options){AUTO, .dataset = "z"},
                               &key, &err),
                     ENS_EINPUT);
    ck_assert_str_eq(key, "dataset");
    ck_assert(strstr(err.text, "no array 'z'; there are: x, k"));
    must_open(&m, TEST_DATA "/npz/packed.npz",
              (struct ens_input_options){AUTO, .dataset = "x"});
    ck_assert_uint_eq(m.input.n_rows, 20);
    ck_assert_uint_eq(m.input.n_columns, 3);
    ck_assert_double_eq(value(&m, 19, 2), 0);
    ens_mapped_close(&m);
}
END_TEST

/* tests/data/mtx/make.R: files by R's Matrix and by hand, dense forms by R. */
START_TEST(matrices_are_made_dense)
{
    static const char *const names[] = {"general", "symmetric", "pattern",
                                        "array",   "skew",      "lower"};
    char path[PATH_MAX];
    struct ens_mapped m, dense;

    snprintf(path, sizeof(path), TEST_DATA "/mtx/%s.csv", names[_i]);
    must_open(&dense, path, (struct ens_input_options){.header = 0});
    snprintf(path, sizeof(path), TEST_DATA "/mtx/%s.mtx", names[_i]);
    for (int round = 0; round < 2; round++) { /* made, then found */
        must_open(&m, path, (struct ens_input_options){AUTO});
        ck_assert(m.has_digest);
        ck_assert_uint_eq(m.input.n_rows, dense.input.n_rows);
        ck_assert_uint_eq(m.input.n_columns, dense.input.n_columns);
        ck_assert_ptr_nonnull(strstr(m.mapped, "/cache/tables/"));
        for (uint64_t i = 0; i < m.input.n_rows; i++)
            for (uint64_t j = 0; j < m.input.n_columns; j++)
                ck_assert_double_eq(value(&m, i, j), value(&dense, i, j));
        ens_mapped_close(&m);
    }
    ens_mapped_close(&dense);
}
END_TEST

START_TEST(huge_matrices_are_not_made_dense)
{
    const char *path =
        put_text("h.mtx", "%%MatrixMarket matrix coordinate pattern general\n"
                          "2000000000 2000000000 1\n1 1\n");
    struct ens_error err = {.status = 0};
    struct ens_mapped m;
    const char *key;

    ck_assert_int_eq(
        open_path(&m, path, (struct ens_input_options){AUTO}, &key, &err),
        ENS_ENOSPACE);
    ck_assert(strstr(err.text, "too large to be made dense") != NULL);
}
END_TEST

START_TEST(memory_available)
{
    const char *text = "MemTotal:  9 kB\nMemAvailable:    1234 kB\nX: 1\n";

    ck_assert_uint_eq(ens_memory_parse(text, strlen(text)), 1234 * 1024);
    ck_assert_uint_eq(ens_memory_parse(text, 20), 0);
    ck_assert_uint_gt(ens_memory_available(), 1 << 20);
}
END_TEST

/* -- whole studies -------------------------------------------------------- */

static struct ens_study *study_of(const char *text)
{
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {.status = 0};
    struct ens_study *study = NULL;
    enum ens_status s;

    s = ens_study_parse(&study, "study.ini", text, strlen(text), dir, NULL, 0,
                        &fix_all, &errors, &err);
    ck_assert_msg(s == ENS_OK, "%s: %s", err.text, ens_buf_text(&errors));
    ens_buf_fini(&errors);
    return study;
}

#define HEAD                                                                   \
    "[study]\nkind = trial\n[data a]\ngenerator = linear\nn = 1\n"             \
    "[fit]\nfitter = ols\n"

START_TEST(inputs_of_a_study)
{
    const double raw[4] = {1, 2, 3, 4};
    struct ens_study *study;
    struct ens_inputs in;
    struct ens_inputs in2;
    struct ens_error err = {.status = 0};
    const struct ens_input *x;
    int fd[4];
    struct ens_buf b = ENS_BUF_INIT;

    put("r.bin", raw, sizeof(raw));
    put_text("t.csv", "a;b;c\n1;2.5;?\n3;4.5;6\n");
    study = study_of(HEAD "[inputs]\nR = r.bin\n[input R]\ndtype = <f8\n"
                          "shape = 2, 2\n"
                          "[input T]\npath = t.csv\ndelimiter = \";\"\n"
                          "missing = ?\n"
                          "[input P]\npath = T[c, a]\n"
                          "[input Q]\npath = t.csv\nmissing = ?, -1\n"
                          "rows = 2:\ncolumns = -b\n");
    ck_assert_msg(ens_inputs_open(&in, study, NULL, NULL, &err) == ENS_OK, "%s",
                  err.text);
    ck_assert_uint_eq(in.n, 4);
    x = ens_inputs_find(&in, "R");
    ck_assert_ptr_nonnull(x);
    ck_assert_double_eq(value(ens_inputs_at(&in, x->view.data), 1, 1), 4);
    x = ens_inputs_find(&in, "P");
    ck_assert_uint_eq(x->n_columns, 2);
    ck_assert_str_eq(x->columns[0].name, "c");
    ck_assert_uint_eq(x->columns[0].n_missing, 1);
    x = ens_inputs_find(&in, "Q");
    ck_assert_uint_eq(x->n_rows, 1);
    ck_assert_uint_eq(x->n_columns, 2);
    ck_assert_ptr_null(ens_inputs_find(&in, "Z"));
    ck_assert_ptr_null(ens_inputs_at(&in, raw));
    ens_inputs_populate(&in, NULL);

    /* A zygote gets the files and the resolved study; the user's table may be
     * gone by then. */
    for (size_t i = 0; i < 4; i++)
        fd[i] = dup(in.item[i].fd);
    put_text("t.csv", "garbage\n");
    ens_study_write(study, &b);
    ens_study_free(study);
    study = study_of(ens_buf_text(&b));
    ck_assert_msg(ens_inputs_open_fds(&in2, study, fd, 4, &err) == ENS_OK, "%s",
                  err.text);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(in.item[i].input.n_rows, in2.item[i].input.n_rows);
        ck_assert_uint_eq(in.item[i].input.n_columns,
                          in2.item[i].input.n_columns);
        ck_assert_double_eq(value(&in.item[i], 0, 1),
                            value(&in2.item[i], 0, 1));
    }
    ens_inputs_close(&in2);
    ens_inputs_close(&in);
    ens_study_free(study);
    ens_buf_fini(&b);
}
END_TEST

static const struct {
    const char *text;
    const char *error; /* %s: the folder */
} studies[] = {
    {HEAD "[inputs]\nX = none.npy\n",
     "study.ini:9: [input X]: %s/none.npy: cannot open: No such"},
    {HEAD "[input X]\npath = t.csv\nrows = 7:9\n",
     "study.ini:10: [input X] rows: %s/t.csv: rows 7:9; the file has rows 1"},
    {HEAD "[input X]\npath = t.csv\nrows = x\n",
     "study.ini:10: [input X] rows: rows 'x'; expected a:b"},
    {HEAD "[input X]\npath = t.csv\ncolumns = a, z\n",
     "study.ini:10: [input X] columns: %s/t.csv: no column 'z'"},
    {HEAD "[input X]\npath = t.csv\n[input Y]\npath = X[z]\n",
     "study.ini:11: [input Y] columns: %s/t.csv: no column 'z'"},
    {HEAD "[input X]\npath = t.csv\ndelimiter = ::\n",
     "study.ini:10: [input X] delimiter: delimiter '::'"},
    {HEAD "[input X]\npath = t.csv\ndataset = d\n",
     "study.ini:10: [input X] dataset: %s/t.csv: names an array of an .npz"},
    {HEAD "[input X]\npath = t.csv\ndtype = f9\n",
     "study.ini:10: [input X] dtype: %s/t.csv: dtype 'f9'"},
    {HEAD "[input X]\npath = bad.csv\n",
     "study.ini:9: [input X]: %s/bad.csv: line 3, column 2 (b): 'true'"},
};

START_TEST(errors_name_the_studys_line)
{
    struct ens_study *study;
    struct ens_inputs in = {77, NULL};
    struct ens_error err = {.status = 0};
    char want[2 * PATH_MAX];
    const char *form = studies[_i].error;
    const char *at = strstr(form, "%s");

    put_text("t.csv", "a,b\n1,2\n");
    put_text("bad.csv", "a,b\n1,2\n3,true\n");
    study = study_of(studies[_i].text);
    ck_assert_int_eq(ens_inputs_open(&in, study, NULL, NULL, &err), ENS_EINPUT);
    if (at == NULL)
        snprintf(want, sizeof(want), "%s", form);
    else
        snprintf(want, sizeof(want), "%.*s%s%s", (int)(at - form), form, dir,
                 at + 2);
    ck_assert_msg(strncmp(err.text, want, strlen(want)) == 0, "%s\nnot\n%s",
                  err.text, want);
    ck_assert_uint_eq(in.n, 77); /* unchanged */
    ens_study_free(study);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inputs");
    TCase *t = tcase_create("inputs");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, make_dir, remove_dir);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, selections_of_arrays, 0, 2);
    tcase_add_test(t, arrays_of_other_dimensions);
    tcase_add_test(t, raw_files);
    tcase_add_test(t, arrays_of_archives);
    tcase_add_loop_test(t, matrices_are_made_dense, 0, 6);
    tcase_add_test(t, huge_matrices_are_not_made_dense);
    tcase_add_test(t, memory_available);
    tcase_add_test(t, inputs_of_a_study);
    tcase_add_loop_test(t, errors_name_the_studys_line, 0, ENS_COUNT(studies));
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
