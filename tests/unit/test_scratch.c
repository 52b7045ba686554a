/* Folders of far supervisors: what nobody holds any more is removed by the
 * next one on that host, and nothing else. */
#include "base/file.h"
#include "base/folder.h"
#include "transport/scratch.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char tmp[PATH_MAX];
static char *before; /* TMPDIR */

static void setup(void)
{
    const char *p = getenv("TMPDIR");

    before = p != NULL ? strdup(p) : NULL;
    snprintf(tmp, sizeof(tmp), "%s/ens_scratch.XXXXXX", p != NULL ? p : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(tmp));
    ck_assert_int_eq(setenv("TMPDIR", tmp, 1), 0);
}

static void teardown(void)
{
    ck_assert_int_eq(ens_file_empty(tmp, NULL), ENS_OK);
    ck_assert_int_eq(rmdir(tmp), 0);
    ck_assert_int_eq(
        before != NULL ? setenv("TMPDIR", before, 1) : unsetenv("TMPDIR"), 0);
    free(before);
}

static int make(uint64_t run_id, char dir[PATH_MAX])
{
    struct ens_error err = {.status = 0};
    struct ens_relay_opened o;
    int hold = -1;

    ck_assert_msg(ens_scratch_make(dir, PATH_MAX, run_id, &o, &hold, &err) ==
                      ENS_OK,
                  "%s", err.text);
    ck_assert_int_ge(hold, 0);
    return hold;
}

static int exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Held by one of our descriptors: by another process all the same. */
START_TEST(what_is_held_stays)
{
    char a[PATH_MAX], b[PATH_MAX];
    int first = make(1, a);
    int second = make(2, b);

    ck_assert(exists(a) && exists(b));
    close(first);
    first = make(1, a); /* joins it, or makes it anew */
    ck_assert(exists(a) && exists(b));
    close(first);
    close(second);
}
END_TEST

START_TEST(what_a_killed_process_left_is_removed)
{
    char left[PATH_MAX], path[PATH_MAX + 32], own[PATH_MAX];
    int status, hold;
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        make(1, left);
        raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    hold = make(3, own); /* its own name, from that of the other */
    close(hold);
    ck_assert_uint_eq(strlen(own), strlen(tmp) + strlen("/ensrun-") + 33);
    snprintf(left, sizeof(left), "%s/ensrun-%016x%s", tmp, 1,
             own + strlen(own) - 17);
    ck_assert(!exists(left));
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) { /* with something in it */
        make(1, left);
        snprintf(path, sizeof(path), "%s/arrays/a.npy", left);
        close(open(path, O_WRONLY | O_CREAT, 0600));
        raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(exists(left));
    hold = make(4, own);
    ck_assert(!exists(left));
    close(hold);
}
END_TEST

/* Children that do not exec: workers of a zygote. */
START_TEST(children_hold_what_their_parent_held)
{
    char left[PATH_MAX], own[PATH_MAX];
    int hold = make(1, left);
    int go[2], other;
    pid_t pid;

    ck_assert_int_eq(pipe(go), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        char c;

        close(go[1]);
        _exit(read(go[0], &c, 1) == 0 ? 0 : 1);
    }
    close(go[0]);
    close(hold);
    other = make(2, own);
    ck_assert(exists(left));
    close(go[1]);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    close(other);
    other = make(2, own);
    ck_assert(!exists(left));
    close(other);
}
END_TEST

static const struct {
    const char *name; /* %s: "-" and this host's digits */
    mode_t mode;
} others[] = {
    {"ensrun-00000000000000ff-0123456789abcdef", 0700}, /* another host's */
    {"ensrun-00000000000000ff%s", 0755},                /* not ours alone */
    {"ensrun-000000000000000%s", 0700},                 /* no run's */
    {"ensrun-in-000000000000%s", 0700},
    {"ensrun-00000000000000FF%s", 0700},
    {"ensrun-00000000000000ff%s.old", 0700},
};

START_TEST(what_is_not_known_stays)
{
    char own[PATH_MAX], path[2 * PATH_MAX], name[128];
    const char *mark = strstr(others[_i].name, "%s");
    int n = mark != NULL ? (int)(mark - others[_i].name)
                         : (int)strlen(others[_i].name);
    int hold = make(1, own);

    snprintf(name, sizeof(name), "%.*s%s%s", n, others[_i].name,
             mark != NULL ? own + strlen(own) - 17 : "",
             mark != NULL ? mark + 2 : "");
    snprintf(path, sizeof(path), "%s/%s", tmp, name);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(chmod(path, others[_i].mode), 0);
    close(make(2, own));
    ck_assert_msg(exists(path), "%s", path);
    close(hold);
}
END_TEST

/* A link could lead anywhere. */
START_TEST(links_are_not_followed)
{
    char own[PATH_MAX], path[2 * PATH_MAX], target[PATH_MAX + 16];
    struct ens_error err = {.status = 0};
    struct ens_relay_opened o;
    int hold = make(1, own);

    snprintf(target, sizeof(target), "%s/target", tmp);
    ck_assert_int_eq(mkdir(target, 0700), 0);
    snprintf(path, sizeof(path), "%s/ensrun-00000000000000aa%s", tmp,
             own + strlen(own) - 17);
    ck_assert_int_eq(symlink(target, path), 0);
    close(make(2, own));
    ck_assert(exists(path) && exists(target));
    close(hold);
    hold = -1;
    ck_assert_int_eq(ens_scratch_make(own, sizeof(own), 0xaa, &o, &hold, &err),
                     ENS_EIO);
    ck_assert_int_eq(hold, -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("scratch");
    TCase *t = tcase_create("scratch");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_held_stays);
    tcase_add_test(t, what_a_killed_process_left_is_removed);
    tcase_add_test(t, children_hold_what_their_parent_held);
    tcase_add_loop_test(t, what_is_not_known_stays, 0,
                        sizeof(others) / sizeof(*others));
    tcase_add_test(t, links_are_not_followed);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
