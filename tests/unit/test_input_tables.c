/* CSV tables as inputs, and the cache of what they were converted to. */
#include "input_fixture.h"

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(wells)
{
    const struct ens_column *c;
    struct ens_mapped m;
    double sum = 0;

    must_open(&m, TEST_DATA "/wells/wells.csv",
              (struct ens_input_options){AUTO});
    ck_assert_uint_eq(m.input.n_rows, 3020);
    ck_assert_uint_eq(m.input.n_columns, 5);
    c = ens_input_column(&m.input, "switch");
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(c->view.dtype, ENS_DT_I64);
    for (uint64_t i = 0; i < 3020; i++)
        sum += value(&m, i, 0);
    ck_assert_double_eq(sum, 1737); /* awk over the file */
    c = ens_input_column(&m.input, "dist");
    ck_assert_int_eq(c->view.dtype, ENS_DT_F64);
    ck_assert_ptr_nonnull(ens_view_pointer_f64(&c->view));
    ck_assert_double_eq(*ens_view_pointer_f64(&c->view), 16.826000213623);
    ck_assert_ptr_null(ens_input_column(&m.input, "none"));
    ck_assert_ptr_null(m.input.view.data); /* columns of two types */
    ck_assert_uint_eq(m.input.bytes, 3020 * 5 * 8);
    ens_mapped_close(&m);
}
END_TEST

/* tests/data/packed/make.py: the same table, in two members of gzip, in two
 * frames of zstd. */
START_TEST(packed_tables_read_as_plain_ones)
{
    static const char *const packed[] = {TEST_DATA "/packed/data.csv.gz",
                                         TEST_DATA "/packed/data.csv.zst"};
    struct ens_mapped m, plain;

    must_open(&plain, TEST_DATA "/formula/data.csv",
              (struct ens_input_options){AUTO});
    must_open(&m, packed[_i], (struct ens_input_options){AUTO});
    ck_assert_uint_eq(m.input.n_columns, plain.input.n_columns);
    for (uint64_t j = 0; j < m.input.n_columns; j++) {
        const struct ens_column *a = &m.input.columns[j];
        const struct ens_column *b = &plain.input.columns[j];
        double x[40], y[40];

        ck_assert_str_eq(a->name, b->name);
        ck_assert_uint_eq(a->n_levels, b->n_levels);
        ck_assert_uint_eq(a->view.shape[0], 40);
        ens_view_f64(&a->view, 0, 40, x);
        ens_view_f64(&b->view, 0, 40, y);
        ck_assert_int_eq(memcmp(x, y, sizeof(x)), 0);
    }
    ens_mapped_close(&m);
    ens_mapped_close(&plain);
}
END_TEST

/* Cut anywhere, a packed table is refused: also between two members, where
 * only the table shows it. */
START_TEST(cut_packed_tables_are_refused)
{
    static const char *const packed[] = {TEST_DATA "/packed/data.csv.gz",
                                         TEST_DATA "/packed/data.csv.zst"};
    static char bytes[4096];
    FILE *f = fopen(packed[_i], "r");
    size_t n;

    ck_assert(f != NULL);
    n = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    ck_assert(n > 500 && n < sizeof(bytes));
    for (size_t k = 8; k < n; k += 7) {
        const char *path = put("cut.csv.gz", bytes, k);
        struct ens_error err = {.status = 0};
        struct ens_mapped m;
        const char *key;

        ck_assert_int_eq(
            open_path(&m, path, (struct ens_input_options){AUTO}, &key, &err),
            ENS_EINPUT);
    }
}
END_TEST

START_TEST(text_has_levels)
{
    const char *path =
        put_text("s.csv", "s,x\nviolet,1\nred,2\nNA,3\nblue,4\nNA,5\n");
    const struct ens_column *c;
    struct ens_mapped m;
    double code[4];

    must_open(&m, path,
              (struct ens_input_options){AUTO, .has_rows = 1, .first_row = 1,
                                         .last_row = 4});
    c = ens_input_column(&m.input, "s");
    ck_assert_int_eq(c->view.dtype, ENS_DT_I32);
    ck_assert_uint_eq(c->n_levels, 3);
    ck_assert_str_eq(c->levels[0], "blue");
    ck_assert_str_eq(c->levels[1], "red");
    ck_assert_str_eq(c->levels[2], "violet");
    ck_assert_uint_eq(c->n_missing, 1); /* of the rows that are left */
    ens_view_f64(&c->view, 0, 4, code);
    ck_assert(code[0] == 2 && code[1] == 1 && code[2] == -1 && code[3] == 0);
    c = ens_input_column(&m.input, "x");
    ck_assert_ptr_null(c->levels);
    ens_view_f64(&c->view, 0, 4, code);
    ck_assert(code[0] == 1 && code[3] == 4);
    ens_mapped_close(&m);
}
END_TEST

