/* Copying between files: by the system, or in writes that can fail. */
#include "store/io.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N 3000000u

static int temporary(void)
{
    FILE *f = tmpfile();
    int fd;

    ck_assert(f != NULL);
    fd = dup(fileno(f));
    ck_assert_int_ge(fd, 0);
    fclose(f);
    return fd;
}

static unsigned char *make_source(int fd)
{
    unsigned char *p = malloc(N);

    ck_assert(p != NULL);
    for (size_t i = 0; i < N; i++)
        p[i] = (unsigned char)(i * 2654435761u >> 13);
    ck_assert_int_eq(pwrite(fd, p, N, 0), N);
    return p;
}

static const char *const specs[] = {NULL, "short", "enospc@99999999"};

START_TEST(copies_a_range)
{
    int from = temporary(), to = temporary();
    unsigned char *want = make_source(from), *got = malloc(N);
    struct ens_io *io = ens_io_default();

    if (specs[_i] != NULL)
        ck_assert_int_eq(ens_fault_new(&io, specs[_i], NULL), ENS_OK);
    ck_assert_int_eq(ens_io_copy(io, from, 17, to, 5, N - 17), 0);
    ck_assert_int_eq(ens_io_copy(io, from, 0, to, 0, 0), 0);
    ck_assert_int_eq(pread(to, got, N, 5), N - 17);
    ck_assert(memcmp(got, want + 17, N - 17) == 0);
    if (specs[_i] != NULL)
        ens_fault_free(io);
    free(want);
    free(got);
    close(from);
    close(to);
}
END_TEST

START_TEST(says_what_is_wrong)
{
    int from = temporary(), to = temporary();
    unsigned char *want = make_source(from);
    struct ens_io *io;

    ck_assert_int_eq(ens_fault_new(&io, "enospc@1000", NULL), ENS_OK);
    ck_assert_int_eq(ens_io_copy(io, from, 0, to, 0, N), -1);
    ck_assert_int_eq(errno, ENOSPC);
    ens_fault_free(io);
    ck_assert_int_eq(ens_fault_new(&io, "eio@2", NULL), ENS_OK);
    ck_assert_int_eq(ens_io_copy(io, from, 0, to, 0, N), -1);
    ck_assert_int_eq(errno, EIO);
    ens_fault_free(io);
    /* the source ends before */
    ck_assert_int_eq(ens_io_copy(ens_io_default(), from, 1, to, 0, N), -1);
    ck_assert_int_eq(errno, 0);
    free(want);
    close(from);
    close(to);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io");
    TCase *tc = tcase_create("io");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tc, copies_a_range, 0, 3);
    tcase_add_test(tc, says_what_is_wrong);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
