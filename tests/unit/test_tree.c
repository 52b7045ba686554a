#include "base/tree.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static const struct ens_tree_process *find(const struct ens_tree *t,
                                           int32_t pid)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->process[i].pid == pid)
            return &t->process[i];
    return NULL;
}

static char *volatile shared; /* writes to it are not optimised away */

static void change(char to, size_t bytes)
{
    memset(shared, to, bytes);
    shared[0] = shared[bytes - 1];
}

/* A child that changes own bytes of what it shares with its parent, says so
 * and waits for its end. */
static pid_t start(size_t own)
{
    int ready[2];
    char byte;
    pid_t pid;

    ck_assert_int_eq(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        change(2, own);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(0);
    }
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(shared_pages_count_once)
{
    struct ens_tree t = {0};
    const struct ens_tree_process *me, *child;
    uint64_t pss, rss;
    pid_t pid;

    shared = malloc(40 * MIB);
    ck_assert_ptr_nonnull(shared);
    change(1, 40 * MIB);
    pid = start(10 * MIB);
    ck_assert_int_eq(ens_tree_read(&t, (int32_t)getpid()), 0);
    me = &t.process[0];
    child = find(&t, (int32_t)pid);
    ck_assert_int_eq(me->pid, getpid());
    ck_assert_ptr_nonnull(child);
    ck_assert_int_eq(child->parent, getpid());
    pss = me->memory.pss + child->memory.pss;
    rss = me->memory.rss + child->memory.rss;
    ck_assert_uint_ge(pss, 50 * MIB); /* and 10 that the child changed */
    ck_assert_uint_lt(pss, 85 * MIB); /* 90 if counted twice */
    ck_assert_uint_ge(rss, 80 * MIB);
    ck_assert_uint_ge(child->memory.own_bytes, 10 * MIB);
    ck_assert_uint_lt(child->memory.own_bytes, 20 * MIB);
    stop(pid);
    ens_tree_fini(&t);
    ens_tree_fini(&t);
    free(shared);
}
END_TEST

START_TEST(those_that_ended_have_time_and_no_memory)
{
    struct ens_tree t = {0};
    const struct ens_tree_process *child;
    volatile double x = 1;
    siginfo_t info;
    pid_t pid = fork();

    if (pid == 0) {
        for (int i = 0; i < 100000000; i++)
            x = x * 1.0000001;
        _exit(0);
    }
    ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(ens_tree_read(&t, (int32_t)getpid()), 0);
    child = find(&t, (int32_t)pid);
    ck_assert_ptr_nonnull(child);
    ck_assert(child->is_ended);
    ck_assert_uint_gt(child->cpu_ns, 0);
    ck_assert_uint_eq(child->memory.pss, 0);
    stop(pid);
    ck_assert_int_eq(ens_tree_read(&t, (int32_t)getpid()), 0);
    ck_assert_ptr_null(find(&t, (int32_t)pid));
    ens_tree_fini(&t);
}
END_TEST

START_TEST(a_root_that_is_gone_has_nothing)
{
    struct ens_tree t = {0};

    ck_assert_int_eq(ens_tree_read(&t, INT32_MAX), 0);
    ck_assert_uint_eq(t.n, 0);
    ens_tree_fini(&t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tree");
    TCase *t = tcase_create("tree");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_test(t, shared_pages_count_once);
    tcase_add_test(t, those_that_ended_have_time_and_no_memory);
    tcase_add_test(t, a_root_that_is_gone_has_nothing);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
