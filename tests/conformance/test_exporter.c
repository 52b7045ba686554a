/* What every exporter must do, looped over their table. */
#include "export/exporter.h"

#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_BYTES 65536

static const struct ens_table_column columns[] = {
    {"name", ENS_DATUM_TEXT, "", "a text"},
    {"x", ENS_DATUM_NUM, "m", "a number"},
    {"n", ENS_DATUM_INT, "", "an integer"},
    {"seed", ENS_DATUM_WORD, "", "a word"},
};
static const size_t width[] = {8, 19, 2, 20};

static struct ens_datum row[4];

static void set_row(const char *text, double x, int64_t n)
{
    row[0].type = ENS_DATUM_TEXT;
    row[0].as.text.p = text;
    row[0].as.text.n = strlen(text);
    row[1].type = ENS_DATUM_NUM;
    row[1].as.num = x;
    row[2].type = ENS_DATUM_INT;
    row[2].as.integer = n;
    row[3].type = ENS_DATUM_WORD;
    row[3].as.word = UINT64_MAX;
}

static enum ens_status write_to(const struct ens_exporter *x, int fd,
                                size_t n_rows, struct ens_error *err)
{
    const struct ens_export_shape shape = {4, columns, n_rows, width};
    struct ens_out out;
    void *state;

    ens_out_init(&out, fd, "the test's file");
    ck_assert_int_eq(x->open(&state, &out, &shape, err), ENS_OK);
    for (size_t i = 0; i < n_rows; i++) {
        set_row(i % 2 == 0 ? "a \"b\",\n" : "", i == 1 ? NAN : 0.1 * (double)i,
                -(int64_t)i);
        if (i == 2)
            row[1].type = row[2].type = ENS_DATUM_NONE;
        ck_assert_int_eq(x->row(state, row, err), ENS_OK);
    }
    ck_assert_int_eq(x->close(state, err), ENS_OK);
    return ens_out_commit(&out, err);
}

static size_t written(int i, size_t n_rows, char *to)
{
    FILE *f = tmpfile();
    struct ens_error err = {0};
    size_t n;

    ck_assert_msg(
        write_to(ens_exporter_at((size_t)i), fileno(f), n_rows, &err) == ENS_OK,
        "%s", err.text);
    rewind(f);
    n = fread(to, 1, MAX_BYTES, f);
    ck_assert_uint_lt(n, MAX_BYTES);
    fclose(f);
    return n;
}

START_TEST(is_found_by_its_name)
{
    const struct ens_exporter *x = ens_exporter_at((size_t)_i);

    ck_assert(ens_exporter_find(x->name) == x);
    ck_assert_uint_gt(strlen(x->help), 0);
}
END_TEST

START_TEST(same_rows_same_bytes)
{
    static char a[MAX_BYTES], b[MAX_BYTES];
    size_t n = written(_i, 100, a);

    ck_assert_uint_gt(n, 500);
    ck_assert_uint_eq(written(_i, 100, b), n);
    ck_assert_mem_eq(a, b, n);
}
END_TEST

START_TEST(every_row_takes_room)
{
    static char a[MAX_BYTES];
    size_t none = written(_i, 0, a);
    size_t few = written(_i, 10, a);

    ck_assert_uint_ge(few, none + 10);
    ck_assert_uint_ge(written(_i, 100, a), few + 90);
}
END_TEST

START_TEST(full_disk_is_an_error_that_names_the_file)
{
    struct ens_error err = {0};
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_ne(write_to(ens_exporter_at((size_t)_i), fd, 5000, &err),
                     ENS_OK);
    ck_assert_msg(strstr(err.text, "the test's file") != NULL, "%s", err.text);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("exporters");
    TCase *t = tcase_create("each");
    SRunner *r;
    int n = 0;
    int failed;

    while (ens_exporter_at((size_t)n) != NULL)
        n++;
    tcase_add_loop_test(t, is_found_by_its_name, 0, n);
    tcase_add_loop_test(t, same_rows_same_bytes, 0, n);
    tcase_add_loop_test(t, every_row_takes_room, 0, n);
    tcase_add_loop_test(t, full_disk_is_an_error_that_names_the_file, 0, n);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = n == 0 || srunner_ntests_failed(r) > 0;
    srunner_free(r);
    return failed;
}
