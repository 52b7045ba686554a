#include "export/exporter.h"

#include <check.h>
#include <ensrun/record.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ens_table_column columns[] = {
    {"task", ENS_DATUM_TEXT, "", ""},
    {"it's", ENS_DATUM_NUM, "", ""},
    {"n", ENS_DATUM_INT, "", ""},
    {"seed", ENS_DATUM_WORD, "", ""},
};
static const size_t width[] = {2, 0, 0, 0};

static const struct ens_datum rows[2][4] = {
    {{ENS_DATUM_TEXT, {.text = {"\xc3\xa4z", 3}}},
     {ENS_DATUM_NUM, {.num = 0.5}},
     {ENS_DATUM_INT, {.integer = -7}},
     {ENS_DATUM_WORD, {.word = UINT64_MAX}}},
    {{ENS_DATUM_NONE, {.num = 0}},
     {ENS_DATUM_NONE, {.num = 0}},
     {ENS_DATUM_NONE, {.num = 0}},
     {ENS_DATUM_WORD, {.word = 1}}},
};

static size_t write_to(FILE *f, const struct ens_export_shape *shape,
                       unsigned char *to, size_t cap)
{
    const struct ens_exporter *x = ens_exporter_find("npy");
    struct ens_error err;
    struct ens_out out;
    void *state;

    ens_out_init(&out, fileno(f), "test");
    ck_assert_int_eq(x->open(&state, &out, shape, &err), ENS_OK);
    for (size_t i = 0; i < shape->n_rows; i++)
        ck_assert_int_eq(x->row(state, rows[i], &err), ENS_OK);
    ck_assert_int_eq(x->close(state, &err), ENS_OK);
    ck_assert_int_eq(ens_out_commit(&out, &err), ENS_OK);
    rewind(f);
    return fread(to, 1, cap, f);
}

static void check_row(const unsigned char *p, const uint32_t *text, double x,
                      int64_t n, uint64_t seed)
{
    double got_x;
    int64_t got_n;
    uint64_t got_seed;

    ck_assert_mem_eq(p, text, 8);
    memcpy(&got_x, p + 8, 8);
    memcpy(&got_n, p + 16, 8);
    memcpy(&got_seed, p + 24, 8);
    ck_assert(isnan(x) ? isnan(got_x) : got_x == x);
    ck_assert_int_eq(got_n, n);
    ck_assert_uint_eq(got_seed, seed);
}

START_TEST(rows_lie_as_numpy_wants_them)
{
    static const char dict[] =
        "{'descr': [('task', '<U2'), ('it\\'s', '<f8'), ('n', '<i8'), "
        "('seed', '<u8')], 'fortran_order': False, 'shape': (2,), }";
    static const uint32_t first[2] = {0xe4, 'z'};
    static const uint32_t none[2] = {0, 0};
    struct ens_export_shape shape = {4, columns, 2, width};
    unsigned char got[4096];
    FILE *f = tmpfile();
    size_t n = write_to(f, &shape, got, sizeof(got));
    size_t head = 10u + got[8] + 256u * got[9];

    ck_assert_mem_eq(got, "\x93NUMPY\x01\x00", 8);
    ck_assert_uint_eq(head % 64, 0);
    ck_assert_uint_eq(got[head - 1], '\n');
    ck_assert_mem_eq(got + 10, dict, strlen(dict));
    ck_assert_uint_eq(n, head + 2 * 32);
    check_row(got + head, first, 0.5, -7, UINT64_MAX);
    check_row(got + head + 32, none, NAN, ENS_I64_MISSING, 1);
    fclose(f);
}
END_TEST

START_TEST(a_long_header_is_version_2)
{
    enum { N = 4000 };
    struct ens_table_column *many = calloc(N, sizeof(*many));
    size_t *wide = calloc(N, sizeof(*wide));
    char(*name)[24] = calloc(N, sizeof(*name));
    struct ens_export_shape shape = {N, many, 0, wide};
    static unsigned char got[200000];
    FILE *f = tmpfile();
    size_t n;

    for (int i = 0; i < N; i++) {
        snprintf(name[i], sizeof(name[i]), "field_%d", i);
        many[i].name = name[i];
        many[i].type = ENS_DATUM_NUM;
    }
    n = write_to(f, &shape, got, sizeof(got));
    ck_assert_uint_eq(got[6], 2);
    ck_assert_uint_eq(n, 12u + got[8] + 256u * got[9] + 65536u * got[10]);
    ck_assert_uint_eq(n % 64, 0);
    free(name);
    free(wide);
    free(many);
    fclose(f);
}
END_TEST

START_TEST(two_columns_of_one_name_are_refused)
{
    const struct ens_table_column twice[] = {columns[1], columns[1]};
    struct ens_export_shape shape = {2, twice, 0, width};
    struct ens_error err;
    struct ens_out out;
    void *state;

    ens_out_init(&out, -1, "test");
    ck_assert_int_eq(ens_exporter_find("npy")->open(&state, &out, &shape, &err),
                     ENS_EUSAGE);
    ck_assert(strstr(err.text, "it's") != NULL);
    ens_out_abort(&out);
}
END_TEST

/* Python itself, where it has numpy. */
START_TEST(numpy_reads_it)
{
    static const char script[] =
        "/usr/bin/python3 -c \"import numpy, sys\n"
        "a = numpy.load(sys.argv[1])\n"
        "assert a.shape == (2,) and a['task'][0] == chr(228) + 'z', a\n"
        "assert a['n'][0] == -7 and a['seed'][0] == 2**64 - 1, a\n\" ";
    struct ens_export_shape shape = {4, columns, 2, width};
    char path[] = "/tmp/ensrun_npy_XXXXXX";
    char command[1024];
    unsigned char got[4096];
    FILE *f = fdopen(mkstemp(path), "w+");

    ck_assert(f != NULL);
    write_to(f, &shape, got, sizeof(got));
    snprintf(command, sizeof(command), "%s %s", script, path);
    if (system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") == 0)
        ck_assert_int_eq(system(command), 0);
    fclose(f);
    remove(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("npy_out");
    TCase *tc = tcase_create("npy_out");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, rows_lie_as_numpy_wants_them);
    tcase_add_test(tc, a_long_header_is_version_2);
    tcase_add_test(tc, two_columns_of_one_name_are_refused);
    tcase_add_test(tc, numpy_reads_it);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
