/* What every output format of `convert` must do, looped over their table: an
 * array comes back with its values, in rows and columns, from a file that the
 * inputs' own reader opens; an empty one too; nothing is left of an output
 * that failed; nothing is replaced unasked. */
#include "convert/writer.h"

#include "base/bug.h"
#include "input/mapped.h"

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct ens_writer *const writers[] = {
#define ENS_WRITER(name) &ens_writer_##name,
#include "convert/writers.def"
#undef ENS_WRITER
};
#define N_WRITERS ((int)ENS_COUNT(writers))

static char dir[64];

static void make(void)
{
    snprintf(dir, sizeof(dir), "/tmp/ensrun-writer-XXXXXX");
    ck_assert(mkdtemp(dir) != NULL);
    setenv("ENSRUN_CACHE", dir, 1);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static void clean(void)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put_npy(const char *path, const char *shape, const double *x,
                    size_t n)
{
    char head[129];
    FILE *f = fopen(path, "wb");
    int k;

    ck_assert(f != NULL);
    memset(head, ' ', 128);
    memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
    k = snprintf(head + 10, 119,
                 "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }",
                 shape);
    head[10 + k] = ' ';
    head[127] = '\n';
    ck_assert_uint_eq(fwrite(head, 1, 128, f), 128);
    ck_assert_uint_eq(fwrite(x, 8, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static enum ens_status convert(const char *from, const char *to,
                               const char *format, struct ens_error *err)
{
    struct ens_convert_options o = {.path = to, .to = format};
    struct ens_convert_report report;
    const char *key;

    o.from.name = o.from.path = from;
    o.from.options.header = -1;
    return ens_convert(&o, &report, &key, err);
}

static void open_back(struct ens_mapped *m, const struct ens_writer *w,
                      const char *path, int64_t rows)
{
    struct ens_input_spec spec = {.name = "X", .path = path};
    struct ens_error err = {0};
    const char *key;

    spec.options.header = -1;
    if (strcmp(w->name, "raw") == 0) {
        spec.options.dtype = "<f8";
        spec.options.has_shape = 1;
        spec.options.n_shape = 2;
        spec.options.shape[0] = rows;
        spec.options.shape[1] = 3;
    }
    ck_assert_msg(ens_mapped_open(m, &spec, -1, NULL, NULL, &key, &err) ==
                      ENS_OK,
                  "%s", err.text);
}

static int count_files(void)
{
    DIR *d = opendir(dir);
    int n = 0;

    ck_assert(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.' && strcmp(e->d_name, "tables") != 0 &&
             strcmp(e->d_name, "digests") != 0;
    closedir(d);
    return n;
}

/* Its first extension. */
static void path_of(char to[128], const struct ens_writer *w)
{
    size_t n = strcspn(w->extensions, " ");

    snprintf(to, 128, "%s/out.%.*s", dir, (int)n, w->extensions);
}

START_TEST(same_values_come_back)
{
    static const double x[6] = {1.5, -2, 0.1, 1e300, 5e-324, 7};
    const struct ens_writer *w = writers[_i];
    struct ens_error err = {0};
    struct ens_mapped m;
    char from[128], to[128];

    snprintf(from, sizeof(from), "%s/in.npy", dir);
    put_npy(from, "(2, 3)", x, 6);
    path_of(to, w);
    ck_assert_msg(convert(from, to, NULL, &err) == ENS_OK, "%s", err.text);
    ck_assert_int_eq(count_files(), 2);
    open_back(&m, w, to, 2);
    ck_assert_uint_eq(m.input.n_rows, 2);
    ck_assert_uint_eq(m.input.n_columns, 3);
    for (size_t i = 0; i < 6; i++) {
        double v;

        ens_view_f64(&m.input.columns[i % 3].view, i / 3, 1, &v);
        ck_assert_msg(v == x[i], "%s: element %zu is %.17g", w->name, i, v);
    }
    ens_mapped_close(&m);
    ck_assert_int_eq(convert(from, to, NULL, &err), ENS_EUSAGE);
    ck_assert_msg(strstr(err.text, "--force") != NULL, "%s", err.text);
}
END_TEST

START_TEST(no_rows)
{
    const struct ens_writer *w = writers[_i];
    struct ens_error err = {0};
    struct ens_mapped m;
    char from[128], to[128];
    double none = 0;

    snprintf(from, sizeof(from), "%s/in.npy", dir);
    put_npy(from, "(0, 3)", &none, 0);
    path_of(to, w);
    ck_assert_msg(convert(from, to, NULL, &err) == ENS_OK, "%s", err.text);
    if (strcmp(w->name, "mtx") == 0) /* whose reader wants a matrix */
        return;
    open_back(&m, w, to, 0);
    ck_assert_uint_eq(m.input.n_rows, 0);
    ck_assert_uint_eq(m.input.n_columns, 3);
    ens_mapped_close(&m);
}
END_TEST

START_TEST(nothing_is_left_of_a_failure)
{
    const struct ens_writer *w = writers[_i];
    static const double x[300] = {1};
    struct ens_error err = {0};
    struct rlimit old, limit;
    enum ens_status s;
    char from[128], to[128];

    snprintf(from, sizeof(from), "%s/in.npy", dir);
    put_npy(from, "(100, 3)", x, 300);
    path_of(to, w);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    limit.rlim_cur = 100;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    s = convert(from, to, w->name, &err);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    ck_assert_int_eq(s, ENS_EIO);
    ck_assert_msg(strstr(err.text, "out.") != NULL, "%s", err.text);
    ck_assert_int_eq(count_files(), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("writer");
    TCase *tc = tcase_create("writer");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tc, make, clean);
    tcase_add_loop_test(tc, same_values_come_back, 0, N_WRITERS);
    tcase_add_loop_test(tc, no_rows, 0, N_WRITERS);
    tcase_add_loop_test(tc, nothing_is_left_of_a_failure, 0, N_WRITERS);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