START_TEST(selections_of_tables)
{
    const char *const names[] = {"c", "a"};
    const char *const range[] = {"b:c"};
    const char *path = put_text("t.csv", "a,b,c\n1,2.5,NA\n4,5.5,6\n7,8.5,9\n");
    struct ens_mapped m;

    must_open(&m, path,
              (struct ens_input_options){AUTO, .n_columns = 2, .columns = names,
                                         .has_rows = 1, .first_row = 2,
                                         .last_row = 3});
    ck_assert_str_eq(m.input.columns[0].name, "c");
    ck_assert_double_eq(value(&m, 0, 0), 6);
    ck_assert_double_eq(value(&m, 1, 1), 7);
    ck_assert_uint_eq(m.input.columns[0].n_missing, 0); /* of these rows */
    ck_assert_ptr_null(m.input.view.data);
    ens_mapped_close(&m);
    must_open(
        &m, path,
        (struct ens_input_options){AUTO, .n_columns = 1, .columns = range});
    ck_assert_uint_eq(m.input.columns[1].n_missing, 1);
    ck_assert_ptr_nonnull(m.input.view.data); /* a Fortran-ordered array */
    ck_assert_int_eq(m.input.view.strides[0], 8);
    ck_assert_int_eq(m.input.view.strides[1], 24);
    ens_mapped_close(&m);
    must_open(&m, path,
              (struct ens_input_options){AUTO, .n_columns = 1, .columns = range,
                                         .transpose = 1});
    ck_assert_uint_eq(m.input.n_rows, 2);
    ck_assert_double_eq(value(&m, 0, 2), 8.5);
    ck_assert_str_eq(m.input.columns[0].name, "");
    ens_mapped_close(&m);
}
END_TEST

static void count_calls(void *arg, const char *name, uint64_t done,
                        uint64_t all)
{
    ck_assert_str_eq(name, "X");
    ck_assert_uint_le(done, all);
    ++*(int *)arg;
}

static int calls_to_open(const char *path, struct ens_mapped *m)
{
    struct ens_input_spec spec = {"X", path, {AUTO}, NULL};
    struct ens_error err = {.status = 0};
    const char *key;
    int calls = 0;

    ck_assert_msg(ens_mapped_open(m, &spec, -1, count_calls, &calls, &key,
                                  &err) == ENS_OK,
                  "%s", err.text);
    return calls;
}

/* A second start does not read the file; a changed file is read anew. */
START_TEST(tables_are_converted_once)
{
    const char *path = put_text("t.csv", "a,b\n1,2\n");
    struct ens_hash128 d = ens_hash128("a,b\n1,2\n", 8);
    struct ens_mapped m;
    char first[PATH_MAX];

    settle(path);
    ck_assert_int_gt(calls_to_open(path, &m), 0);
    ck_assert_ptr_nonnull(strstr(m.mapped, "/cache/tables/"));
    ck_assert_ptr_null(strstr(m.source, "/cache/"));
    snprintf(first, sizeof(first), "%s", m.mapped);
    ck_assert(m.has_digest && m.digest.low == d.low && m.digest.high == d.high);
    ens_mapped_close(&m);
    ck_assert_int_eq(calls_to_open(path, &m), 0);
    ck_assert_str_eq(m.mapped, first);
    ens_mapped_close(&m);

    ck_assert_int_eq(truncate(first, 100), 0); /* a damaged cache */
    ck_assert_int_gt(calls_to_open(path, &m), 0);
    ck_assert_double_eq(value(&m, 0, 1), 2);
    ens_mapped_close(&m);

    put_text("t.csv", "a,b\n1,3\n");
    ck_assert_int_gt(calls_to_open(path, &m), 0);
    ck_assert_str_ne(m.mapped, first);
    ck_assert_double_eq(value(&m, 0, 1), 3);
    ens_mapped_close(&m);
}
END_TEST

START_TEST(without_a_cache_folder_memory_is_used)
{
    const char *path = put_text("t.csv", "a,b\n1,2\n");
    char below[PATH_MAX + 8];
    struct ens_mapped m;

    snprintf(below, sizeof(below), "%s/x", path); /* below a file */
    ck_assert_int_eq(setenv("ENSRUN_CACHE", below, 1), 0);
    ck_assert_int_gt(calls_to_open(path, &m), 0);
    ck_assert_ptr_nonnull(strstr(m.mapped, "memfd:"));
    ck_assert_double_eq(value(&m, 0, 1), 2);
    ens_mapped_close(&m);
}
END_TEST

START_TEST(where_the_cache_is)
{
    char path[PATH_MAX];

    setenv("ENSRUN_CACHE", "/a", 1);
    setenv("XDG_CACHE_HOME", "/b", 1);
    setenv("HOME", "/c", 1);
    ck_assert_int_eq(ens_cache_path(path, sizeof(path), "f"), 0);
    ck_assert_str_eq(path, "/a/f");
    unsetenv("ENSRUN_CACHE");
    ck_assert_int_eq(ens_cache_path(path, sizeof(path), "f"), 0);
    ck_assert_str_eq(path, "/b/ensrun/f");
    unsetenv("XDG_CACHE_HOME");
    ck_assert_int_eq(ens_cache_path(path, sizeof(path), "f"), 0);
    ck_assert_str_eq(path, "/c/.cache/ensrun/f");
    unsetenv("HOME");
    ck_assert_int_eq(ens_cache_path(path, sizeof(path), "f"), -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("input_tables");
    TCase *t = tcase_create("input_tables");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, make_dir, remove_dir);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, wells);
    tcase_add_loop_test(t, packed_tables_read_as_plain_ones, 0, 2);
    tcase_add_loop_test(t, cut_packed_tables_are_refused, 0, 2);
    tcase_add_test(t, text_has_levels);
    tcase_add_test(t, selections_of_tables);
    tcase_add_test(t, tables_are_converted_once);
    tcase_add_test(t, without_a_cache_folder_memory_is_used);
    tcase_add_test(t, where_the_cache_is);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
