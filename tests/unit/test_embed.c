/* Arrays of an embedding program, and studies over them. */
#include "embed/array.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static const uint64_t shape[] = {3, 4};

START_TEST(an_array_is_zero_aligned_and_its_own)
{
    struct ens_array *a = NULL, *b = NULL;
    struct ens_error err;
    double *x, *y;

    ck_assert_int_eq(ens_array_new(&a, ENS_DT_F64, 2, shape, &err), ENS_OK);
    ck_assert_int_eq(ens_array_new(&b, ENS_DT_F64, 2, shape, &err), ENS_OK);
    x = ens_array_data(a);
    y = ens_array_data(b);
    ck_assert_uint_eq((uintptr_t)x % 4096, 0);
    for (int i = 0; i < 12; i++)
        ck_assert(x[i] == 0);
    x[11] = 7;
    ck_assert(y[11] == 0);
    ens_array_free(a);
    ens_array_free(b);
    ens_array_free(NULL);
}
END_TEST

START_TEST(a_copy_keeps_its_bytes)
{
    const double data[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -0.5};
    struct ens_array *a = NULL;

    ck_assert_int_eq(ens_array_copy(&a, ENS_DT_F64, 2, shape, data, NULL),
                     ENS_OK);
    ck_assert_mem_eq(ens_array_data(a), data, sizeof(data));
    ens_array_free(a);
}
END_TEST

START_TEST(odd_shapes_are_refused)
{
    const uint64_t huge[] = {UINT64_C(1) << 40, UINT64_C(1) << 40};
    const uint64_t none[] = {0};
    struct ens_array *a = NULL;
    struct ens_error err;

    ck_assert_int_eq(ens_array_new(&a, ENS_DT_F64, 0, shape, &err), ENS_EUSAGE);
    ck_assert_int_eq(ens_array_new(&a, ENS_DT_F64, 9, shape, &err), ENS_EUSAGE);
    ck_assert_int_eq(ens_array_new(&a, ENS_DT_F64, 2, huge, &err),
                     ENS_ENOMEMORY);
    ck_assert_ptr_null(a);
    ck_assert_int_eq(ens_array_new(&a, ENS_DT_F64, 1, none, &err), ENS_OK);
    ens_array_free(a);
}
END_TEST

/* Nobody can write to what tasks read: not the program, not through a new
 * map, not even by opening it again. */
START_TEST(a_sealed_array_stays_readable)
{
    struct ens_array *a = NULL;
    char path[32];
    double *x;
    int fd, again;

    ck_assert_int_eq(ens_array_new(&a, ENS_DT_F64, 2, shape, NULL), ENS_OK);
    x = ens_array_data(a);
    x[5] = 2.5;
    ck_assert_int_eq(ens_array_seal(a, &fd, NULL), ENS_OK);
    ck_assert_int_eq(ens_array_seal(a, &again, NULL), ENS_OK);
    ck_assert_int_eq(fd, again);
    ck_assert_ptr_eq(ens_array_data(a), x);
    ck_assert(x[5] == 2.5);
    ck_assert(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
              MAP_FAILED);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    again = open(path, O_RDWR | O_CLOEXEC);
    ck_assert(again < 0 || write(again, "x", 1) < 0);
    if (again >= 0)
        close(again);
    ens_array_free(a);
}
END_TEST

START_TEST(a_sealed_array_cannot_be_written)
{
    struct ens_array *a = NULL;
    volatile double *x;
    int fd;

    ck_assert_int_eq(ens_array_new(&a, ENS_DT_F64, 2, shape, NULL), ENS_OK);
    x = ens_array_data(a);
    ck_assert_int_eq(ens_array_seal(a, &fd, NULL), ENS_OK);
    x[0] = 1;
}
END_TEST

/* -- studies ----------------------------------------------------------------
 */

static char folder[] = "/tmp/ensrun-embed-XXXXXX";

