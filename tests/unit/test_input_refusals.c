/* Input files and options that are refused, with the reason. */
#include "input_fixture.h"

#include "base/bug.h"

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

START_TEST(packed_arrays_are_refused_by_name)
{
    static const char *const packed[] = {"\x93NUMPY\1",
                                         "%%MatrixMarket matrix"};
    static const char *const what[] = {"is a packed .npy file, which cannot be",
                                       "is a packed MatrixMarket file, which"};
    char path[PATH_MAX + 8];
    struct ens_error err = {.status = 0};
    struct ens_mapped m;
    const char *key;
    gzFile f;

    snprintf(path, sizeof(path), "%s/x.gz", dir);
    f = gzopen(path, "wb");
    ck_assert(f != NULL);
    ck_assert_int_gt(gzputs(f, packed[_i]), 0);
    ck_assert_int_eq(gzclose(f), Z_OK);
    ck_assert_int_eq(
        open_path(&m, path, (struct ens_input_options){AUTO}, &key, &err),
        ENS_EINPUT);
    ck_assert_msg(strstr(err.text, what[_i]) != NULL, "%s", err.text);
}
END_TEST

static const struct {
    const char *name;
    const char *bytes;
    size_t n;
    const char *text;
} refused[] = {
    {"a.csv", "", 0, "the file is empty"},
    {"a.npy", "hello\n", 6, "byte 0: not a .npy file"},
    {"a.npy", "\x93NUM", 4, "not a .npy file"},
    {"a.bin", "\1\2\3\0\0\0\0\0\0", 9,
     "begins with 01 02 03 00 00 00 00 00, which no input format"},
    {"a.csv", "a,b\n1,\0\n", 8, "line 2: a NUL byte"},
    {"a.csv.gz", "\x1f\x8b\x08", 3,
     "byte 3: the gzip data are damaged (the file is cut)"},
    {"a.csv", "\x1f\x8b\x08zzzzzzzzz", 12, "the gzip data are damaged ("},
    {"a.csv.zst", "\x28\xb5\x2f\xfd", 4,
     "zstd data are damaged (the file is cut)"},
    {"a.csv.zst", "\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff\xff", 11,
     "the zstd data are damaged ("},
    {"a.rds", "\x1f\x8b\x08", 3, "an R object (.rds): convert: Rscript"},
    {"a.RData", "\x1f\x8b\x08", 3, "an R workspace: convert: Rscript"},
    {"a.npz", "PK\3\4....x.npy", 14, "damaged archive: it has no directory"},
    {"a.zip", "PK\3\4....x.npy", 14, "a numpy archive (.npz): name it *.npz"},
    {"a.xlsx", "PK\3\4....[Content_Types].xml", 27,
     "an Excel workbook (.xlsx): convert: python3"},
    {"a.pt", "PK\3\4....archive/data.pkl", 24, "a PyTorch file"},
    {"a.h5", "\x89HDF\r\n\x1a\n", 8, "HDF5: not supported yet"},
    {"a.h5ad", "\x89HDF\r\n\x1a\n", 8, "AnnData"},
    {"a.mtx", "%%MatrixMarket matrix\n", 22,
     "line 1: expected 'coordinate' or 'array', then 'real'"},
    {"a.mtx", "%%MatrixMarket matrix array real general\n2 1\n1\n", 47,
     "line 4: ends behind 1 entries; its head says 2"},
    {"a.mtx", "%%MatrixMarket matrix array real general\n1 1\n1\n2\n", 49,
     "line 4: more entries than its head says"},
    {"a.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 1\n3 1 5\n",
     58, "line 3: expected a row from 1 to the number of rows"},
    {"a.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 x\n",
     58, "line 3: expected a number"},
    {"a.mtx", "%%MatrixMarket matrix coordinate real symmetric\n2 3 0\n", 54,
     "line 2: a symmetric matrix that is not square"},
    {"a.parquet", "PAR1....", 8, "Parquet: convert: python3"},
    {"a.feather", "ARROW1\0\0", 8, "an Arrow file (.feather): convert"},
    {"a.mat", "MATLAB 5.0 MAT-file", 19, "a MATLAB file: convert"},
    {"a.csv",
     "\xff\xfe"
     "a\0",
     4, "UTF-16 text: convert: iconv"},
};

START_TEST(unreadable_files)
{
    const char *path = put(refused[_i].name, refused[_i].bytes, refused[_i].n);
    struct ens_error err = {.status = 0};
    struct ens_mapped m;
    const char *key;

    ck_assert_int_eq(
        open_path(&m, path, (struct ens_input_options){AUTO}, &key, &err),
        ENS_EINPUT);
    ck_assert_msg(strstr(err.text, refused[_i].text) != NULL, "%s", err.text);
    ck_assert_msg(strstr(err.text, path) == err.text, "%s", err.text);
    ck_assert_ptr_null(m.base);
}
END_TEST

