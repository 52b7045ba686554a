#include "export/exporter.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT(s)                                                                \
    {                                                                          \
        ENS_DATUM_TEXT,                                                        \
        {                                                                      \
            .text = { s, sizeof(s) - 1 }                                       \
        }                                                                      \
    }
#define NUM(v)                                                                 \
    {                                                                          \
        ENS_DATUM_NUM,                                                         \
        {                                                                      \
            .num = v                                                           \
        }                                                                      \
    }
#define NONE                                                                   \
    {                                                                          \
        ENS_DATUM_NONE,                                                        \
        {                                                                      \
            .num = 0                                                           \
        }                                                                      \
    }

static const struct ens_table_column columns[] = {
    {"a,b", ENS_DATUM_TEXT, "", ""},
    {"x", ENS_DATUM_NUM, "", ""},
};

/* What an exporter writes for rows of two values. */
static char *written(const char *format, const struct ens_datum *rows, size_t n)
{
    const struct ens_exporter *x = ens_exporter_find(format);
    struct ens_export_shape shape = {2, columns, n, NULL};
    static char text[4096];
    struct ens_error err;
    struct ens_out out;
    void *state;
    FILE *f = tmpfile();
    size_t len;

    ck_assert(f != NULL);
    ck_assert(x != NULL);
    ens_out_init(&out, fileno(f), "test");
    ck_assert_int_eq(x->open(&state, &out, &shape, &err), ENS_OK);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(x->row(state, rows + 2 * i, &err), ENS_OK);
    ck_assert_int_eq(x->close(state, &err), ENS_OK);
    ck_assert_int_eq(ens_out_commit(&out, &err), ENS_OK);
    rewind(f);
    len = fread(text, 1, sizeof(text) - 1, f);
    text[len] = '\0';
    fclose(f);
    return text;
}

static const struct row {
    struct ens_datum row[2];
    const char *csv;
    const char *jsonl;
} cases[] = {
    {{TEXT("plain"), NUM(0.1)},
     "\"a,b\",x\nplain,0.1\n",
     "{\"a,b\":\"plain\",\"x\":0.1}\n"},
    {{TEXT("a,b"), NUM(-0.0)},
     "\"a,b\",x\n\"a,b\",0\n",
     "{\"a,b\":\"a,b\",\"x\":0}\n"},
    {{TEXT("say \"x\""), NUM(1e300)},
     "\"a,b\",x\n\"say \"\"x\"\"\",1e+300\n",
     "{\"a,b\":\"say \\\"x\\\"\",\"x\":1e+300}\n"},
    {{TEXT("two\nlines"), NUM(INFINITY)},
     "\"a,b\",x\n\"two\nlines\",inf\n",
     "{\"a,b\":\"two\\nlines\",\"x\":\"inf\"}\n"},
    {{TEXT("\r"), NONE},
     "\"a,b\",x\n\"\r\",\n",
     "{\"a,b\":\"\\r\",\"x\":null}\n"},
    {{TEXT(""), NONE}, "\"a,b\",x\n\"\",\n", "{\"a,b\":\"\",\"x\":null}\n"},
    {{NONE, NONE}, "\"a,b\",x\n,\n", "{\"a,b\":null,\"x\":null}\n"},
    {{TEXT("\xc3\xa4\x01"), {ENS_DATUM_INT, {.integer = INT64_MAX}}},
     "\"a,b\",x\n\xc3\xa4\x01,9223372036854775807\n",
     "{\"a,b\":\"\xc3\xa4\\u0001\",\"x\":9223372036854775807}\n"},
    {{TEXT("\xff\xc0\xaf"), {ENS_DATUM_WORD, {.word = UINT64_MAX}}},
     "\"a,b\",x\n\xff\xc0\xaf,18446744073709551615\n",
     "{\"a,b\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\","
     "\"x\":18446744073709551615}\n"},
};

START_TEST(csv_quotes_by_rfc_4180)
{
    ck_assert_str_eq(written("csv", cases[_i].row, 1), cases[_i].csv);
}
END_TEST

START_TEST(jsonl_is_json)
{
    ck_assert_str_eq(written("jsonl", cases[_i].row, 1), cases[_i].jsonl);
}
END_TEST

START_TEST(a_header_without_rows)
{
    ck_assert_str_eq(written("csv", NULL, 0), "\"a,b\",x\n");
    ck_assert_str_eq(written("jsonl", NULL, 0), "");
}
END_TEST

START_TEST(a_full_disk_is_an_error)
{
    struct ens_error err = {0};
    struct ens_out out;
    FILE *f = fopen("/dev/full", "w");

    ck_assert(f != NULL);
    ens_out_init(&out, fileno(f), "/dev/full");
    for (int i = 0; i < 100000; i++)
        ens_out_puts(&out, "0123456789");
    ck_assert_int_eq(ens_out_commit(&out, &err), ENS_ENOSPACE);
    ck_assert(strstr(err.text, "/dev/full") != NULL);
    fclose(f);
}
END_TEST

/* As root a rename would replace a device by a file, for everybody. */
START_TEST(what_is_no_file_is_not_replaced)
{
    char path[] = "/tmp/ensrun_pipe_XXXXXX";
    struct ens_error err;
    struct ens_out out;
    struct stat st;

    ck_assert(mkdtemp(path) != NULL && rmdir(path) == 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(ens_out_create(&out, path, NULL, &err), ENS_EUSAGE);
    ck_assert(strstr(err.text, "not a regular file") != NULL);
    ck_assert(stat(path, &st) == 0 && S_ISFIFO(st.st_mode));
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(a_file_is_there_whole_or_not_at_all)
{
    char dir[] = "/tmp/ensrun_out_XXXXXX";
    char path[64];
    char tmp[80];
    struct ens_error err;
    struct ens_out out;

    ck_assert(mkdtemp(dir) != NULL);
    snprintf(path, sizeof(path), "%s/t.csv", dir);
    snprintf(tmp, sizeof(tmp), "%s.tmp", path);
    ck_assert_int_eq(ens_out_create(&out, path, NULL, &err), ENS_OK);
    ens_out_puts(&out, "half");
    ens_out_abort(&out);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_ne(access(tmp, F_OK), 0);
    ck_assert_int_eq(ens_out_create(&out, path, NULL, &err), ENS_OK);
    ens_out_puts(&out, "whole");
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(ens_out_commit(&out, &err), ENS_OK);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_ne(access(tmp, F_OK), 0);
    unlink(path);
    rmdir(dir);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv_out");
    TCase *tc = tcase_create("csv_out");
    SRunner *runner = srunner_create(suite);
    int n = (int)(sizeof(cases) / sizeof(cases[0]));
    int failed;

    tcase_add_loop_test(tc, csv_quotes_by_rfc_4180, 0, n);
    tcase_add_loop_test(tc, jsonl_is_json, 0, n);
    tcase_add_test(tc, a_header_without_rows);
    tcase_add_test(tc, a_full_disk_is_an_error);
    tcase_add_test(tc, what_is_no_file_is_not_replaced);
    tcase_add_test(tc, a_file_is_there_whole_or_not_at_all);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