static void make_folder(void)
{
    ck_assert(mkdtemp(folder) != NULL);
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

static const char text[] = "[study]\nkind = synthetic\nname = s\n"
                           "replicates = 20\n[synthetic]\n"
                           "rows = 2\n";

static void on_signal(int number)
{
    (void)number;
}

START_TEST(a_study_runs_and_leaves_the_process_as_it_was)
{
    static const char *const transports[] = {"fork", "inline"};
    struct ens_array *a = NULL;
    struct ens_embed_input input = {.name = "X"};
    struct ens_embed_options o = {
        .text = text,
        .folder = folder,
        .inputs = &input,
        .n_inputs = 1,
        .workers = 2,
        .transport = transports[_i],
        .program = ENSRUN_PROGRAM,
    };
    struct ens_embed_report report;
    struct sigaction before = {.sa_handler = on_signal}, after;
    struct ens_error err = {0};
    int subreaper = -1;

    ck_assert_int_eq(sigaction(SIGTERM, &before, NULL), 0);
    ck_assert_int_eq(ens_array_new(&a, ENS_DT_F64, 2, shape, &err), ENS_OK);
    input.array = a;
    ck_assert_msg(ens_embed_run(&o, &report, &err) == ENS_OK, "%s\n%s",
                  report.errors, err.text);
    ck_assert_int_eq(report.exit_code, 0);
    ck_assert_uint_eq(report.by_outcome[ENS_TASK_OK], 20);
    ck_assert_uint_eq(report.n_new, 20);
    ck_assert_int_eq(sigaction(SIGTERM, NULL, &after), 0);
    ck_assert(after.sa_handler == on_signal);
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &after), 0);
    ck_assert(after.sa_handler == SIG_DFL);
    ck_assert_int_eq(prctl(PR_GET_CHILD_SUBREAPER, &subreaper), 0);
    ck_assert_int_eq(subreaper, 0);
    /* again: nothing is left to do */
    ck_assert_int_eq(ens_embed_run(&o, &report, &err), ENS_OK);
    ck_assert_uint_eq(report.n_new, 0);
    ck_assert_uint_eq(report.n_tasks, 20);
    /* by its folder, the array given again */
    o.text = NULL;
    o.results = report.results;
    ck_assert_msg(ens_embed_run(&o, &report, &err) == ENS_OK, "%s", err.text);
    ens_array_free(a);
}
END_TEST

START_TEST(misuse_is_told)
{
    struct ens_embed_input input = {.name = "X"};
    struct ens_embed_options o = {.program = ENSRUN_PROGRAM};
    struct ens_embed_report report;
    struct ens_error err = {0};

    ck_assert_int_eq(ens_embed_run(&o, &report, &err), ENS_EUSAGE);
    ck_assert_int_eq(report.exit_code, 2);
    o.text = text;
    o.study = "also.ini";
    ck_assert_int_eq(ens_embed_run(&o, &report, &err), ENS_EUSAGE);
    o.study = NULL;
    o.inputs = &input;
    o.n_inputs = 1;
    ck_assert_int_eq(ens_embed_run(&o, &report, &err), ENS_EUSAGE);
    o.n_inputs = 0;
    o.folder = folder;
    ck_assert_int_ne(ens_embed_run(&o, &report, &err), ENS_OK);
    ck_assert_int_eq(report.exit_code, 2);
    ck_assert_msg(strstr(err.text, "input named X") != NULL, "%s", err.text);
    o.text = "[study]\nkind = synthetic\nseed = x\n[synthetic]\nrow = 1\n";
    ck_assert_int_eq(ens_embed_run(&o, &report, &err), ENS_ESTUDY);
    ck_assert_msg(strstr(report.errors, "study:3: [study] seed") != NULL &&
                      strstr(report.errors, "study:5: [synthetic] row") != NULL,
                  "%s", report.errors);
    o.text = "[study]\nkind = synthetic\n";
    o.transport = "carrier pigeon";
    ck_assert_int_eq(ens_embed_run(&o, &report, &err), ENS_EUSAGE);
    o.transport = NULL;
    o.program = "/nowhere/ensrun";
    ck_assert_int_eq(ens_embed_run(&o, &report, &err), ENS_EPROCESS);
    ck_assert_msg(strstr(err.text, "/nowhere/ensrun") != NULL, "%s", err.text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("embed");
    TCase *t = tcase_create("arrays");
    TCase *d = tcase_create("faults");
    TCase *r = tcase_create("studies");
    SRunner *runner;
    int failed;

    tcase_add_test(t, an_array_is_zero_aligned_and_its_own);
    tcase_add_test(t, a_copy_keeps_its_bytes);
    tcase_add_test(t, odd_shapes_are_refused);
    tcase_add_test(t, a_sealed_array_stays_readable);
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(r, make_folder, remove_folder);
    tcase_add_loop_test(r, a_study_runs_and_leaves_the_process_as_it_was, 0, 2);
    tcase_add_test(r, misuse_is_told);
    tcase_set_timeout(r, 60);
    suite_add_tcase(s, r);
    runner = srunner_create(s);
    if (srunner_fork_status(runner) == CK_FORK) { /* it dies of it */
        tcase_add_test_raise_signal(d, a_sealed_array_cannot_be_written,
                                    SIGSEGV);
        suite_add_tcase(s, d);
    } else {
        tcase_add_test(d, a_copy_keeps_its_bytes);
        suite_add_tcase(s, d);
    }
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