START_TEST(not_regular_files)
{
    struct ens_error err = {.status = 0};
    struct ens_input_options o = {AUTO};
    char fifo[PATH_MAX + 8];
    struct ens_mapped m;
    const char *key;

    ck_assert_int_eq(open_path(&m, dir, o, &key, &err), ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "is a folder; expected a regular"));
    snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(open_path(&m, fifo, o, &key, &err), ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "is a pipe"));
    ck_assert_int_eq(open_path(&m, "/dev/null", o, &key, &err), ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "is a device"));
    ck_assert_int_eq(open_path(&m, "/no/such", o, &key, &err), ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "/no/such: cannot open: No such"));
}
END_TEST

START_TEST(bad_selections)
{
    const char *const none[] = {"z"};
    const char *const both[] = {"a", "-b"};
    const char *const twice[] = {"a", "a:b"};
    const char *const all[] = {"-a:c"};
    const char *const back[] = {"c:a"};
    const struct {
        struct ens_input_options o;
        const char *key;
        const char *text;
    } cases[] = {
        {{AUTO, .n_columns = 1, .columns = none},
         "columns",
         "no column 'z'; the file has a, b, c"},
        {{AUTO, .n_columns = 2, .columns = both}, "columns", "has both"},
        {{AUTO, .n_columns = 2, .columns = twice}, "columns", "named twice"},
        {{AUTO, .n_columns = 1, .columns = all}, "columns", "leaves none"},
        {{AUTO, .n_columns = 1, .columns = back}, "columns", "comes after"},
        {{AUTO, .has_rows = 1, .first_row = 2, .last_row = 3},
         "rows",
         "rows 2:3; the file has rows 1 to 2"},
        {{AUTO, .transpose = 1}, "transpose", "different types"},
        {{AUTO, .has_shape = 1}, "shape", "raw binary"},
    };
    const char *path = put_text("t.csv", "a,b,c\n1,2.5,3\n4,5,6\n");

    for (size_t i = 0; i < ENS_COUNT(cases); i++) {
        struct ens_error err = {.status = 0};
        struct ens_mapped m;
        const char *key = NULL;

        ck_assert_int_eq(open_path(&m, path, cases[i].o, &key, &err),
                         ENS_EINPUT);
        ck_assert_msg(strstr(err.text, cases[i].text) != NULL, "%s", err.text);
        ck_assert_str_eq(key, cases[i].key);
    }
}
END_TEST

START_TEST(texts_of_options)
{
    struct ens_input_options o = {AUTO};

    ck_assert_int_eq(ens_options_rows(&o, "2:10", NULL), ENS_OK);
    ck_assert(o.has_rows && o.first_row == 2 && o.last_row == 10);
    ck_assert_int_eq(ens_options_rows(&o, "5:", NULL), ENS_OK);
    ck_assert(o.first_row == 5 && o.last_row == 0);
    ck_assert_int_eq(ens_options_rows(&o, ":7", NULL), ENS_OK);
    ck_assert(o.first_row == 1 && o.last_row == 7);
    ck_assert_int_eq(ens_options_rows(&o, "3", NULL), ENS_OK);
    ck_assert(o.first_row == 3 && o.last_row == 3);
    ck_assert_int_eq(ens_options_rows(&o, "0:3", NULL), ENS_EINPUT);
    ck_assert_int_eq(ens_options_rows(&o, "4:3", NULL), ENS_EINPUT);
    ck_assert_int_eq(ens_options_rows(&o, "a:b", NULL), ENS_EINPUT);
    ck_assert_int_eq(ens_options_rows(&o, "-1", NULL), ENS_EINPUT);
    ck_assert_int_eq(ens_options_delimiter(&o, "tab", NULL), ENS_OK);
    ck_assert_int_eq(o.delimiter, '\t');
    ck_assert_int_eq(ens_options_delimiter(&o, ";", NULL), ENS_OK);
    ck_assert_int_eq(o.delimiter, ';');
    ck_assert_int_eq(ens_options_delimiter(&o, "\"", NULL), ENS_EINPUT);
    ck_assert_int_eq(ens_options_delimiter(&o, "::", NULL), ENS_EINPUT);
    ck_assert_int_eq(ens_options_shape(&o, "(10, -1)", NULL), ENS_OK);
    ck_assert(o.n_shape == 2 && o.shape[0] == 10 && o.shape[1] == -1);
    ck_assert_int_eq(ens_options_shape(&o, "3.5", NULL), ENS_EINPUT);
    ck_assert_int_eq(ens_options_shape(&o, "1 1 1 1 1 1 1", NULL), ENS_EINPUT);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("input_refusals");
    TCase *t = tcase_create("input_refusals");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, make_dir, remove_dir);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, packed_arrays_are_refused_by_name, 0, 2);
    tcase_add_loop_test(t, unreadable_files, 0, ENS_COUNT(refused));
    tcase_add_test(t, not_regular_files);
    tcase_add_test(t, bad_selections);
    tcase_add_test(t, texts_of_options);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
