#include "input/input.h"

#include "base/buf.h"
#include "base/bug.h"
#include "base/clock.h"
#include "base/file.h"
#include "input/cache.h"
#include "input/mapped.h"
#include "input/memory.h"
#include "input/options.h"
#include "study_fixture.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

static char dir[PATH_MAX]; /* of this test; removed behind it */

static void make_dir(void)
{
    char cache[PATH_MAX + 8];
    const char *tmp = getenv("TMPDIR");

    snprintf(dir, sizeof(dir), "%s/ens_inputs.XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(cache, sizeof(cache), "%s/cache", dir);
    ck_assert_int_eq(setenv("ENSRUN_CACHE", cache, 1), 0);
}

static int remove_entry(const char *path, const struct stat *st, int flag,
                        struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void remove_dir(void)
{
    nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *put(const char *name, const void *p, size_t n)
{
    static char path[PATH_MAX];
    int k = snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd;

    ck_assert(k > 0 && (size_t)k < sizeof(path));
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ens_write_all(fd, p, n), 0);
    close(fd);
    return path;
}

static const char *put_text(const char *name, const char *text)
{
    return put(name, text, strlen(text));
}

/* Until the file's time stamp is old enough for its digest to be kept. */
static void settle(const char *path)
{
    uint64_t deadline = ens_clock_ns() + UINT64_C(10000000000);
    struct stat st;
    struct ens_file_id id = {0};

    ck_assert_int_eq(stat(path, &st), 0);
    id.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    id.ctime_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
    while (!ens_cache_is_settled(&id)) {
        ck_assert(ens_clock_ns() < deadline);
        sched_yield();
    }
}

static enum ens_status open_path(struct ens_mapped *m, const char *path,
                                 struct ens_input_options o, const char **key,
                                 struct ens_error *err)
{
    struct ens_input_spec spec = {"X", path, o, NULL};

    return ens_mapped_open(m, &spec, -1, NULL, NULL, key, err);
}

static void must_open(struct ens_mapped *m, const char *path,
                      struct ens_input_options o)
{
    struct ens_error err = {.status = 0};
    const char *key = NULL;

    ck_assert_msg(open_path(m, path, o, &key, &err) == ENS_OK, "%s", err.text);
    ck_assert_ptr_null(key);
}

static double value(const struct ens_mapped *m, uint64_t row, uint64_t column)
{
    double d;

    ck_assert_uint_lt(column, m->input.n_columns);
    ens_view_f64(&m->input.columns[column].view, row, 1, &d);
    return d;
}

#define AUTO .header = -1

/* -- arrays --------------------------------------------------------------- */

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

/* -- tables --------------------------------------------------------------- */

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

/* -- what is refused ------------------------------------------------------ */

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

/* -- digests -------------------------------------------------------------- */

START_TEST(digest_is_that_of_the_bytes)
{
    size_t n = ((size_t)9 << 20) + 8; /* more than two blocks */
    char *p = malloc(n);
    struct ens_input_options o = {AUTO, .dtype = "f8"};
    struct ens_hash128 want;
    struct ens_hash128 got = {0, 0};
    const atomic_int stop = 1;
    struct ens_file_id now;
    struct ens_mapped m;
    const char *path;

    for (size_t i = 0; i < n; i++)
        p[i] = (char)(i * 7 + i / 251);
    path = put("x.bin", p, n);
    want = ens_hash128(p, n);
    settle(path);
    must_open(&m, path, o);
    ck_assert_int_eq(ens_mapped_digest(&m, &stop, &got, NULL), ENS_ESTOPPED);
    ck_assert_int_eq(ens_mapped_digest(&m, NULL, &got, NULL), ENS_OK);
    ck_assert(got.low == want.low && got.high == want.high);
    ck_assert_int_eq(ens_mapped_id_now(&m, &now, NULL), ENS_OK);
    ck_assert(ens_file_id_same(&now, &m.id));
    /* known now: not even a stopped call reads the file */
    got.low = 0;
    ck_assert_int_eq(ens_mapped_digest(&m, &stop, &got, NULL), ENS_OK);
    ck_assert(got.low == want.low);
    ens_mapped_close(&m);
    free(p);
}
END_TEST

START_TEST(a_file_that_changes_is_noticed)
{
    char p[4096] = {0};
    struct ens_input_options o = {AUTO, .dtype = "u1"};
    const char *path = put("x.bin", p, sizeof(p));
    struct ens_error err = {.status = 0};
    struct ens_hash128 d;
    struct ens_mapped m;

    must_open(&m, path, o);
    ck_assert_int_eq(truncate(path, 100), 0);
    ck_assert_int_eq(ens_mapped_digest(&m, NULL, &d, &err), ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "shrank while it was in use: ends "
                                           "at byte 100, expected 4096"));
    ck_assert_int_eq(truncate(path, 5000), 0);
    ck_assert_int_eq(ens_mapped_digest(&m, NULL, &d, &err), ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "changed while it was in use"));
    ens_mapped_close(&m);
}
END_TEST

static struct ens_file_id id_of(uint64_t writer, uint64_t i)
{
    struct ens_file_id id = {writer, i, 3, 4, 5};

    return id;
}

/* Four writers, enough lines to shorten the file several times: it stays
 * short, whole, and each writer's last line is there when written last. */
START_TEST(digests_survive_concurrent_writers)
{
    enum { WRITERS = 4, LINES = 3000 };
    struct ens_hash128 d = {1, 2};
    struct ens_file_id id;
    char path[PATH_MAX];
    struct ens_buf b = ENS_BUF_INIT;

    for (uint64_t w = 0; w < WRITERS; w++) {
        pid_t pid = fork();

        if (pid == 0) {
            for (uint64_t i = 0; i < LINES; i++) {
                id = id_of(w, i);
                d.low = i;
                ens_cache_put_digest(&id, &d);
            }
            _exit(0);
        }
        ck_assert_int_gt(pid, 0);
    }
    for (int w = 0; w < WRITERS; w++) {
        int status = 1;

        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    id = id_of(9, 9);
    ck_assert_int_eq(ens_cache_get_digest(&id, &d), 0);
    d.low = 99;
    ens_cache_put_digest(&id, &d);
    d.low = 0;
    ck_assert_int_eq(ens_cache_get_digest(&id, &d), 1);
    ck_assert_uint_eq(d.low, 99);
    ck_assert_int_eq(ens_cache_path(path, sizeof(path), "digests"), 0);
    ck_assert_int_eq(ens_file_read(&b, path, 1 << 20, NULL), ENS_OK);
    ck_assert_uint_lt(b.len, 600 * 1024);
    for (size_t i = 0; i < b.len; i += 136)
        ck_assert_int_eq(b.data[i + 135], '\n');
    ens_buf_fini(&b);
}
END_TEST

START_TEST(torn_lines_are_passed_over)
{
    struct ens_file_id id = id_of(1, 2);
    struct ens_hash128 d = {7, 8};
    char path[PATH_MAX];
    struct ens_buf b = ENS_BUF_INIT;

    ens_cache_put_digest(&id, &d);
    ck_assert_int_eq(ens_cache_path(path, sizeof(path), "digests"), 0);
    ck_assert_int_eq(ens_file_read(&b, path, 1 << 20, NULL), ENS_OK);
    ck_assert_uint_eq(b.len, 136);
    for (size_t i = 0; i < 135; i++) { /* any wrong byte: no line */
        unsigned char was = b.data[i];

        b.data[i] = was == '1' ? '2' : '1';
        put("cache/digests", b.data, b.len);
        ck_assert_int_eq(ens_cache_get_digest(&id, &d), 0);
        b.data[i] = was;
    }
    for (size_t n = 0; n < 136; n += 15) {
        put("cache/digests", b.data, n);
        ck_assert_int_eq(ens_cache_get_digest(&id, &d), 0);
    }
    put("cache/digests", b.data, b.len);
    ck_assert_int_eq(ens_cache_get_digest(&id, &d), 1);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(fresh_files_are_not_settled)
{
    struct timespec now;
    struct ens_file_id id = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    id.mtime_ns = id.ctime_ns =
        (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + 500000000;
    ck_assert(!ens_cache_is_settled(&id));
    id.ctime_ns -= 1500000000;
    ck_assert(!ens_cache_is_settled(&id));
    id.mtime_ns -= 1500000000;
    ck_assert(ens_cache_is_settled(&id));
    /* stamps of whole seconds say that the clock is that coarse */
    id.ctime_ns = ((int64_t)now.tv_sec - 1) * 1000000000;
    ck_assert(!ens_cache_is_settled(&id));
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
    tcase_add_test(t, wells);
    tcase_add_loop_test(t, packed_tables_read_as_plain_ones, 0, 2);
    tcase_add_loop_test(t, packed_arrays_are_refused_by_name, 0, 2);
    tcase_add_loop_test(t, cut_packed_tables_are_refused, 0, 2);
    tcase_add_test(t, arrays_of_archives);
    tcase_add_loop_test(t, matrices_are_made_dense, 0, 6);
    tcase_add_test(t, huge_matrices_are_not_made_dense);
    tcase_add_test(t, text_has_levels);
    tcase_add_test(t, selections_of_tables);
    tcase_add_test(t, tables_are_converted_once);
    tcase_add_test(t, without_a_cache_folder_memory_is_used);
    tcase_add_test(t, where_the_cache_is);
    tcase_add_loop_test(t, unreadable_files, 0, ENS_COUNT(refused));
    tcase_add_test(t, not_regular_files);
    tcase_add_test(t, bad_selections);
    tcase_add_test(t, texts_of_options);
    tcase_add_test(t, digest_is_that_of_the_bytes);
    tcase_add_test(t, a_file_that_changes_is_noticed);
    tcase_add_test(t, digests_survive_concurrent_writers);
    tcase_add_test(t, torn_lines_are_passed_over);
    tcase_add_test(t, fresh_files_are_not_settled);
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
